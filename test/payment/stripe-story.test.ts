import { afterEach, describe, expect, it } from 'vitest';
import { moveDispute, openDispute, openDisputeSchema } from '../../sandbox/stripe/disputes.ts';
import { paymentCheck } from '../../src/operations/payment/check.ts';
import { pollPayments } from '../../src/operations/payment/poll.ts';
import { reconcilePayments } from '../../src/operations/payment/reconcile.ts';
import { reconcileAll } from '../../src/operations/reconciliation/reconcile-all.ts';
import { stripeStory, type StripeStory } from '../support/stripe-story.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});
const story = async (): Promise<StripeStory> => {
  const made = await stripeStory();
  ends.push(() => made.close());
  return made;
};

describe('a top-up over Stripe’s wire', () => {
  it('is asked for in usd, paid on the page, told by signed webhooks, and credited once', async () => {
    const { told, stripe, answers, hear, open, sessionOf } = await story();
    const payment = await open('25.00');
    expect(stripe.journal().sessions).toMatchObject([{ currency: 'usd', amount_total: 2500, livemode: false }]);
    stripe.complete(await sessionOf(payment), 'paid');
    await hear();
    expect(answers.length).toBeGreaterThanOrEqual(3);
    expect(new Set(answers)).toEqual(new Set([200]));
    expect(await told.cents()).toBe(2500n);
    expect(await told.events()).toMatchObject([
      { externalRef: expect.stringMatching(/^pi_/) as string, currency: 'USD' },
    ]);
  });

  it('B01 B03 with every event twenty times more and in reverse order it is credited once', async () => {
    const { told, stripe, hear, open, sessionOf } = await story();
    stripe.turn({ duplicates: 20, reorderWindow: 1_000 });
    const payments = [await open('10.00'), await open('20.00'), await open('30.00')];
    for (const payment of payments) stripe.complete(await sessionOf(payment), 'paid');
    await hear();
    expect(await told.cents()).toBe(6000n);
    expect(await told.events()).toHaveLength(3);
    expect((await told.inbox()).filter((row) => row.state === 'quarantined')).toEqual([]);
  });

  it('a declined card leaves it open, and a second card pays it', async () => {
    const { told, stripe, hear, open, sessionOf } = await story();
    const payment = await open();
    stripe.complete(await sessionOf(payment), 'declined');
    await hear();
    expect(await told.payment(payment.sid)).toMatchObject({ state: 'open', problem: null });
    stripe.complete(await sessionOf(payment), 'paid');
    await hear();
    expect(await told.cents()).toBe(2500n);
  });

  it.each([
    ['later-succeeds', 'credited', 2500n],
    ['later-fails', 'failed', 0n],
  ] as const)('a delayed payment that %s is processing, then %s', async (outcome, state, cents) => {
    const { told, stripe, hear, open, sessionOf } = await story();
    const payment = await open();
    stripe.complete(await sessionOf(payment), outcome);
    await hear();
    expect((await told.payment(payment.sid)).state).toBe('processing');
    await told.ports.clock.advance(10_000);
    await hear();
    expect((await told.payment(payment.sid)).state).toBe(state);
    expect(await told.cents()).toBe(cents);
  });

  it('an abandoned page expires and is closed', async () => {
    const { told, stripe, hear, open, sessionOf } = await story();
    const payment = await open();
    stripe.expire(await sessionOf(payment));
    await hear();
    expect(await told.payment(payment.sid)).toMatchObject({ state: 'expired', checkoutUrl: null });
  });
});

