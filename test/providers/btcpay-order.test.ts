import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { satsFor } from '../../sandbox/btcpay/coin.ts';
import { micros } from '../../src/domain/money.ts';
import { ProviderFailure, type ProviderOrder } from '../../src/providers/provider.ts';
import { newOrder } from '../contract/payment-provider.ts';
import { openInProcessBench, STORE_ID, type BtcpayBench } from './btcpay-bench.ts';

let bench: BtcpayBench;
beforeEach(async () => {
  bench = await openInProcessBench();
});
afterEach(() => bench.close());

const SID = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
const create = () => bench.provider.createOrder(newOrder(bench.now()));
const read = async (orderRef: string): Promise<ProviderOrder> => {
  const order = await bench.provider.readOrder(orderRef);
  if (order === null) throw new Error('the order is known');
  return order;
};
/** Pays in dollars at the invoice's rate; confirmed unless said otherwise. */
const pay = (
  orderRef: string,
  usd: number,
  how: { confirms?: boolean; method?: 'BTC-CHAIN' | 'BTC-LN'; id?: string } = {},
) => {
  const invoice = bench.invoice(orderRef);
  const sats = satsFor(usd * 100, invoice.rateCents);
  const payment = bench.sandbox.pay(invoice, { sats, method: how.method, id: how.id });
  if (payment === null) throw new Error('nobody watches the invoice');
  if (how.confirms !== false) bench.sandbox.invoices.confirm(payment);
  return payment;
};
const amounts = (order: ProviderOrder): (bigint | null)[] => order.payments.map(({ amount }) => amount);
const sum = (order: ProviderOrder): bigint => order.payments.reduce((total, { amount }) => total + (amount ?? 0n), 0n);

describe('C09 what really came is what the order received', () => {
  it('C09 the exact amount is exactly the amount of the order', async () => {
    const { orderRef } = await create();
    pay(orderRef, 25);
    expect(await read(orderRef)).toMatchObject({ state: 'paid', checkoutUrl: null });
    expect(amounts(await read(orderRef))).toEqual([25_000_000n]);
  });

  it('C09 too little is credited as it is, at once, and the rest when it comes', async () => {
    const { orderRef } = await create();
    pay(orderRef, 10);
    const part = await read(orderRef);
    expect(part.state).toBe('paid');
    expect(amounts(part)).toEqual([10_000_113n]);
    await bench.pass(1);
    pay(orderRef, 15);
    const whole = await read(orderRef);
    expect(whole.payments[0]).toEqual(part.payments[0]);
    expect(whole.payments).toHaveLength(2);
    expect(sum(whole)).toBeGreaterThanOrEqual(25_000_000n);
  });

  it('C09 a part that waits for blocks leaves the page open for the rest, and says so', async () => {
    const { orderRef, checkoutUrl } = await create();
    pay(orderRef, 10, { confirms: false });
    expect(await read(orderRef)).toMatchObject({ state: 'processing', payments: [], checkoutUrl });
    expect((await read(orderRef)).progress).toMatch(/part/);
  });

  it('C09 too much is credited as it is', async () => {
    const { orderRef } = await create();
    pay(orderRef, 60);
    expect(amounts(await read(orderRef))).toEqual([60_000_035n]);
  });

  it('C09 two transfers to one address are two payments with references of their own', async () => {
    const { orderRef } = await create();
    const first = pay(orderRef, 25);
    const second = pay(orderRef, 25);
    const order = await read(orderRef);
    expect(order.payments.map(({ paymentRef }) => paymentRef).toSorted()).toEqual(
      [first, second].map(({ id }) => `BTC-CHAIN:${id}`).toSorted(),
    );
    expect(amounts(order)).toEqual([25_000_000n, 25_000_000n]);
  });

  it('C09 a payment after the end counts at the rate of the invoice while that still holds', async () => {
    const { orderRef } = await create();
    await bench.pass(3_600 + 59 * 60);
    expect((await read(orderRef)).state).toBe('expired');
    pay(orderRef, 25);
    const late = await read(orderRef);
    expect(bench.invoice(orderRef)).toMatchObject({ status: 'Expired', additional: 'PaidLate' });
    expect(late.state).toBe('paid');
    expect(amounts(late)).toEqual([25_000_000n]);
  });

  it('C09 a payment long after the end has no amount: what it is worth is for an operator to say', async () => {
    const { orderRef } = await create();
    await bench.pass(3_600 + 61 * 60);
    pay(orderRef, 25);
    const late = await read(orderRef);
    expect(late.state).toBe('paid');
    expect(amounts(late)).toEqual([null]);
  });

  it('C09 what comes much too late does not hold up what came in time', async () => {
    const { orderRef } = await create();
    const first = pay(orderRef, 25);
    await bench.pass(3_600 + 61 * 60);
    pay(orderRef, 25);
    const order = await read(orderRef);
    expect(order.payments.map(({ paymentRef }) => paymentRef)).toEqual([`BTC-CHAIN:${first.id}`]);
    const { movements } = await bench.provider.listMovements(new Date(0), null);
    expect(movements.map(({ amount }) => amount)).toEqual([25_000_000n, 25_000_000n]);
  });

  it('C09 dust is not credited by itself, and stands in the statement', async () => {
    const { orderRef } = await create();
    const payment = bench.sandbox.pay(bench.invoice(orderRef), { sats: 15 });
    if (payment) bench.sandbox.invoices.confirm(payment);
    expect(await read(orderRef)).toMatchObject({ state: 'open', payments: [] });
    const { movements } = await bench.provider.listMovements(new Date(0), null);
    expect(movements).toMatchObject([
      { kind: 'payment', amount: 9_658n, detail: expect.stringMatching(/^payment \w{26} of user \w{26}$/) },
    ]);
  });

  it('C09 an invoice in another currency is told as it is', async () => {
    const { orderRef } = await create();
    Object.assign(bench.invoice(orderRef), { currency: 'EUR' });
    expect((await read(orderRef)).currency).toBe('EUR');
  });

  it('a network fee on top is the merchant’s, not the customer’s', async () => {
    bench.sandbox.turn({ networkFeeSats: 500 });
    const { orderRef } = await create();
    const payment = bench.sandbox.pay(bench.invoice(orderRef));
    if (payment) bench.sandbox.invoices.confirm(payment);
    expect(payment?.feeSats).toBe(500);
    expect(amounts(await read(orderRef))).toEqual([25_000_000n]);
  });

  it('an invoice that the merchant sets to settled although nothing came has received nothing', async () => {
    const { orderRef } = await create();
    pay(orderRef, 10, { confirms: false });
    bench.sandbox.invoices.mark(bench.invoice(orderRef), 'Settled');
    expect(await read(orderRef)).toMatchObject({ state: 'processing', payments: [] });
    bench.sandbox.invoices.revert(bench.payment(orderRef));
    expect(await read(orderRef)).toMatchObject({ state: 'failed' });
  });
});

