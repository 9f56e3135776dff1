import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { micros } from '../../src/domain/money.ts';
import type { NewRefund } from '../../src/providers/provider.ts';
import { newOrder } from '../contract/payment-provider.ts';
import { openStripeBench, type StripeBench } from './stripe-bench.ts';

let bench: StripeBench;
beforeEach(async () => {
  bench = await openStripeBench();
});
afterEach(() => bench.close());

const SID = '01ARZ3NDEKTSV4RRFFQ69G5RE1';
const DOLLAR = 1_000_000n;

/** A paid order of 25 dollars, and what a refund of it says. */
async function paid(taxCents = 0): Promise<NewRefund> {
  bench.sandbox.turn({ taxCents });
  const order = newOrder(bench.now());
  const { orderRef } = await bench.provider.createOrder(order);
  await bench.act(orderRef, 'paid');
  const truth = await bench.provider.readOrder(orderRef);
  const [payment] = truth?.payments ?? [];
  const { paymentSid } = order;
  const paymentRef = payment?.paymentRef ?? '';
  return {
    refundSid: SID,
    paymentSid,
    orderRef,
    paymentRef,
    amount: micros(10n * DOLLAR),
    currency: 'USD',
    destination: null,
  };
}

const refundsOf = async ({ orderRef }: NewRefund) => (await bench.provider.readOrder(orderRef))?.payments[0]?.refunds;
/** Lets the waits between our attempts pass. */
async function patiently<T>(work: Promise<T>): Promise<T> {
  const done = { is: false };
  const ended = work.finally(() => (done.is = true));
  ended.catch(() => undefined);
  while (!done.is) await bench.ports.clock.advance(250);
  return await ended;
}

describe('refunds by us at Stripe', () => {
  it('is made with our sid as its key and in its metadata, and is part of the order’s truth', async () => {
    const asked = await paid();
    const refund = await bench.provider.refund(asked);
    expect(refund).toMatchObject({
      refundSid: SID,
      amount: 10n * DOLLAR,
      state: 'succeeded',
      fee: null,
      claimUrl: null,
    });
    expect(await refundsOf(asked)).toEqual([refund]);
    expect(await bench.provider.readRefund({ ...asked, refundRef: null })).toEqual(refund);
    expect(await bench.provider.readRefund({ ...asked, refundRef: refund.refundRef })).toEqual(refund);
    const posts = bench.sandbox.requests.filter(({ method, path }) => method === 'POST' && path === '/v1/refunds');
    expect(posts.map(({ idempotencyKey }) => idempotencyKey)).toEqual([SID]);
  });

  it('the same refund twice, and five times at once, is one', async () => {
    const asked = await paid();
    const all = await patiently(Promise.all(Array.from({ length: 5 }, () => bench.provider.refund(asked))));
    expect(new Set([...all, await bench.another().refund(asked)].map(({ refundRef }) => refundRef)).size).toBe(1);
    expect(bench.sandbox.state.refunds.size).toBe(1);
  });

  it.each([
    'error-after-effect',
    'error-stored',
    'timeout-after-effect',
    'reset-after-effect',
    'html',
    'truncated',
    'other-object',
  ] as const)('C06 I01 %s: the outcome is unknown, and the next question finds the one refund', async (kind) => {
    const asked = await paid();
    bench.sandbox.turn({ faults: [{ kind, method: 'POST', path: '/v1/refunds' }] });
    await expect(patiently(bench.provider.refund(asked))).rejects.toMatchObject({
      name: 'ProviderFailure',
      outcome: 'unknown',
    });
    bench.sandbox.turn({ faults: [] });
    expect(await bench.provider.readRefund({ ...asked, refundRef: null })).toMatchObject({
      refundSid: SID,
      state: 'succeeded',
    });
    await bench.provider.refund(asked);
    expect(bench.sandbox.state.refunds.size).toBe(1);
  });

  it('C06 a call that never reached Stripe is made by the next one', async () => {
    const asked = await paid();
    bench.sandbox.turn({ faults: [{ kind: 'timeout-before-effect', method: 'POST', path: '/v1/refunds', times: 1 }] });
    await expect(patiently(bench.provider.refund(asked))).rejects.toMatchObject({
      kind: 'timeout',
      outcome: 'unknown',
    });
    expect(await bench.provider.readRefund({ ...asked, refundRef: null })).toBeNull();
    expect(await bench.provider.refund(asked)).toMatchObject({ state: 'succeeded' });
  });

  it('I02 429 is no refund, and says so', async () => {
    const asked = await paid();
    bench.sandbox.turn({
      faults: [{ kind: 'rate-limit', method: 'POST', path: '/v1/refunds', retryAfterSeconds: 3600 }],
    });
    await expect(patiently(bench.provider.refund(asked))).rejects.toMatchObject({
      kind: 'rate_limited',
      outcome: 'none',
    });
    expect(bench.sandbox.state.refunds.size).toBe(0);
  });

  it('C06 a key that has ended says nothing of what was done before it ended', async () => {
    const asked = await paid();
    await bench.provider.refund(asked);
    const late = bench.another({ secretKey: `sk_test_${'x'.repeat(24)}` });
    await expect(late.refund(asked)).rejects.toMatchObject({ name: 'ProviderFailure', outcome: 'unknown' });
  });

  it.each([
    ['more than is left', { amount: micros(26n * DOLLAR) }],
    ['another payment', { paymentRef: 'pi_unknown' }],
  ])('%s is a definite no', async (_, changes) => {
    const asked = { ...(await paid()), ...changes };
    await expect(bench.provider.refund(asked)).rejects.toMatchObject({ kind: 'refused', outcome: 'none' });
    expect(bench.sandbox.state.refunds.size).toBe(0);
  });

  it('C05 pending for want of money at Stripe, then gone, then back', async () => {
    const asked = await paid();
    bench.sandbox.turn({ balanceCents: 500 });
    const { refundRef, state, detail } = await bench.provider.refund(asked);
    expect([state, detail]).toEqual(['pending', 'Stripe waits until our balance there is large enough.']);
    bench.sandbox.endRefund(refundRef, { status: 'succeeded' });
    expect(await refundsOf(asked)).toMatchObject([{ state: 'succeeded', detail: null }]);
    bench.sandbox.endRefund(refundRef, { status: 'failed', failureReason: 'expired_or_canceled_card' });
    expect(await refundsOf(asked)).toMatchObject([
      { state: 'failed', detail: 'Stripe says: expired or canceled card.' },
    ]);
  });
});

