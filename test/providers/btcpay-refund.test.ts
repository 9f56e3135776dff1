import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PullPayment } from '../../sandbox/btcpay/books.ts';
import { micros } from '../../src/domain/money.ts';
import type { NewRefund, ProviderRefund } from '../../src/providers/provider.ts';
import { newOrder } from '../contract/payment-provider.ts';
import { API_KEY, openInProcessBench, type BtcpayBench } from './btcpay-bench.ts';

let bench: BtcpayBench;
let asked: NewRefund;
beforeEach(async () => {
  bench = await openInProcessBench();
  const { orderRef } = await bench.provider.createOrder(newOrder(bench.now()));
  await bench.act(orderRef, 'paid');
  asked = {
    refundSid: '01ARZ3NDEKTSV4RRFFQ69G5REF',
    paymentSid: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
    orderRef,
    paymentRef: `BTC-CHAIN:${bench.payment(orderRef).id}`,
    amount: micros(10_000_000n),
    currency: 'USD',
    destination: null,
  };
});
afterEach(() => bench.close());

const pullPayment = (): PullPayment => {
  const [one, ...others] = bench.sandbox.books.pullPayments.values();
  if (one === undefined || others.length > 0) throw new Error('there is one pull payment');
  return one;
};
const claim = (amount?: number) => {
  const payout = bench.sandbox.claim(pullPayment(), {
    destination: 'bcrt1qme',
    ...(amount === undefined ? {} : { amount }),
  });
  if (typeof payout === 'string') throw new Error(payout);
  return payout;
};
const read = async (refundRef: string | null = pullPayment().id): Promise<ProviderRefund> => {
  const refund = await bench.provider.readRefund({ ...asked, refundRef });
  if (refund === null) throw new Error('the refund is known');
  return refund;
};
const inOrder = async () => (await bench.provider.readOrder(asked.orderRef))?.payments[0]?.refunds;

describe('a refund is claimed by the customer', () => {
  it('waits with an address to claim it at, and names what it is of', async () => {
    const refund = await bench.provider.refund(asked);
    expect(refund).toEqual({
      refundRef: pullPayment().id,
      refundSid: asked.refundSid,
      amount: asked.amount,
      state: 'pending',
      fee: null,
      claimUrl: `${bench.sandbox.publicUrl}/pull-payments/${pullPayment().id}`,
      detail: 'waits for the customer to claim it',
    });
    expect(pullPayment()).toMatchObject({ currency: 'USD', amount: 1_000, approvesClaims: true });
  });

  it('is pending until the coins have left, and then it has succeeded', async () => {
    await bench.provider.refund(asked);
    const payout = claim();
    expect(await read()).toMatchObject({ state: 'pending', amount: asked.amount });
    bench.sandbox.refunds.move(payout, 'InProgress');
    expect((await read()).state).toBe('pending');
    bench.sandbox.refunds.move(payout, 'Completed');
    expect(await read()).toMatchObject({ state: 'succeeded', amount: asked.amount, claimUrl: null });
  });

  it('a payout that is cancelled can be claimed again', async () => {
    await bench.provider.refund(asked);
    bench.sandbox.refunds.move(claim(), 'Cancelled');
    expect((await read()).state).toBe('pending');
    bench.sandbox.refunds.move(claim(), 'Completed');
    expect((await read()).state).toBe('succeeded');
  });

  it('the same refund twice, and by two processes at once, is one', async () => {
    const all = await Promise.all([bench.provider, bench.another(), bench.another()].map((one) => one.refund(asked)));
    expect(new Set(all.map(({ refundRef }) => refundRef)).size).toBe(1);
    expect(await bench.provider.refund(asked)).toEqual(all[0]);
    const open = [...bench.sandbox.books.pullPayments.values()].filter(({ archived }) => !archived);
    expect(open).toHaveLength(1);
  });

  it('C06 a key that has ended says nothing of what was done before it ended', async () => {
    await bench.provider.refund(asked);
    const late = bench.another({ apiKey: `${API_KEY}x` });
    await expect(late.refund(asked)).rejects.toMatchObject({ name: 'ProviderFailure', outcome: 'unknown' });
  });

  it('C06 a twin that nobody lived to take back is no refund of its own, and can be claimed no more', async () => {
    const { refundRef } = await bench.provider.refund(asked);
    const twin = bench.sandbox.refunds.create({ ...pullPayment(), startsAt: null });
    expect(await inOrder()).toMatchObject([{ refundRef, state: 'pending' }]);
    expect(await bench.provider.refund(asked)).toMatchObject({ refundRef, state: 'pending' });
    expect(twin.archived).toBe(true);
    expect(await inOrder()).toMatchObject([{ refundRef, state: 'pending' }]);
  });

  it('is found by our sid when its reference was lost, and unknown when it never was made', async () => {
    expect(await bench.provider.readRefund({ ...asked, refundRef: null })).toBeNull();
    expect(await bench.provider.readRefund({ ...asked, refundRef: 'Unknown1111111111111111111' })).toBeNull();
    expect(await bench.provider.readRefund({ ...asked, refundRef: '../x' })).toBeNull();
    const made = await bench.provider.refund(asked);
    expect(await read(null)).toEqual(made);
  });

  it('nobody claims it for thirty days: it has failed, and can no longer be claimed', async () => {
    await bench.provider.refund(asked);
    await bench.pass(30 * 86_400 - 1);
    expect((await read()).state).toBe('pending');
    await bench.pass(1);
    expect(await read()).toMatchObject({ state: 'failed', amount: asked.amount });
    expect(pullPayment().archived).toBe(true);
  });

  it('a claim of the last second is paid, however late we look', async () => {
    await bench.provider.refund(asked);
    await bench.pass(30 * 86_400 - 1);
    const payout = claim();
    await bench.pass(86_400);
    expect((await read()).state).toBe('pending');
    bench.sandbox.refunds.move(payout, 'Completed');
    expect((await read()).state).toBe('succeeded');
  });

  it('a merchant who withdraws it has made it fail', async () => {
    await bench.provider.refund(asked);
    bench.sandbox.refunds.archive(pullPayment());
    expect((await read()).state).toBe('failed');
  });

  it('of one that was claimed in part, the part has left', async () => {
    await bench.provider.refund(asked);
    bench.sandbox.refunds.move(claim(400), 'Completed');
    expect(await read()).toMatchObject({ state: 'pending', amount: asked.amount });
    bench.sandbox.refunds.archive(pullPayment());
    expect(await read()).toMatchObject({ state: 'succeeded', amount: 4_000_000n });
  });
});

