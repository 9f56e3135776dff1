import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { lookAtRefunds } from '../../src/operations/refund/look.ts';
import type { Payment } from '../../src/operations/payment/payment.ts';
import { paymentStory, type PaymentStory, type Process } from '../support/payment-story.ts';
import { Crash } from '../support/ports.ts';
import { askRefund, credited, dollars, look, refundsOf, send, standing } from '../support/refund-story.ts';

/**
 * The process dies at every place where it waits: before and after each statement, each commit, each call to the provider. Each place
 * has a payment of its own in one wallet, so what all of them come to is seen in its balance.
 */
let told: PaymentStory;
beforeAll(async () => {
  told = await paymentStory({ settings: { openPaymentsMax: 1_000_000 } });
});
afterAll(() => told.close());

interface Flow {
  /** What the dying process does. */
  readonly act: (payment: Payment, process: Process, key: string) => Promise<void>;
  readonly recover: (payment: Payment, process: Process, key: string) => Promise<void>;
}

async function survive(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
  }
}

/** Until the database has let go of what the dead one held. */
async function gone(): Promise<void> {
  const text = `select pid from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null`;
  await vi.waitFor(
    async () => expect(await told.database.owner.query({ name: 'test.open_transactions', text })).toEqual([]),
    { timeout: 20_000, interval: 2 },
  );
}

/** Long enough for every lease and back-off of the dead to end. */
const later = ({ ports }: Process): void =>
  ports.clock.setWallClock(new Date(ports.clock.now().getTime() + 15 * 60_000));

/** Answers how many places were survived: dies at each of them in turn, until a run reaches its end. */
async function sweep(flow: Flow): Promise<number> {
  const recovering = told.anotherProcess({ poolMax: 2 });
  for (let at = 0; ; at += 1) {
    const payment = await credited(told, '10.00');
    if (flow === byOthers) told.bank.giveBack(payment.sid, { amount: dollars('4.00') });
    const dying = told.anotherProcess({ poolMax: 2 });
    dying.ports.crash.dieAfter(at);
    await survive(flow.act(payment, dying, `key-${payment.sid}`));
    const hasDied = dying.ports.crash.reached.length > at;
    await gone();
    later(recovering);
    await flow.recover(payment, recovering, `key-${payment.sid}`);
    const refunds = await refundsOf(told, payment.sid);
    expect(refunds.map(({ state, posted }) => [state, posted])).toEqual([['succeeded', dollars('4.00')]]);
    expect(told.bank.orderOf(payment.sid).refunds).toHaveLength(1);
    if (!hasDied) return at;
  }
}

const ours: Flow = {
  act: async (payment, { house }, key) => {
    await askRefund(told, { payment, amount: '4.00', key, house });
    const [refund] = await refundsOf(told, payment.sid);
    if (refund) await send(told, refund.sid, house);
  },
  recover: async (payment, process, key) => {
    await askRefund(told, { payment, amount: '4.00', key, house: process.house });
    later(process);
    await lookAtRefunds(process.house);
  },
};

const byOthers: Flow = {
  act: (payment, { house }) => look(told, payment.sid, house),
  recover: (payment, { house }) => look(told, payment.sid, house),
};

describe('G01 C06 a process that dies anywhere leaves a refund that happens once', () => {
  it('of ours, from the wish to the provider’s answer', { timeout: 120_000 }, async () => {
    const before = await standing(told);
    const survived = await sweep(ours);
    console.info(`G01 refund: ${survived} crash points, each survived`);
    expect(survived).toBeGreaterThan(40);
    const sum = BigInt(survived + 1) * dollars('6.00');
    const after = await standing(told);
    expect(after.map((amount, index) => amount - (before[index] ?? 0n))).toEqual([sum, 0n, sum]);
  });

  it('of others, heard of by news', { timeout: 120_000 }, async () => {
    const before = await standing(told);
    const survived = await sweep(byOthers);
    console.info(`G01 refund by others: ${survived} crash points, each survived`);
    expect(survived).toBeGreaterThan(20);
    const sum = BigInt(survived + 1) * dollars('6.00');
    const after = await standing(told);
    expect(after.map((amount, index) => amount - (before[index] ?? 0n))).toEqual([sum, 0n, sum]);
  });
});
