import { afterEach, describe, expect, it } from 'vitest';
import { pollPayments } from '../../src/operations/payment/poll.ts';
import { reconcilePayments } from '../../src/operations/payment/reconcile.ts';
import { paymentStory, type PaymentStory } from '../support/payment-story.ts';

const stories: PaymentStory[] = [];
async function story(options: Parameters<typeof paymentStory>[0] = {}): Promise<PaymentStory> {
  const made = await paymentStory(options);
  stories.push(made);
  return made;
}
afterEach(async () => {
  for (const made of stories.splice(0)) await made.close();
});

const DONE = 'checkout.session.completed';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('B04 news that is early', () => {
  it('a webhook that arrives while our creation call still waits is applied by our own sid, and the caller sees it', async () => {
    const told = await story();
    const reached = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    let isFirst = true;
    told.ports.crash.on(async (label) => {
      // The order exists at the bank; its answer is on the way to us.
      if (label !== 'provider:after:createOrder' || !isFirst) return;
      isFirst = false;
      reached.resolve();
      await release.promise;
    });
    const creating = told.topUp('25.00', 'slow');
    await reached.promise;
    const [order] = [...told.bank.orders.values()];
    if (!order) throw new Error('the order exists');
    told.bank.pay(order.paymentSid ?? '');
    const other = told.anotherProcess();
    await told.deliver(told.bank.webhook(DONE, order), other.house);
    await told.drain(other.house);
    expect(await told.cents()).toBe(2500n);
    release.resolve();
    const reply = await creating;
    expect(reply.status).toBe(201);
    expect(JSON.parse(reply.body)).toMatchObject({ state: 'credited', credited: '25.00', checkout_url: null });
    expect(await told.cents()).toBe(2500n);
    expect(await told.events()).toHaveLength(1);
  });

  it('an event whose payment appears a moment later waits for it and is applied within five seconds', async () => {
    const told = await story();
    const sid = told.ports.ids.sid();
    const order = told.bank.add({ paymentSid: null, state: 'paid', paymentRef: 'pi_early' });
    await told.deliver(told.bank.webhook(DONE, order, { payment_sid: sid }));
    await told.drain();
    expect(await told.inbox()).toMatchObject([{ state: 'pending', reason: 'unknown_order' }]);
    // The other process's intent is committed now, under another sid: the order number is what they share.
    told.bank.orders.delete(order.orderRef);
    const payment = await told.opened();
    const real = told.bank.orderOf(payment.sid);
    told.bank.orders.delete(real.orderRef);
    await told.database.owner.transaction('test.rename', (tx) =>
      tx.query({ name: 'test.rename', text: 'update payment set provider_order_ref = $1 where sid = $2' }, [
        order.orderRef,
        payment.sid,
      ]),
    );
    told.bank.orders.set(order.orderRef, { ...real, orderRef: order.orderRef, state: 'paid', paymentRef: 'pi_early' });
    told.bank.pay(payment.sid, { amount: 25_000_000n });
    await told.ports.clock.advance(5_000);
    await told.drain();
    expect(await told.inbox()).toMatchObject([{ state: 'applied', paymentSid: payment.sid }]);
    expect(await told.cents()).toBe(2500n);
  });
});

describe('news that is late or out of order', () => {
  it('B07 expired, then paid: the money came, so it is credited', async () => {
    const told = await story();
    const payment = await told.opened();
    const order = told.bank.orderOf(payment.sid);
    Object.assign(order, { state: 'expired', checkoutUrl: null });
    await told.deliver(told.bank.webhook('checkout.session.expired', order));
    await told.drain();
    expect(await told.payment(payment.sid)).toMatchObject({ state: 'expired', nextCheckAt: null, checkoutUrl: null });
    told.bank.pay(payment.sid);
    await told.deliver(told.bank.webhook(DONE, order));
    await told.drain();
    expect(await told.payment(payment.sid)).toMatchObject({ state: 'credited', problem: null });
    expect(await told.cents()).toBe(2500n);
  });

  it('B07 failed and expired after paid change nothing', async () => {
    const told = await story();
    const payment = await told.paid();
    const order = told.bank.orderOf(payment.sid);
    await told.deliver(told.bank.webhook(DONE, order));
    await told.drain();
    for (const state of ['failed', 'expired', 'open', 'processing'] as const) {
      Object.assign(order, { state });
      await told.deliver(told.bank.webhook('checkout.session.expired', order));
      await told.drain();
    }
    expect(await told.payment(payment.sid)).toMatchObject({ state: 'credited' });
    expect((await told.inbox()).map((row) => row.state)).toEqual(Array.from({ length: 5 }, () => 'applied'));
    expect(await told.cents()).toBe(2500n);
  });

  it('a delayed method is processing with the time of the payment, then credited with the time of the credit', async () => {
    const told = await story();
    const payment = await told.opened();
    const order = told.bank.orderOf(payment.sid);
    Object.assign(order, { state: 'processing', checkoutUrl: null });
    await told.deliver(told.bank.webhook(DONE, order));
    await told.drain();
    const paidAt = told.ports.clock.now();
    expect(await told.payment(payment.sid)).toMatchObject({ state: 'processing', paidAt, creditedAt: null });
    await told.ports.clock.advance(48 * HOUR);
    told.bank.pay(payment.sid);
    await told.deliver(told.bank.webhook('checkout.session.async_payment_succeeded', order));
    await told.drain();
    const creditedAt = told.ports.clock.now();
    expect(await told.payment(payment.sid)).toMatchObject({ state: 'credited', paidAt, creditedAt });
  });

  it('B08 the first event of three payments, repeated days later and backwards, leaves the balance at the bank’s truth', async () => {
    const told = await story();
    const webhooks = [];
    for (const amount of ['10.00', '20.00', '30.00']) {
      const payment = await told.paid(amount);
      webhooks.push(told.bank.webhook(DONE, told.bank.orderOf(payment.sid)));
    }
    const [, second] = webhooks;
    if (second) await told.deliver(second);
    await told.drain();
    expect(await told.cents()).toBe(2000n);
    await told.ports.clock.advance(72 * HOUR);
    for (const webhook of webhooks.toReversed()) await told.deliver(webhook);
    await told.drain();
    expect(await told.cents()).toBe(6000n);
    for (const webhook of webhooks) await told.deliver(webhook);
    await told.drain();
    expect(await told.cents()).toBe(6000n);
  });
});

