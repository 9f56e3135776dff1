import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeCreate } from '../../src/operations/code/create.ts';
import { codeRedeem } from '../../src/operations/code/redeem.ts';
import { refundCreate } from '../../src/operations/refund/create.ts';
import { ownCause } from '../../src/operations/payment/cause.ts';
import { settlePayment } from '../../src/operations/payment/settle.ts';
import { readCodeRow } from '../../src/store/code.ts';
import { CRASH_EVERY } from '../support/crash-every.ts';
import { gone } from '../support/gone.ts';
import { OPERATOR, paymentStory, type PaymentStory, type Process } from '../support/payment-story.ts';
import { Crash } from '../support/ports.ts';
import { newcomer, setRule, type Newcomer } from './newcomer.ts';

/** The process dies at every place where it waits; each place has a person of its own. What the sweep leaves is checked as a ledger at the end. */
let told: PaymentStory;
beforeAll(async () => {
  told = await paymentStory({ settings: { openPaymentsMax: 10 } });
  await setRule(told);
});
afterAll(() => told.close());

async function survive(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
  }
}

interface Flow<T> {
  readonly prepare: () => Promise<T>;
  readonly act: (on: T, process: Process) => Promise<unknown>;
  /** What stands before it has happened, and after. */
  readonly look: (on: T) => Promise<string>;
  readonly never: string;
  readonly once: string;
}

/** Dies at each place in turn, until a run reaches its end. Shape: the place it could not reach, how many it died at, and how many deaths left it done. */
async function sweep<T>(
  flow: Flow<T>,
): Promise<{ readonly points: number; readonly tried: number; readonly done: number }> {
  let [tried, done] = [0, 0];
  for (let points = 0; ; points += CRASH_EVERY) {
    tried += 1;
    const on = await flow.prepare();
    expect(await flow.look(on)).toBe(flow.never);
    const dying = told.anotherProcess({ poolMax: 2 });
    dying.ports.crash.dieAfter(points);
    await survive(flow.act(on, dying));
    const hasDied = dying.ports.crash.reached.length > points;
    await gone(told);
    const left = await flow.look(on);
    expect([flow.never, flow.once]).toContain(left);
    if (left === flow.once) done += 1;
    for (let times = 0; times < 2; times += 1) {
      await flow.act(on, { house: told.house, ports: told.ports });
      expect(await flow.look(on)).toBe(flow.once);
    }
    if (!hasDied) return { points, tried, done };
  }
}

describe('G01 a process that dies anywhere', () => {
  it('D17 while it redeems a code leaves it redeemed once or not at all', { timeout: 120_000 }, async () => {
    const reply = await told.run(
      codeCreate,
      { code: 'SWEEP-2026', description: 'A sweep', amount: '5.00', uses_max: 100_000 },
      { actor: OPERATOR },
    );
    const { sid: code } = JSON.parse(reply.body) as { readonly sid: string };
    const { points, tried, done } = await sweep<Newcomer>({
      prepare: () => newcomer(told),
      act: async (who, { house }) => {
        const input = { sid: who.wallet.sid, code: 'sweep 2026' };
        await told.run(codeRedeem, input, { key: `redeem-${who.wallet.sid}`, actor: who.actor, house });
      },
      look: (who) => who.holds(),
      never: '0 + 0',
      once: '0 + 5000000',
    });
    console.info(`G01 code: ${points} crash points, each survived`);
    expect(points).toBeGreaterThan(15);
    expect(done).toBeGreaterThan(0);
    expect((await readCodeRow(told.database.owner, code))?.uses).toBe(tried);
  });

  it('while it credits a first top-up leaves the credit and its bonus, or neither', { timeout: 120_000 }, async () => {
    const { points, done } = await sweep<{ readonly who: Newcomer; readonly sid: string }>({
      prepare: async () => {
        const who = await newcomer(told);
        const { sid } = await who.begin('20.00');
        told.bank.pay(sid);
        return { who, sid };
      },
      act: ({ sid }, { house }) => settlePayment(house, sid, ownCause(house, 'webhook')),
      look: ({ who }) => who.holds(),
      never: '0 + 0',
      once: '20000000 + 2000000',
    });
    console.info(`G01 bonus: ${points} crash points, each survived`);
    expect(points).toBeGreaterThan(20);
    expect(done).toBeGreaterThan(0);
  });

  it('while it sets a refund aside leaves the bonus taken back with it, or neither', { timeout: 120_000 }, async () => {
    const { points, done } = await sweep<{ readonly who: Newcomer; readonly sid: string }>({
      prepare: async () => {
        const who = await newcomer(told);
        return { who, sid: (await who.pay('20.00')).sid };
      },
      act: async ({ sid }, { house }) => {
        const input = { payment_sid: sid, amount: '5.00', reason: 'the customer asked' };
        await told.run(refundCreate, input, { key: `refund-${sid}`, actor: OPERATOR, house });
      },
      look: ({ who }) => who.holds(),
      never: '20000000 + 2000000',
      once: '15000000 + 0',
    });
    console.info(`G01 bonus taken back: ${points} crash points, each survived`);
    expect(points).toBeGreaterThan(20);
    expect(done).toBeGreaterThan(0);
  });
});
