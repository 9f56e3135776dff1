import { afterEach, describe, expect, it, vi } from 'vitest';
import { expireHolds } from '../../src/operations/hold/expire.ts';
import { holdReserve } from '../../src/operations/hold/reserve.ts';
import type { House } from '../../src/operations/house.ts';
import { recomputeLadders } from '../../src/operations/ladder/recompute.ts';
import { pollPayments } from '../../src/operations/payment/poll.ts';
import { reconcilePayments } from '../../src/operations/payment/reconcile.ts';
import { sweepWebhooks } from '../../src/operations/webhook-event/sweep.ts';
import { readWalletBySid } from '../../src/store/wallet.ts';
import { OPERATOR, paymentStory, type PaymentStory } from '../support/payment-story.ts';

const stories: PaymentStory[] = [];
async function story(): Promise<PaymentStory> {
  const made = await paymentStory({ settings: { openPaymentsMax: 100 } });
  stories.push(made);
  return made;
}
afterEach(async () => {
  for (const made of stories.splice(0)) await made.close();
});

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const PAYMENTS = 6;

interface Duty {
  readonly name: string;
  readonly run: (house: House) => Promise<unknown>;
  /** Gives the tick something to do, a few times. */
  readonly prepare: (told: PaymentStory) => Promise<void>;
  /** How late the tick comes where it is late. */
  readonly lateMs: number;
  /** Whatever became of the tick, this is how the wallet must end. */
  readonly end: string;
}

async function payUnheard(told: PaymentStory): Promise<void> {
  for (let count = 0; count < PAYMENTS; count += 1) await told.paid('10.00');
  await told.ports.clock.advance(MINUTE_MS);
}

/** It looks back from where it last was. */
async function payAfterLook(told: PaymentStory): Promise<void> {
  await reconcilePayments(told.house);
  await payUnheard(told);
}

async function setAside(told: PaymentStory): Promise<void> {
  const paid = await told.paid('25.00');
  await told.deliver(told.bank.webhook('checkout.session.completed', told.bank.orderOf(paid.sid)));
  await told.drain();
  for (let count = 0; count < PAYMENTS; count += 1) {
    const input = { wallet_sid: told.wallet.sid, amount: '2.00', description: 'a call', expires_in_seconds: 30 };
    const { status } = await told.run(holdReserve, input, { actor: OPERATOR, key: `hold-${count}` });
    expect(status).toBe(201);
  }
  await told.ports.clock.advance(MINUTE_MS);
}

const DUTIES: readonly Duty[] = [
  { name: 'the expiry of holds', run: expireHolds, prepare: setAside, lateMs: 3 * DAY_MS, end: '2500 + 0' },
  { name: 'the poller', run: pollPayments, prepare: payUnheard, lateMs: 3 * DAY_MS, end: '6000 + 0' },
  { name: 'the reconciler', run: reconcilePayments, prepare: payAfterLook, lateMs: 3 * DAY_MS, end: '6000 + 0' },
  { name: 'the ladder tick', run: recomputeLadders, prepare: payUnheard, lateMs: 3 * DAY_MS, end: '0 + 0' },
];

async function endOf(told: PaymentStory): Promise<string> {
  const row = await readWalletBySid(told.database.owner, told.wallet.sid);
  return row ? `${row.balance / 10_000n} + ${row.reserved / 10_000n}` : 'gone';
}

describe.each(DUTIES)('$name', ({ run, prepare, lateMs, end }) => {
  it('H05 run twice, and days late, does once what there was to do', async () => {
    const told = await story();
    await prepare(told);
    await told.ports.clock.advance(lateMs);
    await run(told.house);
    expect(await endOf(told)).toBe(end);
    await run(told.house);
    expect(await endOf(told)).toBe(end);
    expect(await told.brokenPromises()).toEqual([]);
  });

  it('H05 H01 of two processes at once, one of them with a clock a day ahead, does it once', async () => {
    const told = await story();
    await prepare(told);
    const ahead = told.anotherProcess({ now: new Date(told.ports.clock.now().getTime() + DAY_MS) });
    await Promise.all([run(told.house), run(ahead.house), run(told.house)]);
    expect(await endOf(told)).toBe(end);
  });

  it('H05 that dies in the middle of its work is finished by the next one', async () => {
    const told = await story();
    await prepare(told);
    const counted = told.anotherProcess();
    const before = await told.brokenPromises();
    counted.ports.crash.dieAfter(12);
    await run(counted.house).catch(() => undefined);
    await told.ports.clock.advance(11 * MINUTE_MS);
    // The database lets go of what the dead one had locked a moment after its connection is gone.
    await vi.waitFor(async () => {
      await run(told.house);
      expect(await endOf(told)).toBe(end);
    });
    expect([before, await told.brokenPromises()]).toEqual([[], []]);
  });
});

describe('what a process has claimed', () => {
  it('H06 comes free when the lease of a dead process is over, and not before', async () => {
    const told = await story();
    const payment = await told.paid('25.00');
    await told.deliver(told.bank.webhook('checkout.session.completed', told.bank.orderOf(payment.sid)));
    const dying = told.anotherProcess();
    dying.ports.crash.on((label) => {
      if (label === 'commit:after:webhook.claim_due') dying.ports.crash.dieAfter(0);
    });
    await expect(sweepWebhooks(dying.house, 0)).rejects.toThrow('crashed');
    expect(await sweepWebhooks(told.house, 0)).toBe(0);
    await told.ports.clock.advance(5 * MINUTE_MS);
    expect(await sweepWebhooks(told.house, 0)).toBe(1);
    expect(await told.cents()).toBe(2500n);
  });

  it('H06 by one that was only slow is finished twice and credited once', async () => {
    const told = await story();
    const payment = await told.paid('25.00');
    const order = told.bank.orderOf(payment.sid);
    await told.deliver(told.bank.webhook('checkout.session.completed', order));
    const slow = told.anotherProcess();
    const asleep = Promise.withResolvers<void>();
    const woken = Promise.withResolvers<void>();
    slow.ports.crash.on(async (label) => {
      if (label !== 'commit:after:webhook.claim_due') return;
      asleep.resolve();
      await woken.promise;
    });
    const late = sweepWebhooks(slow.house, 0);
    await asleep.promise;
    await told.ports.clock.advance(5 * MINUTE_MS);
    expect(await sweepWebhooks(told.house, 0)).toBe(1);
    expect(await told.cents()).toBe(2500n);
    woken.resolve();
    await late;
    expect([await told.cents(), (await told.events()).length]).toEqual([2500n, 1]);
    expect(await told.inbox()).toMatchObject([{ state: 'applied', attempts: 1 }]);
  });
});
