import { afterEach, describe, expect, it } from 'vitest';
import { runAutoRecharges } from '../../src/operations/auto-recharge/run.ts';
import { pollPayments } from '../../src/operations/payment/poll.ts';
import { cardStory, type CardStory } from '../support/card-story.ts';
import { gone } from '../support/gone.ts';
import { Crash } from '../support/ports.ts';
import { CRASH_EVERY } from '../support/crash-every.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});
async function story(): Promise<CardStory> {
  const made = await cardStory();
  ends.push(() => made.close());
  await made.saveCard();
  return made;
}

const survive = async (work: Promise<unknown>): Promise<void> => {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
  }
};

/**
 * One story with many crossings: before each the wallet is empty and nothing is under way; a process dies at one place further than the
 * last time, and others heal what it left. Every crossing ends with one charge at Stripe and one credit here.
 */
describe('G01 H08 a process that dies anywhere while it charges a card', () => {
  const crossing = async (told: CardStory, at: number | null, heal: 'poller' | 'webhook'): Promise<number> => {
    const cents = await told.told.cents();
    if (cents > 0n) await told.move(-cents);
    await told.recharge({ monthly_cap: '900000.00' });
    const before = { taken: told.taken(), charges: (await told.charges()).length };
    const { house, ports } = told.anotherOf();
    told.stripe.turn({ lossRate: heal === 'poller' ? 1 : 0 });
    ports.crash.dieAfter(at);
    await survive(runAutoRecharges(house));
    const reached = ports.crash.reached.length;
    await gone(told.told);
    await told.stripe.deliveries.settled();
    // While it lies there, everybody else looks at the wallet as well.
    await runAutoRecharges(told.house);
    await told.told.ports.clock.advance(15 * 60_000);
    if (heal === 'poller') await pollPayments(told.house);
    else await told.hear();
    await runAutoRecharges(told.house);
    await told.told.ports.clock.advance(15 * 60_000);
    await pollPayments(told.house);
    await told.hear();
    expect(await told.told.cents()).toBe(3_000n);
    expect(told.taken() - before.taken).toBe(3_000);
    expect((await told.charges()).length - before.charges).toBe(1);
    return reached;
  };

  it.each(['poller', 'webhook'] as const)(
    'leaves one charge and one credit, healed by the %s',
    async (heal) => {
      const told = await story();
      const points = await crossing(told, null, heal);
      for (let at = 0; at < points; at += CRASH_EVERY) await crossing(told, at, heal);
      console.info(`G01 charge, healed by the ${heal}: ${points} crash points, one in ${CRASH_EVERY} survived`);
      expect(points).toBeGreaterThan(20);
    },
    60_000,
  );
});
