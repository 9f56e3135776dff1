import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { micros } from '../../src/domain/money.ts';
import { ProviderFailure, type PaymentProvider } from '../../src/providers/provider.ts';
import { toSessionParams, toStripeCents } from '../../src/providers/stripe/map.ts';
import { newOrder } from '../contract/payment-provider.ts';
import { openStripeBench, type StripeBench } from './stripe-bench.ts';

let bench: StripeBench;
beforeEach(async () => {
  bench = await openStripeBench();
});
afterEach(() => bench.close());

const NOW = new Date('2026-03-01T12:00:00.000Z');

describe('what we ask Stripe for', () => {
  it('an order is one item in usd, with both references on the session and on the payment intent', () => {
    const order = newOrder(NOW, { amount: micros(12_340_000n) });
    const metadata = { payment_sid: order.paymentSid, user_sid: order.userSid };
    expect(toSessionParams(order)).toEqual({
      mode: 'payment',
      line_items: [
        { quantity: 1, price_data: { currency: 'usd', unit_amount: 1234, product_data: { name: 'Top-up' } } },
      ],
      adaptive_pricing: { enabled: false },
      client_reference_id: order.paymentSid,
      metadata,
      payment_intent_data: { metadata },
      success_url: order.successUrl,
      cancel_url: order.cancelUrl,
      expires_at: Math.floor(order.expiresAt.getTime() / 1000),
    });
  });

  it.each([
    [10_000n, 1],
    [500_000n, 50],
    [25_000_000n, 2_500],
    [190_000n, 19],
    [1_150_000n, 115],
    [999_999_990_000n, 99_999_999],
  ])('%s micro-dollars are exactly %s cents', (amount, cents) => {
    expect(toStripeCents(micros(amount))).toBe(cents);
  });

  it.each([1n, 10_001n, 0n, -10_000n, 1_000_000_000_000n])('%s micro-dollars are never sent', (amount) => {
    expect(() => toStripeCents(micros(amount))).toThrow(/Stripe/);
  });

  it('the idempotency key is the payment, on every attempt', async () => {
    bench.sandbox.turn({ faults: [{ kind: 'error-after-effect', method: 'POST', times: 1 }] });
    const creating = bench.provider.createOrder(newOrder(bench.now()));
    await passBackOff();
    await creating;
    await bench.provider.createOrder(newOrder(bench.now(), { expiresAt: new Date(NOW.getTime() + 3_600_000) }));
    const keys = bench.sandbox.requests.filter((it) => it.method === 'POST').map((it) => it.idempotencyKey);
    expect(keys).toEqual(Array.from({ length: 3 }, () => newOrder(NOW).paymentSid));
    expect(bench.sandbox.state.sessions.size).toBe(1);
  });

  it('the same payment with another amount is refused, and the outcome of the first call stays unknown', async () => {
    await bench.provider.createOrder(newOrder(NOW));
    const other = bench.provider.createOrder(newOrder(NOW, { amount: micros(30_000_000n) }));
    await expect(other).rejects.toMatchObject({ name: 'ProviderFailure', kind: 'refused', outcome: 'unknown' });
  });

  it('an amount under the minimum is refused by Stripe without an effect', async () => {
    const small = bench.provider.createOrder(newOrder(NOW, { amount: micros(490_000n) }));
    await expect(small).rejects.toMatchObject({ kind: 'refused', outcome: 'none' });
  });

  it('the process can die before and after each call', async () => {
    const { orderRef } = await bench.provider.createOrder(newOrder(NOW));
    await bench.provider.readOrder(orderRef);
    await bench.provider.listOrders(NOW, null);
    expect(bench.ports.crash.reached).toEqual(
      ['read-account', 'create-session', 'read-session', 'list-sessions'].flatMap((name) => [
        `stripe:before:${name}`,
        `stripe:after:${name}`,
      ]),
    );
  });

  it('a crash after the order was made is not hidden, and the next attempt finds the order', async () => {
    await bench.provider.account();
    bench.ports.crash.dieAfter(1);
    await expect(bench.provider.createOrder(newOrder(NOW))).rejects.toMatchObject({ name: 'Crash' });
    bench.ports.crash.dieAfter(null);
    await bench.provider.createOrder(newOrder(NOW));
    expect(bench.sandbox.state.sessions.size).toBe(1);
  });
});