describe('news that never comes', () => {
  it('B09 with every webhook lost, the poller credits within fifteen minutes, once', async () => {
    const told = await story();
    const payment = await told.opened();
    await told.ports.clock.advance(3 * MINUTE);
    await pollPayments(told.house);
    told.bank.pay(payment.sid);
    const startedMs = told.ports.clock.monotonicMs();
    while ((await told.cents()) === 0n && told.ports.clock.monotonicMs() - startedMs < HOUR) {
      await told.ports.clock.advance(15_000);
      await pollPayments(told.house);
    }
    expect(told.ports.clock.monotonicMs() - startedMs).toBeLessThanOrEqual(15 * MINUTE);
    expect(await told.cents()).toBe(2500n);
    await told.ports.clock.advance(24 * HOUR);
    expect(await pollPayments(told.house)).toBe(0);
    expect(await told.cents()).toBe(2500n);
  });

  it('B09 with webhooks lost and the poller stopped, reconciliation walks all pages and credits each once', async () => {
    const told = await story({ settings: { openPaymentsMax: 100 } });
    for (let index = 0; index < 7; index += 1) {
      const payment = await told.opened('10.00');
      if (index % 2 === 0) told.bank.pay(payment.sid);
    }
    told.bank.add({ state: 'paid', paymentSid: null, paymentRef: 'pi_foreign', createdAt: told.ports.clock.now() });
    expect(await reconcilePayments(told.house)).toBe(4);
    expect(await told.cents()).toBe(4000n);
    expect(await reconcilePayments(told.house)).toBe(0);
    expect(await told.events()).toHaveLength(4);
  });

  it('B09 an outage of ours of four days is looked back over, and three days more', async () => {
    const told = await story();
    await reconcilePayments(told.house);
    const payment = await told.opened();
    await told.ports.clock.advance(4 * 24 * HOUR);
    told.bank.pay(payment.sid);
    expect(await reconcilePayments(told.house)).toBe(1);
    expect(await told.cents()).toBe(2500n);
  });

  it('B09 a provider that fails in the middle of the list is looked at again from the same place', async () => {
    const told = await story();
    const payment = await told.paid();
    told.bank.fault = 'broken';
    expect(await reconcilePayments(told.house)).toBe(0);
    expect(told.ports.log.lines.at(-1)).toMatchObject({ level: 'warn', message: 'a provider could not be reconciled' });
    told.bank.fault = 'none';
    await told.ports.clock.advance(24 * HOUR);
    expect(await reconcilePayments(told.house)).toBe(1);
    expect((await told.payment(payment.sid)).state).toBe('credited');
  });

  it('an order that is never paid is closed by the poller just after its end, and never asked about again', async () => {
    const told = await story();
    const payment = await told.opened();
    const order = told.bank.orderOf(payment.sid);
    let questions = 0;
    for (let minute = 0; minute < 150; minute += 1) {
      await told.ports.clock.advance(MINUTE);
      if (told.ports.clock.now() >= (order.expiresAt ?? new Date(0))) order.state = 'expired';
      questions += await pollPayments(told.house);
    }
    expect(await told.payment(payment.sid)).toMatchObject({ state: 'expired', nextCheckAt: null });
    const closedAfterMs = (await told.payment(payment.sid)).updatedAt.getTime() - (order.expiresAt?.getTime() ?? 0);
    expect(closedAfterMs).toBeLessThanOrEqual(2 * MINUTE);
    expect(questions).toBeLessThanOrEqual(12);
  });

  it('two pollers at once ask about each due payment once', async () => {
    const told = await story({ settings: { openPaymentsMax: 100 } });
    for (let index = 0; index < 30; index += 1) await told.opened('10.00');
    await told.ports.clock.advance(MINUTE);
    const other = told.anotherProcess();
    const asked = await Promise.all([pollPayments(told.house), pollPayments(other.house)]);
    expect(asked[0] + asked[1]).toBe(30);
  });
});
