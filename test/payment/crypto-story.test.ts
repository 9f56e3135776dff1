import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { execute } from '../../src/operations/execute.ts';
import type { House } from '../../src/operations/house.ts';
import type { Payment } from '../../src/operations/payment/payment.ts';
import { reconcilePayments } from '../../src/operations/payment/reconcile.ts';
import { ownCause } from '../../src/operations/payment/cause.ts';
import { reconcileAll } from '../../src/operations/reconciliation/reconcile-all.ts';
import { refundCreate } from '../../src/operations/refund/create.ts';
import { lookAtRefund } from '../../src/operations/refund/look.ts';
import { sendRefund } from '../../src/operations/refund/send.ts';
import { readRefund } from '../../src/store/refund.ts';
import { cryptoStory, STORE_ID, type CryptoStory } from '../support/crypto-story.ts';
import { OPERATOR, type PaymentStory } from '../support/payment-story.ts';

const ends: (() => Promise<void>)[] = [];
let shared: CryptoStory;
beforeAll(async () => {
  shared = await cryptoStory((end) => ends.push(end));
});
afterAll(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** The shared story with everything calm; what it counts begins here. */
async function begin() {
  const { told, btcpay } = shared;
  btcpay.calm();
  btcpay.turn({ confirmAfterMs: null, payOutAfterMs: null });
  const before = {
    cents: await told.cents(),
    events: (await told.events()).length,
    inbox: (await told.inbox()).length,
  };
  return {
    ...shared,
    cents: async () => (await told.cents()) - before.cents,
    /** Newest first. */
    events: async () => {
      const all = await told.events();
      return all.slice(0, all.length - before.events);
    },
    inbox: async () => (await told.inbox()).slice(before.inbox),
  };
}

describe('a top-up in coins', () => {
  it('is asked for in usd, paid, told by signed webhooks, and credited once with exactly what was asked', async () => {
    const { told, btcpay, answers, hear, open, pay, cents, events, inbox } = await begin();
    btcpay.turn({ duplicates: 5, reorderWindow: 100 });
    const payment = await open();
    expect(payment).toMatchObject({ state: 'open', provider: 'btcpay' });
    await pay(payment, 25, { confirms: false });
    await hear();
    expect(await told.payment(payment.sid)).toMatchObject({ state: 'processing', credited: null });
    expect(await cents()).toBe(0n);
    const paid = [...btcpay.books.payments.values()].at(-1);
    if (paid) btcpay.invoices.confirm(paid);
    await hear();
    expect(await told.payment(payment.sid)).toMatchObject({ state: 'credited', credited: 25_000_000n, problem: null });
    expect(await cents()).toBe(2500n);
    expect(await events()).toMatchObject([
      {
        kind: 'top_up',
        provider: 'btcpay',
        providerAccount: STORE_ID,
        externalRef: `BTC-CHAIN:${paid?.id}`,
        currency: 'USD',
      },
    ]);
    expect(new Set(answers)).toEqual(new Set([200]));
    expect((await inbox()).filter((row) => row.state === 'quarantined')).toEqual([]);
  });

  it('C09 what is missing comes later and is credited beside the first part', async () => {
    const { told, hear, open, pay, events } = await begin();
    const payment = await open();
    await pay(payment, 10);
    await hear();
    const part = await told.payment(payment.sid);
    expect(part).toMatchObject({ state: 'credited', credited: 10_000_113n });
    expect(part.problem).toMatch(/^underpaid/);
    await told.ports.clock.advance(1_000);
    await pay(payment, 15);
    await hear();
    expect(await told.payment(payment.sid)).toMatchObject({ state: 'credited', credited: 25_000_282n });
    expect(await events()).toHaveLength(2);
  });

  it('C09 C13 too much, twice and by two ways is credited to whoever paid, each once', async () => {
    const { told, hear, open, pay, events } = await begin();
    const payment = await open();
    await pay(payment, 25, { method: 'BTC-LN' });
    await pay(payment, 60);
    await hear();
    await hear();
    expect(await told.payment(payment.sid)).toMatchObject({ state: 'credited', credited: 85_000_035n });
    expect((await told.payment(payment.sid)).problem).toMatch(/^overpaid/);
    expect(await events()).toHaveLength(2);
  });

  it('C09 coins that come after the end are credited, though the payment had expired', async () => {
    const { told, hear, open, pay } = await begin();
    const payment = await open();
    await told.ports.clock.advance(3_600_000 + 30 * 60_000);
    await hear();
    await pay(payment);
    await hear();
    expect(await told.payment(payment.sid)).toMatchObject({ state: 'credited', credited: 25_000_000n });
  });

  it('C09 coins that come much too late are set aside for an operator, and nothing is credited', async () => {
    const { told, hear, open, pay, cents, events } = await begin();
    const payment = await open();
    await told.ports.clock.advance(5 * 3_600_000);
    await pay(payment);
    await hear();
    expect(await told.payment(payment.sid)).toMatchObject({ state: 'quarantined', credited: null });
    expect(await cents()).toBe(0n);
    expect(await events()).toEqual([]);
  });

  it('C10 coins that were spent elsewhere before their blocks never were credited', async () => {
    const { told, btcpay, hear, open, pay, events } = await begin();
    const payment = await open();
    const first = await pay(payment, 25, { confirms: false });
    await hear();
    const replaced = btcpay.books.payments.get(first);
    if (replaced) btcpay.invoices.revert(replaced);
    await pay(payment, 25);
    await hear();
    expect(await told.payment(payment.sid)).toMatchObject({ state: 'credited', credited: 25_000_000n });
    expect(await events()).toHaveLength(1);
  });

  it('C10 an invoice that becomes invalid while it waits has credited nothing', async () => {
    const { told, btcpay, hear, open, pay, invoiceOf, cents } = await begin();
    const payment = await open();
    await pay(payment, 25, { confirms: false });
    await hear();
    btcpay.invoices.invalidate(await invoiceOf(payment));
    await hear();
    expect(await told.payment(payment.sid)).toMatchObject({ state: 'failed', credited: null });
    expect(await cents()).toBe(0n);
  });

  it('C12 without a rate no order is made: 503, and the same key goes on when there is one', async () => {
    const { btcpay, topUp } = await begin();
    const before = btcpay.books.invoices.size;
    btcpay.turn({ isRateMissing: true });
    const refused = await topUp('25.00', 'key-1');
    expect([refused.status, JSON.parse(refused.body)]).toMatchObject([503, { code: 'unavailable' }]);
    btcpay.calm();
    expect((await topUp('25.00', 'key-1')).status).toBe(201);
    expect(btcpay.books.invoices.size).toBe(before + 1);
  });

  it('B09 with every webhook lost the reconciler credits it', async () => {
    const { told, house, btcpay, open, pay } = await begin();
    btcpay.turn({ lossRate: 1 });
    const payment = await open();
    await pay(payment);
    expect(await reconcilePayments(house)).toBe(1);
    expect(await told.payment(payment.sid)).toMatchObject({ state: 'credited', credited: 25_000_000n });
    expect(await reconcilePayments(house)).toBe(0);
  });

  it('A14 play money never fills a wallet that is meant for real coins, nor real coins one for play', async () => {
    const { told, btcpay, topUp } = await begin();
    btcpay.turn({ chain: 'mainnet' });
    await topUp('25.00', 'key-2');
    const [payment] = await told.database.owner.query<{ sid: string }>({
      name: 'test.sids',
      text: 'select sid from payment order by created_at desc, sid desc limit 1',
    });
    expect(await told.payment(payment?.sid ?? '')).toMatchObject({ state: 'quarantined', checkoutUrl: null });
    expect((await told.payment(payment?.sid ?? '')).problem).toMatch(/^mode_mismatch/);
  });

  it('A15 an event of another store is set aside', async () => {
    const { btcpay, hear, open, pay, invoiceOf, cents, inbox } = await begin();
    const payment = await open();
    const { id, metadata } = await invoiceOf(payment);
    btcpay.forge({ type: 'InvoiceSettled', facts: { invoiceId: id, metadata, storeId: 'AnotherStore1111111111' } });
    await hear();
    expect((await inbox()).find(({ eventType }) => eventType === 'InvoiceSettled')).toMatchObject({
      state: 'quarantined',
      reason: 'account_mismatch',
    });
    await pay(payment);
    await hear();
    expect(await cents()).toBe(2500n);
  });

  it('B05 A04 an authentic event about an invoice that is not ours credits nothing', async () => {
    const { told, btcpay, hear, open, events, inbox } = await begin();
    const payment = await open();
    const metadata = { orderId: payment.sid, hero_onboarding_user: told.wallet.userSid };
    btcpay.forge({ type: 'InvoiceSettled', facts: { invoiceId: 'AnotherInvoice11111111', metadata } });
    btcpay.forge({ type: 'InvoiceSettled', facts: { invoiceId: 'AnotherInvoice22222222', metadata: {} } });
    await hear();
    expect((await told.payment(payment.sid)).state).toBe('open');
    expect(await events()).toEqual([]);
    expect((await inbox()).filter(({ eventType }) => eventType === 'InvoiceSettled')).toMatchObject([
      { state: 'quarantined', reason: 'order_mismatch' },
      { state: 'pending', reason: 'unknown_order' },
    ]);
  });

  it('C10 coins that are undone after they were credited are taken back, once, though no event tells of it', async () => {
    const { told, house, btcpay, hear, open, pay } = await cryptoStory((end) => ends.push(end));
    const payment = await open();
    const id = await pay(payment);
    await hear();
    expect(await told.cents()).toBe(2500n);
    const paid = btcpay.books.payments.get(id);
    if (paid) btcpay.invoices.revert(paid);
    for (let time = 0; time < 3; time += 1) await reconcileAll(house);
    expect(await told.cents()).toBe(0n);
    expect((await told.events()).map(({ kind, amount }) => [kind, amount])).toEqual([
      ['reversal', -25_000_000n],
      ['top_up', 25_000_000n],
    ]);
    const { reports } = await reconcileAll(house);
    expect(reports).toMatchObject([{ provider: 'btcpay', unexplained: '0.00', remainder: '0.00', items: [] }]);
  });

  it('the books agree with the statement after payments by several ways and a refund', async () => {
    const { house, hear, open, pay, btcpay, told } = await cryptoStory((end) => ends.push(end));
    const payment = await open();
    await pay(payment, 10);
    await pay(payment, 15, { method: 'BTC-LN' });
    await hear();
    const refund = await refunded(told, house, payment, '10.00');
    const pullPayment = [...btcpay.books.pullPayments.values()].at(-1);
    const payout = pullPayment === undefined ? 'none' : btcpay.claim(pullPayment, { destination: 'bcrt1qme' });
    if (typeof payout !== 'string') btcpay.refunds.move(payout, 'Completed');
    await lookAtRefund(house, refund, ownCause(house, 'refund'));
    const { reports } = await reconcileAll(house);
    expect(reports).toMatchObject([{ provider: 'btcpay', unexplained: '0.00', remainder: '0.00', items: [] }]);
  });
});

/** A refund that an operator asked for and the provider has been told of. Answers its sid. */
async function refunded(told: PaymentStory, house: House, payment: Payment, amount: string): Promise<string> {
  const reply = await execute(house, refundCreate, {
    actor: OPERATOR,
    input: { payment_sid: payment.sid, amount, reason: 'asked for it' },
    idempotencyKey: `key-${told.ports.ids.sid()}`,
    requestId: told.ports.ids.requestId(),
  });
  if (reply.status !== 201) throw new Error(`${reply.status} ${reply.body}`);
  const { sid } = JSON.parse(reply.body) as { sid: string };
  await sendRefund(house, sid, ownCause(house, 'refund'));
  return sid;
}

describe('a refund in coins', () => {
  it('is set aside until the customer has claimed it and the coins have left', async () => {
    const { told, house, btcpay, hear, open, pay, cents, events } = await begin();
    const payment = await open();
    await pay(payment);
    await hear();
    const sid = await refunded(told, house, payment, '10.00');
    expect(await readRefund(told.database.owner, sid)).toMatchObject({
      state: 'pending',
      claimUrl: expect.stringContaining('/pull-payments/') as string,
    });
    expect(await cents()).toBe(1500n);
    const pullPayment = [...btcpay.books.pullPayments.values()].at(-1);
    const payout = pullPayment === undefined ? 'none' : btcpay.claim(pullPayment, { destination: 'bcrt1qme' });
    await lookAtRefund(house, sid, ownCause(house, 'refund'));
    expect((await readRefund(told.database.owner, sid))?.state).toBe('pending');
    if (typeof payout !== 'string') btcpay.refunds.move(payout, 'Completed');
    await lookAtRefund(house, sid, ownCause(house, 'refund'));
    expect(await readRefund(told.database.owner, sid)).toMatchObject({ state: 'succeeded', posted: 10_000_000n });
    expect(await cents()).toBe(1500n);
    expect((await events()).map(({ kind }) => kind)).toEqual(['refund', 'top_up']);
  });

  it('is looked at as soon as a payout tells of it, and a payout of somebody else is of no interest', async () => {
    const { told, house, btcpay, hear, open, pay, cents } = await begin();
    const payment = await open();
    await pay(payment);
    await hear();
    const sid = await refunded(told, house, payment, '10.00');
    const pullPayment = [...btcpay.books.pullPayments.values()].at(-1);
    const payout = pullPayment === undefined ? 'none' : btcpay.claim(pullPayment, { destination: 'bcrt1qme' });
    await hear();
    expect(await readRefund(told.database.owner, sid)).toMatchObject({
      state: 'pending',
      detail: 'claimed; the coins are to be sent',
    });
    if (typeof payout !== 'string') btcpay.refunds.move(payout, 'Completed');
    await hear();
    expect(await readRefund(told.database.owner, sid)).toMatchObject({ state: 'succeeded', posted: 10_000_000n });
    expect(await cents()).toBe(1500n);
    btcpay.forge({
      type: 'PayoutUpdated',
      facts: { payoutId: 'x', pullPaymentId: 'SomebodyElses1', payoutState: 'Completed' },
    });
    await hear();
    await told.ports.clock.advance(15 * 60_000);
    await hear();
    const last = (await told.inbox()).at(-1);
    expect(last).toMatchObject({ eventType: 'PayoutUpdated', state: 'ignored', reason: 'unknown_refund' });
  });

  it('that nobody claims is money of the wallet again', async () => {
    const { told, house, hear, open, pay, cents } = await begin();
    const payment = await open();
    await pay(payment);
    await hear();
    const sid = await refunded(told, house, payment, '10.00');
    await told.ports.clock.advance(30 * 86_400_000);
    await lookAtRefund(house, sid, ownCause(house, 'refund'));
    expect((await readRefund(told.database.owner, sid))?.state).toBe('failed');
    expect(await cents()).toBe(2500n);
  });

  it('of which only a part was claimed gives the rest back to the wallet', async () => {
    const { told, house, btcpay, hear, open, pay, cents } = await begin();
    const payment = await open();
    await pay(payment);
    await hear();
    const sid = await refunded(told, house, payment, '10.00');
    const pullPayment = [...btcpay.books.pullPayments.values()].at(-1);
    const payout =
      pullPayment === undefined ? 'none' : btcpay.claim(pullPayment, { destination: 'bcrt1qme', amount: 400 });
    if (typeof payout !== 'string') btcpay.refunds.move(payout, 'Completed');
    await told.ports.clock.advance(30 * 86_400_000);
    await lookAtRefund(house, sid, ownCause(house, 'refund'));
    expect(await readRefund(told.database.owner, sid)).toMatchObject({ state: 'succeeded', posted: 4_000_000n });
    expect(await cents()).toBe(2100n);
  });
});