describe('what Stripe says of an order', () => {
  const paid = async (): Promise<Awaited<ReturnType<PaymentProvider['readOrder']>>> => {
    const { orderRef } = await bench.provider.createOrder(newOrder(NOW));
    bench.sandbox.complete(orderRef, 'paid');
    return bench.provider.readOrder(orderRef);
  };

  it('tax is not part of what was received', async () => {
    bench.sandbox.turn({ taxCents: 190 });
    expect(await paid()).toMatchObject({ state: 'paid', payments: [{ amount: 25_000_000n }] });
  });

  it('a discount is not part of what was received', async () => {
    bench.sandbox.turn({ discountCents: 500, taxCents: 100 });
    expect(await paid()).toMatchObject({ state: 'paid', payments: [{ amount: 20_000_000n }] });
  });

  it('never more is received than the payment intent received', async () => {
    const { orderRef } = await bench.provider.createOrder(newOrder(NOW));
    bench.sandbox.complete(orderRef, 'paid');
    for (const intent of bench.sandbox.state.intents.values()) intent.amountReceived = 1_000;
    expect(await bench.provider.readOrder(orderRef)).toMatchObject({ payments: [{ amount: 10_000_000n }] });
  });

  it('I03 another amount, currency or mode than asked is told as it is', async () => {
    bench.sandbox.turn({ wrong: { amountCents: 100, currency: 'eur', livemode: true } });
    expect(await paid()).toMatchObject({
      state: 'paid',
      payments: [{ amount: 1_000_000n }],
      currency: 'EUR',
      isLive: true,
    });
  });

  it('a delayed payment is processing, and then paid', async () => {
    const { orderRef } = await bench.provider.createOrder(newOrder(NOW));
    bench.sandbox.complete(orderRef, 'later-succeeds');
    expect(await bench.provider.readOrder(orderRef)).toMatchObject({ state: 'processing', payments: [] });
    await bench.ports.clock.advance(5_000);
    expect(await bench.provider.readOrder(orderRef)).toMatchObject({
      state: 'paid',
      payments: [{ amount: 25_000_000n }],
    });
  });

  it('a declined card leaves the order open', async () => {
    const { orderRef } = await bench.provider.createOrder(newOrder(NOW));
    bench.sandbox.complete(orderRef, 'declined');
    expect(await bench.provider.readOrder(orderRef)).toMatchObject({ state: 'open', payments: [] });
  });

  it('an order past its end is expired', async () => {
    const { orderRef } = await bench.provider.createOrder(newOrder(NOW));
    await bench.pass(3_600);
    expect(await bench.provider.readOrder(orderRef)).toMatchObject({ state: 'expired', checkoutUrl: null });
  });

  it('orders of other programs on the same account are passed over', async () => {
    const { orderRef } = await bench.provider.createOrder(newOrder(NOW));
    const { state } = bench.sandbox;
    const ours = state.sessions.get(orderRef);
    if (ours === undefined) throw new Error('the order is gone');
    state.sessions.set('cs_test_theirs', { ...ours, id: 'cs_test_theirs', metadata: {} });
    const { orders } = await bench.provider.listOrders(new Date(0), null);
    expect(orders.map((it) => it.orderRef)).toEqual([orderRef]);
  });
});

describe('the account', () => {
  it('is asked once', async () => {
    await bench.provider.account();
    await bench.provider.account();
    expect(bench.sandbox.requests.length).toBe(1);
  });

  it('that is not the configured one is refused, every time', async () => {
    const provider = bench.another({ accountId: 'acct_configured' });
    await expect(provider.account()).rejects.toBeInstanceOf(ProviderFailure);
    await expect(provider.createOrder(newOrder(NOW))).rejects.toMatchObject({ kind: 'refused', outcome: 'none' });
    expect(bench.sandbox.state.sessions.size).toBe(0);
  });

  it('is live exactly when the key is', async () => {
    expect(await bench.provider.account()).toEqual({ id: bench.sandbox.state.accountId, isLive: false });
    const live = await openStripeBench('sk_live_4eC39HqLyjWDarjtT1zdp7dc');
    expect(await live.provider.account()).toMatchObject({ isLive: true });
    await live.close();
  });

  it('a wrong key is refused without an effect, and the message does not quote it', async () => {
    const provider = bench.another({ secretKey: 'sk_test_wrong_key_0000000000' });
    const failure: unknown = await provider.account().catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: 'ProviderFailure', kind: 'refused', outcome: 'none' });
    expect((failure as Error).message).not.toContain('sk_test');
  });
});

/** Lets the client fall asleep between two attempts, and wakes it, until nobody sleeps for a retry any more. */
async function passBackOff(): Promise<void> {
  while (bench.ports.clock.sleeping < 2) await bench.ports.clock.advance(0);
  await bench.ports.clock.advance(3_000);
}