describe('C10 confirmations', () => {
  it.each([
    [1, 0, 'processing'],
    [1, 1, 'paid'],
    [2, 1, 'processing'],
    [2, 2, 'paid'],
    [6, 5, 'processing'],
    [6, 6, 'paid'],
  ] as const)('C10 of %i needed, %i: %s', async (confirmations, blocks, state) => {
    const provider = bench.another({ policy: { confirmations, lateMinutes: 60 } });
    const { orderRef } = await provider.createOrder(newOrder(bench.now()));
    const payment = pay(orderRef, 25, { confirms: false });
    if (blocks > 0) bench.sandbox.invoices.confirm(payment, blocks);
    const order = await read(orderRef);
    expect(order.state).toBe(state);
    expect(order.payments).toHaveLength(state === 'paid' ? 1 : 0);
  });

  it('C10 Lightning is final at once', async () => {
    const { orderRef } = await create();
    pay(orderRef, 25, { confirms: false, method: 'BTC-LN' });
    expect(amounts(await read(orderRef))).toEqual([25_000_000n]);
  });

  it('C10 what is spent elsewhere before its blocks is nothing, and the order is open again', async () => {
    const { orderRef } = await create();
    const payment = pay(orderRef, 25, { confirms: false });
    bench.sandbox.invoices.revert(payment);
    const order = await read(orderRef);
    expect(order.state).toBe('open');
    expect(sum(order)).toBe(0n);
    expect((await bench.provider.listMovements(new Date(0), null)).movements).toEqual([]);
  });

  it('C10 what finds no block in days has failed', async () => {
    const { orderRef } = await create();
    pay(orderRef, 25, { confirms: false });
    await bench.pass(4 * 86_400);
    bench.sandbox.invoices.tick();
    expect(await read(orderRef)).toMatchObject({ state: 'failed', payments: [] });
  });

  it('C10 blocks that are lost change nothing while the transaction waits for others', async () => {
    const { orderRef } = await create();
    const payment = pay(orderRef, 25);
    const before = await read(orderRef);
    bench.sandbox.invoices.reorganise(payment);
    expect((await read(orderRef)).payments).toEqual([]);
    bench.sandbox.invoices.confirm(payment);
    expect((await read(orderRef)).payments).toEqual(before.payments);
  });

  it('C10 a payment that is undone after its blocks goes back whole, under a reference made of its own', async () => {
    const { orderRef } = await create();
    const payment = pay(orderRef, 60);
    bench.sandbox.invoices.revert(payment);
    const [undone, ...others] = (await read(orderRef)).payments;
    expect(others).toEqual([]);
    expect(undone).toMatchObject({
      paymentRef: `BTC-CHAIN:${payment.id}`,
      amount: 0n,
      refunds: [
        { refundRef: `BTC-CHAIN:${payment.id}:undone`, refundSid: null, amount: 60_000_035n, state: 'succeeded' },
      ],
    });
    const { movements } = await bench.provider.listMovements(new Date(0), null);
    expect(movements).toMatchObject([
      { kind: 'payment', amount: 60_000_035n },
      { kind: 'refund', amount: -60_000_035n, refundRef: `BTC-CHAIN:${payment.id}:undone` },
    ]);
  });

  it('C10 an invoice that the merchant sets to invalid gives back all that came for it', async () => {
    const { orderRef } = await create();
    pay(orderRef, 25);
    bench.sandbox.invoices.mark(bench.invoice(orderRef), 'Invalid');
    const order = await read(orderRef);
    expect(order.state).toBe('failed');
    expect(order.payments[0]?.refunds).toMatchObject([{ amount: 25_000_000n, state: 'succeeded' }]);
  });
});