describe('refunds that others make at Stripe', () => {
  it('are part of the order’s truth, oldest first, across pages, without a sid of ours', async () => {
    const asked = await paid();
    for (let cents = 1; cents <= 60; cents += 1) bench.sandbox.refund({ about: asked.paymentRef, amountCents: 1 });
    const own = await bench.provider.refund({ ...asked, amount: micros(DOLLAR) });
    for (let cents = 1; cents <= 60; cents += 1) bench.sandbox.refund({ about: asked.paymentRef, amountCents: 2 });
    const refunds = (await refundsOf(asked)) ?? [];
    expect(refunds).toHaveLength(121);
    expect([refunds[0]?.amount, refunds[60]?.refundRef, refunds[120]?.amount]).toEqual([
      10_000n,
      own.refundRef,
      20_000n,
    ]);
    expect(refunds.filter(({ refundSid }) => refundSid !== null)).toEqual([own]);
  });

  it('of a charge with tax, only what was credited goes back: all of it for all, a part rounded down', async () => {
    const asked = await paid(333);
    bench.sandbox.refund({ about: asked.paymentRef, amountCents: 1_000 });
    expect((await refundsOf(asked))?.map(({ amount }) => amount)).toEqual([8_820_000n]);
    bench.sandbox.endRefund([...bench.sandbox.state.refunds.keys()][0] ?? '', { status: 'canceled' });
    bench.sandbox.refund({ about: asked.paymentRef });
    expect((await refundsOf(asked))?.map(({ amount, state }) => [amount, state])).toEqual([
      [8_820_000n, 'failed'],
      [25n * DOLLAR, 'succeeded'],
    ]);
  });

  it('every event of a refund leads to its payment', async () => {
    const asked = await paid();
    const before = bench.delivered.length;
    bench.sandbox.turn({ refundsAs: 'later-fails' });
    bench.sandbox.refund({ about: asked.orderRef });
    await bench.pass(10);
    await bench.sandbox.deliveries.settled();
    const events = bench.delivered.slice(before).map((delivery) => bench.provider.verifyWebhook(delivery));
    const types = ['refund.created', 'charge.refunded', 'refund.updated', 'refund.failed', 'charge.refund.updated'];
    expect(events.map((event) => ('eventType' in event ? event.eventType : event.code))).toEqual(types);
    for (const event of events) expect(event).toMatchObject({ paymentRef: asked.paymentRef });
  });
});

describe('the simulator', () => {
  it('counts on the charge what went back, and gives back no more than there is', async () => {
    const asked = await paid();
    bench.sandbox.refund({ about: asked.paymentRef, amountCents: 1_000 });
    const charge = bench.sandbox.journal().charges[0];
    expect(charge).toMatchObject({ amount_refunded: 1_000, refunded: false });
    bench.sandbox.refund({ about: asked.paymentRef });
    expect(bench.sandbox.journal().charges[0]).toMatchObject({ amount_refunded: 2_500, refunded: true });
    expect(() => bench.sandbox.refund({ about: asked.paymentRef })).toThrow(/already been refunded/);
  });
});