describe('a dispute over Stripe’s wire', () => {
  it('C08 opened and lost, with every event doubled and in reverse order, is written off once', async () => {
    const { told, stripe, hear, open, sessionOf } = await story();
    stripe.turn({ duplicates: 2, reorderWindow: 1_000 });
    const payment = await open('25.00');
    stripe.complete(await sessionOf(payment), 'paid');
    const asked = openDisputeSchema.parse({ about: await sessionOf(payment), amountCents: 1_000 });
    const dispute = openDispute(stripe.state, asked);
    if (!dispute) throw new Error('a dispute was opened');
    moveDispute(stripe.state, dispute, { status: 'under_review' });
    moveDispute(stripe.state, dispute, { status: 'lost' });
    await hear();
    // What came before the credit waits for its payment.
    await told.ports.clock.advance(60_000);
    await hear();
    expect(await told.cents()).toBe(1500n);
    expect((await told.events()).map(({ kind }) => kind)).toEqual(['dispute_lost', 'dispute_opened', 'top_up']);
    expect(new Set((await told.inbox()).map(({ state }) => state))).toEqual(new Set(['applied']));
  });

  it('C08 an inquiry that becomes a dispute and is won leaves the wallet as it was, and the statement explained', async () => {
    const { told, house, stripe, hear, open, sessionOf } = await story();
    const payment = await open('25.00');
    stripe.complete(await sessionOf(payment), 'paid');
    await hear();
    const asked = openDisputeSchema.parse({ about: await sessionOf(payment), status: 'warning_needs_response' });
    const dispute = openDispute(stripe.state, asked);
    if (!dispute) throw new Error('a dispute was opened');
    await hear();
    expect(await told.cents()).toBe(2500n);
    moveDispute(stripe.state, dispute, { status: 'needs_response' });
    await hear();
    expect(await told.cents()).toBe(0n);
    moveDispute(stripe.state, dispute, { status: 'won' });
    await hear();
    expect(await told.cents()).toBe(2500n);
    const { reports } = await reconcileAll(house);
    expect(reports).toMatchObject([{ items: [], unexplained: '0.00', remainder: '0.00' }]);
  });
});

describe('what Stripe says wrongly', () => {
  it.each([
    ['D07 less', { amountCents: 2000 }, 'credited', 2000n, 'underpaid'],
    ['D07 another currency', { currency: 'eur' }, 'quarantined', 0n, 'currency_mismatch'],
    ['A14 live money', { livemode: true }, 'open', 0n, 'mode_mismatch'],
    ['A15 another account', { account: 'acct_1SomebodyElse' }, 'open', 0n, 'account_mismatch'],
  ] as const)('%s', async (_, wrong, state, cents, word) => {
    const { told, stripe, hear, open, sessionOf } = await story();
    const payment = await open();
    stripe.turn({ wrong });
    stripe.complete(await sessionOf(payment), 'paid');
    await hear();
    const row = await told.payment(payment.sid);
    expect(row.state).toBe(state);
    expect(await told.cents()).toBe(cents);
    const said = [row.problem ?? '', ...(await told.inbox()).map((event) => event.reason ?? '')];
    expect(said.some((text) => text.includes(word))).toBe(true);
  });
});

describe('what goes wrong on the way', () => {
  it('B09 with every webhook lost, the return page, the poller and the reconciler each find the money', async () => {
    for (const heal of ['page', 'poller', 'reconciler'] as const) {
      const { told, house, stripe, open, sessionOf } = await story();
      stripe.turn({ lossRate: 1 });
      const payment = await open();
      stripe.complete(await sessionOf(payment), 'paid');
      await told.ports.clock.advance(15_000);
      if (heal === 'page') await told.run(paymentCheck, { sid: payment.sid }, { house });
      if (heal === 'poller') await pollPayments(house);
      if (heal === 'reconciler') await reconcilePayments(house);
      expect(await told.inbox()).toEqual([]);
      expect(await told.cents()).toBe(2500n);
    }
  });

  it.each(['reset-after-effect', 'truncated', 'html'] as const)(
    'G02 %s: the order exists, we do not know; the same key finds it, and there is one session',
    async (kind) => {
      const { told, stripe, hear, open, sessionOf } = await story();
      stripe.turn({ faults: [{ kind, method: 'POST', path: '/v1/checkout' }] });
      const lost = open('25.00', 'the-key');
      const over = { is: false };
      lost.catch(() => (over.is = true));
      // The client of the SDK tries again by the clock, up to its total deadline.
      while (!over.is) await told.ports.clock.advance(told.ports.clock.sleeping > 0 ? 500 : 0);
      await expect(lost).rejects.toThrow(/^50[24]/);
      expect(stripe.journal().sessions).toHaveLength(1);
      stripe.turn({ faults: [] });
      const payment = await open('25.00', 'the-key');
      expect(stripe.journal().sessions).toHaveLength(1);
      stripe.complete(await sessionOf(payment), 'paid');
      await hear();
      expect(await told.cents()).toBe(2500n);
    },
  );
});
