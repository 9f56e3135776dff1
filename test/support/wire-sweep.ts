import { expect } from 'vitest';
import { isEnded } from '../../src/domain/refund/state.ts';
import type { House } from '../../src/operations/house.ts';
import { ownCause } from '../../src/operations/payment/cause.ts';
import { reconcileAll } from '../../src/operations/reconciliation/reconcile-all.ts';
import { refundApprove } from '../../src/operations/refund/approve.ts';
import { refundCreate } from '../../src/operations/refund/create.ts';
import { lookAtRefund, lookAtRefunds } from '../../src/operations/refund/look.ts';
import { clearingBalance } from '../../src/store/statement-read.ts';
import { gone } from './gone.ts';
import { OPERATOR } from './payment-story.ts';
import { Crash } from './ports.ts';
import { dollars, refundsOf, SECOND_OPERATOR, send, standing } from './refund-story.ts';
import { WIRE_FAULTS, type Wire, type WireFault } from './wire.ts';
import type { Ending, WireStory } from './wire-story.ts';

const AMOUNT = dollars('4.00');
/** As long as the longest wait between two looks at a refund that is under way. */
const LATER_MS = 3_600_000;
/** More than the sending of a refund has. */
const RACE_PLACES = 60;

async function survive(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
  }
}

/** One refund of a payment of its own, and how it is to end at the provider. */
interface Crossing {
  readonly story: WireStory;
  readonly paymentSid: string;
  readonly ending: Ending;
  /** The wallet before it. */
  readonly balance: bigint;
  readonly label: string;
}

async function begin(story: WireStory, ending: Ending, label: string): Promise<Crossing> {
  const { sid: paymentSid } = await story.credited();
  const [balance] = await standing(story.told);
  return { story, paymentSid, ending, balance, label };
}

/** What operators, the job and the ticks do, undisturbed from the wish to the end. Does nothing twice that was done. */
async function giveBack(crossing: Crossing, house: House): Promise<void> {
  const { told, at } = crossing.story;
  await ask(crossing, house);
  const [refund] = await refundsOf(told, crossing.paymentSid);
  if (refund === undefined) return;
  await send(told, refund.sid, house);
  for (let step = 0; step < 2; step += 1) {
    at.goOn(refund.sid, crossing.ending);
    await lookAtRefund(house, refund.sid, ownCause(house, 'refund'));
  }
}

/** One operator asks, another approves. */
async function ask({ story, paymentSid }: Crossing, house: House): Promise<void> {
  const { told, at } = story;
  const where = at.destination === null ? {} : { destination: at.destination };
  const wish = { payment_sid: paymentSid, amount: '4.00', reason: 'the customer asked', ...where };
  await told.run(refundCreate, wish, { key: `key-${paymentSid}`, house, actor: OPERATOR });
  const [refund] = await refundsOf(told, paymentSid);
  if (refund !== undefined) await told.run(refundApprove, { sid: refund.sid }, { house, actor: SECOND_OPERATOR });
}

/** The same again, and then what happens by itself until nothing is under way any more. */
async function heal(crossing: Crossing, house: House): Promise<void> {
  const { story, paymentSid, ending } = crossing;
  await giveBack(crossing, house);
  const [refund] = await refundsOf(story.told, paymentSid);
  for (let step = 0; step < 4; step += 1) {
    await story.hear(house);
    await story.told.ports.clock.advance(LATER_MS);
    await lookAtRefunds(house);
    story.at.goOn(refund?.sid ?? '', ending);
  }
  await story.hear(house);
}

/** One refund, which has ended as the provider says, and the wallet has what that leaves it. */
async function verify(crossing: Crossing, mayBeRefused: boolean): Promise<void> {
  const { story, paymentSid, ending, balance } = crossing;
  const refunds = await refundsOf(story.told, paymentSid);
  const [refund] = refunds;
  const label = `${crossing.label}; it is ${refund?.state}: ${refund?.detail}`;
  const left = story.at.left(refund?.sid ?? '');
  const isAway = refund?.state === 'succeeded';
  const ends = refunds.map(({ state, origin }) => [isEnded(state), origin]);
  expect(ends, `at ${label}`).toEqual([[true, 'operator']]);
  expect(story.at.ways(refund?.sid ?? ''), `at ${label}`).toBeLessThanOrEqual(1);
  expect(left, `at ${label}`).toBe(isAway ? AMOUNT : 0n);
  if (!mayBeRefused) expect(isAway, `at ${label}`).toBe(ending === 'leaves');
  const [after, reserved] = await standing(story.told);
  expect([after, reserved], `at ${label}`).toEqual([balance - left, 0n]);
}

/** Our books are the provider's own to the cent, and its statement has nothing that we cannot explain. */
export async function expectAgreement({ told, at, house }: WireStory): Promise<void> {
  const { reports } = await reconcileAll(house);
  expect(reports).toMatchObject([{ unexplained: '0.00', remainder: '0.00', items: [] }]);
  const clearing = await clearingBalance(told.database.owner, at.till.name);
  expect(0n - clearing).toBe(at.till.books().balanceMicros);
}

