import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Operation } from '../../src/operations/operation.ts';
import { movementAssign } from '../../src/operations/movement/assign.ts';
import { movementList } from '../../src/operations/movement/list.ts';
import type { Movement } from '../../src/operations/movement/movement.ts';
import { movementRefund } from '../../src/operations/movement/refund.ts';
import { sendAllBack } from '../../src/operations/movement/send-back.ts';
import { movementSuspend } from '../../src/operations/movement/suspend.ts';
import type { House } from '../../src/operations/house.ts';
import { reconciliationReport } from '../../src/operations/reconciliation/report.ts';
import { DatabaseUnavailable } from '../../src/store/database-unavailable.ts';
import { oneIn } from '../support/crash-every.ts';
import { gone } from '../support/gone.ts';
import { OPERATOR } from '../support/payment-story.ts';
import { Crash } from '../support/ports.ts';
import { dollars } from '../support/refund-story.ts';
import { AWAY, FEE, StatementStory, type Away } from '../support/statement-story.ts';

let story: StatementStory;
beforeAll(async () => {
  story = await StatementStory.begin();
});
afterAll(() => story.close());

const timeout = 600_000;
const HOUR_MS = 3_600_000;

/** How the work ends at the place: the process dies, or its database goes away. */
type End = 'death' | Away;

async function survive(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof Crash) && !(error instanceof DatabaseUnavailable)) throw error;
  }
}

/** Does some work, which ends at the `at`th place. Answers whether there was one. */
async function endAt(at: number, end: End, work: (house: House) => Promise<unknown>): Promise<boolean> {
  const { house, ports } = story.process;
  if (end !== 'death') return await story.cut(at, end, () => survive(work(house)));
  ports.crash.dieAfter(at);
  await survive(work(house));
  const hasDied = ports.crash.reached.length > at;
  ports.crash.dieAfter(null);
  await gone(story.told);
  return hasDied;
}

/** Every place, or one in so many, each once for every way to end. Answers how many there are. */
async function sweep(every: number, crossing: (at: number, end: End) => Promise<boolean>): Promise<number> {
  const ends: readonly End[] = ['death', ...AWAY];
  let places = 0;
  for (const [index, end] of ends.entries()) {
    // A database that goes away is tried at a fifth of the places, each way beginning at another one.
    const step = end === 'death' ? every : every * 5;
    for (let at = index % step; await crossing(at, end); at += step) places = Math.max(places, at + 1);
  }
  return places;
}

async function expectExplained(): Promise<void> {
  const { body } = await story.told.run(reconciliationReport, {}, { actor: OPERATOR });
  expect(JSON.parse(body)).toMatchObject({ accounts: [{ unexplained: '0.00', remainder: '0.00', items: [] }] });
}

const ACCOUNTS = ['expense:provider_fees', 'bank', 'suspense'] as const;
const balances = async () => ({
  wallet: await story.told.cents(),
  house: await Promise.all(ACCOUNTS.map((code) => story.balanceOf(code))),
});

describe('G01 G04 a reading of a statement that ends anywhere', () => {
  it(
    'is taken up again: every line once, every fee and payout once, and no mark ahead of what was kept',
    { timeout },
    async () => {
      const { told } = story;
      const places = await sweep(oneIn(59), async (at, end) => {
        const refs = await story.news();
        const before = await balances();
        const now = told.ports.clock.now().getTime();
        const hasEnded = await endAt(at, end, (house) => story.read(house));
        const label = `${end} at ${at}`;
        const { lines, upTo } = await story.kept(refs);
        if (upTo >= now) expect(lines, `after ${label}`).toHaveLength(refs.length);
        await told.ports.clock.advance(1_000);
        await story.read();
        const after = await story.kept(refs);
        expect(after.lines, `after ${label}`).toEqual(refs.toSorted().map((ref) => [ref, 'matched']));
        expect(after.upTo, `after ${label}`).toBe(told.ports.clock.now().getTime());
        const { wallet, house } = await balances();
        // 25.00 came and 4.00 went back; two payments cost a fee, and there is one of 2.00 besides.
        expect(wallet - before.wallet, `after ${label}`).toBe(2_100n);
        const moved = house.map((balance, index) => balance - (before.house[index] ?? 0n));
        expect(moved, `after ${label}`).toEqual([0n - 2n * FEE - dollars('2.00'), dollars('-20.00'), 0n]);
        await expectExplained();
        return hasEnded;
      });
      console.info(`G01 G04 reading a statement: ${places} places`);
      expect(places).toBeGreaterThan(60);
    },
  );
});