describe('C11 C12 C13 one payment, one rate', () => {
  it('C11 the same output told twice is one payment', async () => {
    const { orderRef } = await create();
    const { id } = pay(orderRef, 25);
    pay(orderRef, 25, { id });
    expect((await read(orderRef)).payments).toHaveLength(1);
  });

  it('C11 the reference of an output is the same whatever invoice it is told of', async () => {
    const first = await create();
    const second = await bench.provider.createOrder(newOrder(bench.now(), { paymentSid: SID.replace('V', 'W') }));
    const payment = pay(first.orderRef, 25);
    Object.assign(payment, { invoiceId: second.orderRef });
    expect((await read(second.orderRef)).payments[0]?.paymentRef).toBe(`BTC-CHAIN:${payment.id}`);
  });

  it('C12 a rate that moves changes nothing of what an invoice promised, or of what was read before', async () => {
    const { orderRef } = await create();
    bench.sandbox.turn({ rateCents: 3_000_000 });
    pay(orderRef, 60);
    const before = await read(orderRef);
    expect(sum(before)).toBe(60_000_035n);
    bench.sandbox.turn({ rateCents: 9_000_000 });
    pay(orderRef, 1);
    bench.sandbox.invoices.reorganise(pay(orderRef, 2));
    expect((await read(orderRef)).payments.find(({ amount }) => amount === 60_000_035n)).toEqual(before.payments[0]);
  });

  it.each(['0', '0.00', '-1', 'NaN', 'Infinity', ''])('C12 no order is made at a rate of %o', async (rate) => {
    bench.sandbox.turn({ wrong: { rate } });
    const failure = await create().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ProviderFailure);
    expect(failure).toMatchObject({ kind: 'unavailable', outcome: 'none' });
    // Nobody can pay it, and the next attempt makes another one.
    expect([...bench.sandbox.books.invoices.values()]).toMatchObject([{ status: 'Invalid', additional: 'Marked' }]);
    bench.sandbox.calm();
    expect((await create()).state).toBe('open');
  });

  it('C12 no order is made when no rate comes at all', async () => {
    bench.sandbox.turn({ isRateMissing: true });
    await expect(create()).rejects.toMatchObject({ kind: 'unavailable', outcome: 'none' });
  });

  it('C13 an invoice paid on Lightning and again on the chain is two payments', async () => {
    const { orderRef } = await create();
    pay(orderRef, 25, { method: 'BTC-LN' });
    await bench.pass(1);
    pay(orderRef, 25);
    const order = await read(orderRef);
    expect(order.payments.map(({ paymentRef }) => paymentRef.split(':')[0])).toEqual(['BTC-LN', 'BTC-CHAIN']);
    expect(sum(order)).toBe(50_000_000n);
  });
});