describe('the truth of an order has its refunds', () => {
  it('ours under the payment they are of, in every state', async () => {
    const made = await bench.provider.refund(asked);
    expect(await inOrder()).toEqual([made]);
    bench.sandbox.refunds.move(claim(), 'Completed');
    expect(await inOrder()).toMatchObject([{ refundSid: asked.refundSid, state: 'succeeded' }]);
    const { movements } = await bench.provider.listMovements(new Date(0), null);
    expect(movements).toMatchObject([
      { kind: 'payment', amount: 25_000_000n },
      { kind: 'refund', amount: -10_000_000n, refundRef: made.refundRef },
    ]);
  });

  it.each([
    ['in dollars', { refundVariant: 'Fiat' }, 25_000_000n],
    ['in coins, at the rate they came at', { refundVariant: 'RateThen' }, 25_000_000n],
    ['of another amount', { refundVariant: 'Custom', customAmount: '7.50', customCurrency: 'USD' }, 7_500_000n],
  ])('those that the merchant makes on its own page, %s', async (_, body, amount) => {
    const answer = bench.sandbox.api.handle({
      method: 'POST',
      path: `/api/v1/invoices/${asked.orderRef}/refund`,
      query: '',
      headers: { authorization: `token ${API_KEY}` },
      body: JSON.stringify(body),
    });
    expect(answer.status).toBe(200);
    expect(await inOrder()).toMatchObject([{ refundRef: pullPayment().id, refundSid: null, amount, state: 'pending' }]);
    const payout = claim();
    bench.sandbox.refunds.approve(payout);
    bench.sandbox.refunds.move(payout, 'Completed');
    expect(await inOrder()).toMatchObject([{ refundSid: null, amount, state: 'succeeded' }]);
    const { movements } = await bench.provider.listMovements(new Date(0), null);
    expect(movements.at(-1)).toMatchObject({ kind: 'refund', amount: -amount, currency: 'USD' });
  });

  it('a pull payment that is no refund is none of ours', async () => {
    const other = {
      description: '',
      currency: 'USD',
      amount: 5_000,
      approvesClaims: true,
      startsAt: null,
      expiresAt: null,
    } as const;
    const made = bench.sandbox.refunds.create({ ...other, name: 'Salary', invoiceId: null });
    bench.sandbox.refunds.create({ ...other, name: 'Refund AnotherInvoice1111', invoiceId: null });
    expect(await inOrder()).toEqual([]);
    const payout = bench.sandbox.claim(made, { destination: 'bcrt1qme' });
    if (typeof payout !== 'string') bench.sandbox.refunds.move(payout, 'Completed');
    expect((await bench.provider.listMovements(new Date(0), null)).movements).toHaveLength(1);
  });
});