interface Decision {
  readonly operation: Operation;
  readonly input: (sid: string) => object;
  readonly state: Movement['state'];
  /** What the wallet, in cents, and the suspense account have of it. */
  readonly moved: readonly [bigint, bigint];
}

const DECISIONS: readonly (readonly [string, Decision])[] = [
  [
    'assigned',
    {
      operation: movementAssign,
      input: (sid) => ({ sid, wallet_sid: story.told.wallet.sid, reason: 'her receipt' }),
      state: 'assigned',
      moved: [700n, 0n],
    },
  ],
  [
    'set aside',
    {
      operation: movementSuspend,
      input: (sid) => ({ sid, reason: 'unknown' }),
      state: 'suspended',
      moved: [0n, 7_000_000n],
    },
  ],
  [
    'sent back',
    {
      operation: movementRefund,
      input: (sid) => ({ sid, reason: 'not ours' }),
      state: 'refunded',
      moved: [0n, 7_000_000n],
    },
  ],
];

describe('G01 G04 a decision about unmatched money that ends anywhere', () => {
  it.each(DECISIONS)(
    '%s: it was never made, or once',
    { timeout },
    async (name, { operation, input, state, moved }) => {
      const { told } = story;
      const places = await sweep(oneIn(17), async (at, end) => {
        const ref = story.strange();
        await told.ports.clock.advance(2 * HOUR_MS);
        await story.read();
        const { sid } = await movementOf(ref);
        const before = await balances();
        const refunds = told.bank.refunds.size;
        const decide = (house: House) => told.run(operation, input(sid), { actor: OPERATOR, key: `key-${sid}`, house });
        const hasEnded = await endAt(at, end, decide);
        const label = `${end} at ${at}`;
        expect((await decide(told.house)).status, `after ${label}`).toBe(200);
        await sendAllBack(told.house);
        expect(await movementOf(ref), `after ${label}`).toMatchObject({ state, unexplained: '0.00' });
        const { wallet, house } = await balances();
        expect([wallet - before.wallet, (house[2] ?? 0n) - (before.house[2] ?? 0n)], `after ${label}`).toEqual(moved);
        expect(told.bank.refunds.size - refunds, `after ${label}`).toBe(state === 'refunded' ? 1 : 0);
        await expectExplained();
        return hasEnded;
      });
      console.info(`G01 G04 unmatched money, ${name}: ${places} places`);
      expect(places).toBeGreaterThan(10);
    },
  );

  it(
    'what was sent back leaves the suspense account by its line, once, wherever the reading of it ends',
    { timeout },
    async () => {
      const { told } = story;
      const places = await sweep(oneIn(37), async (at, end) => {
        const ref = story.strange();
        await told.ports.clock.advance(2 * HOUR_MS);
        await story.read();
        const { sid } = await movementOf(ref);
        await told.run(movementRefund, { sid, reason: 'not ours' }, { actor: OPERATOR, key: `key-${sid}` });
        const before = await story.balanceOf('suspense');
        const refundRef = told.bank.refunds.get(sid)?.refundRef ?? '';
        const back = story.strange({ kind: 'refund', amount: dollars('-7.00'), refundRef, paymentRef: null });
        const hasEnded = await endAt(at, end, (house) => story.read(house));
        await story.read();
        expect((await story.kept([back])).lines, `${end} at ${at}`).toEqual([[back, 'matched']]);
        expect((await story.balanceOf('suspense')) - before, `${end} at ${at}`).toBe(dollars('-7.00'));
        await expectExplained();
        return hasEnded;
      });
      expect(places).toBeGreaterThan(20);
    },
  );
});

async function movementOf(ref: string): Promise<Movement> {
  const { body } = await story.told.run(movementList, { limit: 100 }, { actor: OPERATOR });
  const found = (JSON.parse(body) as { items: Movement[] }).items.find((movement) => movement.ref === ref);
  if (!found) throw new Error('the line was not read');
  return found;
}