describe('the order that was asked for', () => {
  it('is looked for by our sid, and an order of another program with the same id is not taken for it', async () => {
    bench.sandbox.invoices.create({
      amountCents: 2_500,
      currency: 'USD',
      metadata: { orderId: SID },
      confirmations: 1,
      expirationMinutes: 60,
      monitoringMinutes: 60,
      redirectUrl: null,
      redirectsByItself: false,
    });
    const order = await create();
    expect(bench.sandbox.books.invoices.size).toBe(2);
    expect(order.paymentSid).toBe(SID);
    const { orders } = await bench.provider.listOrders(new Date(0), null);
    expect(orders.map(({ orderRef }) => orderRef)).toEqual([order.orderRef]);
  });

  it('is found when it is asked for again, by another process too, and nothing more is made', async () => {
    const { orderRef } = await create();
    expect((await create()).orderRef).toBe(orderRef);
    expect((await bench.another().createOrder(newOrder(bench.now()))).orderRef).toBe(orderRef);
    expect(bench.sandbox.books.invoices.size).toBe(1);
  });

  it('two processes that make it at once have one, and the other cannot be paid', async () => {
    const providers = Array.from({ length: 6 }, () => bench.another());
    const orders = await Promise.all(providers.map((provider) => provider.createOrder(newOrder(bench.now()))));
    expect(new Set(orders.map(({ orderRef }) => orderRef)).size).toBe(1);
    const others = [...bench.sandbox.books.invoices.values()].filter(({ id }) => id !== orders[0]?.orderRef);
    for (const other of others) expect(other).toMatchObject({ status: 'Invalid', additional: 'Marked' });
  });

  it.each([
    ['another amount', { amountCents: 99 }],
    ['another currency', { currency: 'EUR' }],
  ])('is refused with %s', async (_, wrong) => {
    bench.sandbox.turn({ wrong });
    await expect(create()).rejects.toMatchObject({ kind: 'broken', outcome: 'unknown' });
  });

  it('lasts an hour at most, whatever was asked: its rate is promised for that long', async () => {
    const expiresAt = new Date(bench.now().getTime() + 2 * 3_600_000);
    const order = await bench.provider.createOrder(newOrder(bench.now(), { expiresAt }));
    expect(order.expiresAt?.getTime()).toBe(bench.now().getTime() + 3_600_000);
  });

  it('is refused when its time has passed', async () => {
    const made = bench.provider.createOrder(newOrder(bench.now(), { expiresAt: bench.now() }));
    await expect(made).rejects.toMatchObject({ kind: 'refused', outcome: 'none' });
    expect(bench.sandbox.books.invoices.size).toBe(0);
  });

  it('A14 an address of the real chain is live, whatever mode we are in, and one of a test chain is not', async () => {
    bench.sandbox.turn({ chain: 'mainnet' });
    expect((await create()).isLive).toBe(true);
    bench.sandbox.turn({ chain: 'testnet' });
    const live = bench.another({ isLive: true });
    const order = await live.createOrder(newOrder(bench.now(), { paymentSid: SID.replace('V', 'W') }));
    expect(order.isLive).toBe(false);
    expect((await live.account()).isLive).toBe(true);
  });

  it('A15 the store is the account, and another store is refused', async () => {
    expect(await bench.provider.account()).toEqual({ id: STORE_ID, isLive: false });
    bench.sandbox.turn({ wrong: { storeId: 'AnotherStore1111111111' } });
    await bench
      .another({ storeId: 'AnotherStore1111111111' })
      .account()
      .then(
        () => expect.unreachable(),
        (failure: unknown) => expect(failure).toMatchObject({ kind: 'refused' }),
      );
  });

  it('small and large amounts of dollars go through unchanged', async () => {
    for (const [index, amount] of [5_000_000n, 12_340_000n, 2_000_000_000n].entries()) {
      const paymentSid = SID.slice(0, -1) + String(index);
      const { orderRef } = await bench.provider.createOrder(
        newOrder(bench.now(), { paymentSid, amount: micros(amount) }),
      );
      await bench.act(orderRef, 'paid');
      expect(amounts(await read(orderRef))).toEqual([amount]);
    }
  });
});