/**
 * Dies at each place where a refund waits: before and after each statement, each commit, each exchange with the provider; then others
 * heal it, now and then dying as well. Answers how many places there are; one in `every` of them is tried.
 */
export async function sweepCrashes(story: WireStory, ending: Ending, every: number): Promise<number> {
  const { crash } = story.process().ports;
  const dieIn = async (at: number, work: (house: House) => Promise<void>): Promise<void> => {
    const { house } = story.process();
    crash.dieAfter(at);
    await survive(work(house));
    crash.dieAfter(null);
    await gone(story.told);
  };
  const undisturbed = await begin(story, ending, 'undisturbed');
  crash.dieAfter(null);
  await giveBack(undisturbed, story.process().house);
  const labels = [...crash.reached];
  await heal(undisturbed, story.house);
  await verify(undisturbed, false);
  for (let at = 0; at < labels.length; at += every) {
    const crossing = await begin(story, ending, `${at}: ${labels[at]}`);
    await dieIn(at, (house) => giveBack(crossing, house));
    if (at % 9 === 0) await dieIn((at * 7) % labels.length, (house) => heal(crossing, house));
    if (at % 2 === 0) await refuseAll(crossing);
    await heal(crossing, story.house);
    await verify(crossing, false);
  }
  return labels.length;
}

/**
 * Two processes send one refund at the same moment, and one of them dies: each time a place later, one place in `every`. How far it comes
 * depends on the other one; after the last place it lives.
 */
export async function sweepRaces(story: WireStory, every: number): Promise<void> {
  const { crash } = story.process().ports;
  for (let at = 0; at <= RACE_PLACES; at += every) {
    const crossing = await begin(story, 'leaves', `a race that ends at ${at}`);
    await ask(crossing, story.house);
    const [refund] = await refundsOf(story.told, crossing.paymentSid);
    crash.dieAfter(at);
    await together(
      story.wire,
      [story.process().house, story.house].map((house) => () => survive(send(story.told, refund?.sid ?? '', house))),
    );
    crash.dieAfter(null);
    await gone(story.told);
    await heal(crossing, story.house);
    await verify(crossing, false);
  }
}

/** Runs two works at once: whoever is about to have something made waits until the other is, too, or has ended. */
async function together(wire: Wire, works: readonly (() => Promise<void>)[]): Promise<void> {
  const ready = Promise.withResolvers<void>();
  let waiting = 0;
  wire.hold((label) => {
    if (!label.startsWith('POST') || !IS_OF_REFUNDS.test(label)) return Promise.resolve();
    waiting += 1;
    if (waiting === works.length) ready.resolve();
    return ready.promise;
  });
  await Promise.all(works.map((work) => work().finally(() => ready.resolve())));
  wire.hold(() => Promise.resolve());
}

/** The next process is refused everything, with a key that ended meanwhile: that says nothing of what an earlier one has done. */
async function refuseAll(crossing: Crossing): Promise<void> {
  const { story } = crossing;
  story.wire.break(() => 'forbidden');
  await giveBack(crossing, story.process().house);
  story.wire.calm();
}

/** What a provider may say with full right, and mean it. */
const REFUSALS: ReadonlySet<WireFault> = new Set(['forbidden', 'unauthorized']);

/** That a payment is another one is believed: then the refund is refused, and rightly. */
const IS_OF_REFUNDS = /payout|pull-payments/;

/** How long a fault lasts: for one exchange, or from there on; or it is followed by a provider that refuses everything. */
const SPELLS = ['once', 'from then on', 'once, and then refused'] as const;

/** Every fault at each exchange of a refund, in each spell. Answers how many were tried. */
export async function sweepFaults(story: WireStory, every: number): Promise<number> {
  const undisturbed = await begin(story, 'leaves', 'undisturbed');
  story.wire.calm();
  await giveBack(undisturbed, story.process().house);
  const exchanges = [...story.wire.asked];
  await heal(undisturbed, story.house);
  const all = exchanges.flatMap((label, at) =>
    WIRE_FAULTS.flatMap((fault) => SPELLS.map((spell) => ({ label, at, fault, spell }))),
  );
  const possible = all.filter(({ fault, label }) => fault !== 'another' || IS_OF_REFUNDS.test(label));
  const tried = possible.filter((_, index) => index % every === 0);
  for (const { label, at, fault, spell } of tried) {
    const crossing = await begin(story, 'leaves', `${fault} ${spell} at ${at}: ${label}`);
    const { house } = story.process();
    story.wire.break((place) => {
      if (place < at || (place > at && spell === 'once')) return null;
      return place > at && spell === 'once, and then refused' ? 'forbidden' : fault;
    });
    await giveBack(crossing, house);
    story.wire.calm();
    await heal(crossing, story.house);
    await verify(crossing, REFUSALS.has(fault) || spell === 'once, and then refused');
  }
  return tried.length;
}
