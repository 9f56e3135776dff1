import { afterEach, describe, expect, it } from 'vitest';
import { judge } from '../../src/domain/payment/judge.ts';
import { paymentCreate } from '../../src/operations/payment/create.ts';
import { paymentStory, type PaymentStory } from '../support/payment-story.ts';

const stories: PaymentStory[] = [];
async function story(): Promise<PaymentStory> {
  const made = await paymentStory();
  stories.push(made);
  return made;
}
afterEach(async () => {
  for (const made of stories.splice(0)) await made.close();
});

describe('amounts that no provider can take', () => {
  it.each(['0.001', '0.004', '0.000001', '0', '25.001', '4.99'])(
    'D04 %s is refused with 422, makes no order and moves nothing',
    async (amount) => {
      const told = await story();
      const reply = await told.topUp(amount, 'D04');
      expect([reply.status, JSON.parse(reply.body)]).toMatchObject([422, { code: 'amount_out_of_range' }]);
      expect([told.bank.createCalls, await told.cents(), await told.events()]).toEqual([0, 0n, []]);
    },
  );

  it.each(['-25.00', '2.5e1', '٢٥', '25,00', '+25', ' 25', '0x19', '25.0000001'])(
    'D01 D03 %s is refused with 400 and makes no order',
    async (amount) => {
      const told = await story();
      expect((await told.topUp(amount, 'D01')).status).toBe(400);
      expect(told.bank.createCalls).toBe(0);
    },
  );
});

describe('D06 one currency, spelt one way', () => {
  // Lower case, other exponents (JPY 0, KWD 3), the neighbours' money, none at all, and a Cyrillic twin of USD.
  const others = ['usd', 'Usd', 'TZS', 'JPY', 'KRW', 'KWD', 'UGX', 'ISK', 'XAU', '', 'UЅD', 'USDT'];

  it.each(others)('D06 money in %o is set aside, whatever the number says', (currency) => {
    const ordered = {
      sid: 'PAY',
      userSid: 'USER',
      provider: 'stripe',
      providerAccount: 'acct_1',
      isLive: false,
      amount: 25_000_000n,
      currency: 'USD',
      state: 'open',
      orderRef: 'cs_1',
      expiresAt: new Date(0),
      credited: null,
      creditedRefs: new Set<string>(),
    } as const;
    const truth = {
      provider: 'stripe',
      orderRef: 'cs_1',
      paymentSid: 'PAY',
      userSid: 'USER',
      accountId: 'acct_1',
      isLive: false,
      currency,
      state: 'paid',
      payments: [{ paymentRef: 'pi_1', amount: 25_000_000n }],
    } as const;
    expect(judge(ordered, truth, new Date(0))).toEqual({ kind: 'quarantine', reason: 'currency_mismatch' });
  });

  it('D06 a caller cannot choose a currency: an order is in USD or it is no order', async () => {
    const told = await story();
    const input = { provider: 'stripe', amount: '25.00', currency: 'TZS' };
    const reply = await told.run(paymentCreate, input, { key: 'D06' });
    expect([reply.status, told.bank.createCalls]).toEqual([400, 0]);
    const payment = await told.opened('25.00');
    expect(told.bank.orderOf(payment.sid).currency).toBe('USD');
  });

  it('D06 what was paid in shillings is not credited as dollars', async () => {
    const told = await story();
    const payment = await told.opened('25.00');
    told.bank.pay(payment.sid, { currency: 'TZS', amount: 65_000_000_000n });
    await told.deliver(told.bank.webhook('checkout.session.completed', told.bank.orderOf(payment.sid)));
    await told.drain();
    expect([(await told.payment(payment.sid)).state, await told.cents()]).toEqual(['quarantined', 0n]);
  });
});

describe('authentic is not valid', () => {
  it('A10 an authentic event alone never credits: the provider is asked, and says unpaid', async () => {
    const told = await story();
    const payment = await told.opened('25.00');
    const order = told.bank.orderOf(payment.sid);
    const lie = told.bank.webhook('checkout.session.completed', order, { payment: 'pi_never_paid' });
    expect((await told.deliver(lie)).status).toBe(200);
    await told.drain();
    expect([(await told.payment(payment.sid)).state, await told.cents()]).toEqual(['open', 0n]);
  });
});
