import { afterEach, describe, expect, it } from 'vitest';
import { paymentCheck } from '../../src/operations/payment/check.ts';
import { paymentGet } from '../../src/operations/payment/get.ts';
import { paymentList } from '../../src/operations/payment/list.ts';
import { paymentCreate } from '../../src/operations/payment/create.ts';
import type { Payment } from '../../src/operations/payment/payment.ts';
import { pollPayments } from '../../src/operations/payment/poll.ts';
import { openWallets } from '../support/ledger.ts';
import { OPERATOR, paymentStory, userActor, type PaymentStory } from '../support/payment-story.ts';

const stories: PaymentStory[] = [];
async function story(options: Parameters<typeof paymentStory>[0] = {}): Promise<PaymentStory> {
  const made = await paymentStory(options);
  stories.push(made);
  return made;
}
afterEach(async () => {
  for (const made of stories.splice(0)) await made.close();
});

const json = (reply: { readonly body: string }) => JSON.parse(reply.body) as Record<string, unknown>;

describe('payment.create', () => {
  it('stores the intent, makes one order in USD and answers where to pay', async () => {
    const told = await story();
    const payment = await told.opened('25.00');
    expect(payment).toMatchObject({
      state: 'open',
      amount: '25.00',
      amount_cents: 2500,
      currency: 'USD',
      credited: null,
      problem: null,
      wallet_sid: told.wallet.sid,
      checkout_url: expect.stringMatching(/^https:/) as string,
      steps: [
        { name: 'created', at: payment.created_at },
        { name: 'paid', at: null },
        { name: 'credited', at: null },
      ],
    });
    expect(told.bank.orderOf(payment.sid)).toMatchObject({
      currency: 'USD',
      userSid: told.wallet.userSid,
      state: 'open',
    });
    expect(told.bank.createCalls).toBe(1);
    expect(await told.cents()).toBe(0n);
  });

  it('every order at a provider is asked for in USD, whatever the request says', async () => {
    const told = await story();
    const reply = await told.run(
      paymentCreate,
      { provider: 'stripe', amount: '25.00', currency: 'EUR' },
      { key: 'k1' },
    );
    expect(reply.status).toBe(400);
    await told.topUp('25.00', 'k2');
    await told.topUp('5.01', 'k3');
    expect([...told.bank.orders.values()].map((order) => order.currency)).toEqual(['USD', 'USD']);
  });

  it.each([
    ['4.99', 422],
    ['5', 201],
    ['5.00', 201],
    ['1000.00', 201],
    ['1000.01', 422],
    ['9999999999999', 422],
    ['10.001', 422],
    ['10.000001', 422],
    ['0', 422],
    ['0.00', 422],
    ['-5', 400],
    ['+5', 400],
    ['5e1', 400],
    ['05', 400],
    [' 5', 400],
    ['5.', 400],
    ['٥', 400],
    [25, 400],
    [null, 400],
    [{}, 400],
  ])('D16 an amount of %j answers %i', async (amount, status) => {
    const told = await story();
    const reply = await told.run(paymentCreate, { provider: 'stripe', amount }, { key: 'k' });
    expect(reply.status).toBe(status);
    expect(told.bank.createCalls).toBe(status === 201 ? 1 : 0);
    const limits = { min: '5.00', max: '1000.00', step: '0.01', currency: 'USD' };
    expect(json(reply)['details']).toEqual(status === 422 ? limits : undefined);
  });

  it('D16 a user may have five top-ups waiting to be paid, also when asked for all at once; one that ends makes room', async () => {
    const told = await story();
    const replies = await Promise.all(Array.from({ length: 12 }, (_, index) => told.topUp('10.00', `k${index}`)));
    expect(replies.filter((reply) => reply.status === 201)).toHaveLength(5);
    const refused = replies.filter((reply) => reply.status !== 201);
    expect(new Set(refused.map((reply) => reply.code))).toEqual(new Set(['state_conflict']));
    expect(json(refused[0] ?? { body: '{}' })['details']).toEqual({ open_payments_max: 5 });
    expect(told.bank.createCalls).toBe(5);
    const [first] = [...told.bank.orders.values()];
    told.bank.pay(first?.paymentSid ?? '');
    await told.run(paymentCheck, { sid: first?.paymentSid });
    expect((await told.topUp('10.00', 'one-more')).status).toBe(201);
  });

  it('F02 a top-up that was refused for too many others stays refused under its key, also when there is room again', async () => {
    const told = await story({ settings: { openPaymentsMax: 1 } });
    await told.topUp('10.00', 'first');
    const refused = await told.topUp('20.00', 'second');
    expect(refused).toMatchObject({ status: 409, code: 'state_conflict', replayed: false });
    const [order] = [...told.bank.orders.values()];
    told.bank.pay(order?.paymentSid ?? '');
    await told.run(paymentCheck, { sid: order?.paymentSid });
    expect(await told.topUp('20.00', 'second')).toMatchObject({ status: 409, body: refused.body, replayed: true });
    expect(await told.topUp('20.00', 'third')).toMatchObject({ status: 201 });
    expect(told.bank.createCalls).toBe(2);
  });

  it('the same key answers the first payment again, byte for byte, and another amount under it is refused', async () => {
    const told = await story();
    const first = await told.topUp('25.00', 'same');
    const again = await told.topUp('25.00', 'same');
    expect(again).toMatchObject({ status: 201, body: first.body, replayed: true });
    expect(await told.topUp('26.00', 'same')).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
    expect(told.bank.createCalls).toBe(1);
  });

  it('a top-up without a key, of an unknown provider, or of a wallet that is not theirs is refused', async () => {
    const told = await story();
    const [other] = await openWallets(told.database.owner, told.ports, 1);
    expect(await told.run(paymentCreate, { provider: 'stripe', amount: '25.00' })).toMatchObject({ status: 400 });
    const unknown = { provider: 'paypal', amount: '25.00' };
    expect(await told.run(paymentCreate, unknown, { key: 'a' })).toMatchObject({ status: 503, code: 'unavailable' });
    const foreign = { provider: 'stripe', amount: '25.00', wallet_sid: other?.sid };
    expect(await told.run(paymentCreate, foreign, { key: 'b' })).toMatchObject({ status: 404, code: 'not_found' });
    const nobody = { actor: { kind: 'anonymous', id: 'anonymous' }, key: 'c' } as const;
    expect(await told.run(paymentCreate, { provider: 'stripe', amount: '25.00' }, nobody)).toMatchObject({
      status: 401,
    });
    const operator = { actor: OPERATOR, key: 'd' };
    expect(await told.run(paymentCreate, { provider: 'stripe', amount: '25.00' }, operator)).toMatchObject({
      status: 400,
    });
    expect(told.bank.createCalls).toBe(0);
    expect(await told.run(paymentCreate, foreign, operator)).toMatchObject({ status: 201 });
  });
});

describe('when the provider does not answer', () => {
  it.each(['lost_before', 'lost_after'] as const)(
    'G02 %s: 504 now, and the same key resumes the same intent with at most one order',
    async (fault) => {
      const told = await story();
      told.bank.fault = fault;
      expect(await told.topUp('25.00', 'k')).toMatchObject({ status: 504, code: 'provider_timeout' });
      expect(await told.topUp('25.00', 'k')).toMatchObject({ status: 504 });
      told.bank.fault = 'none';
      const resumed = await told.topUp('25.00', 'k');
      expect(resumed.status).toBe(201);
      expect(told.bank.orders.size).toBe(1);
      expect((await told.topUp('25.00', 'k')).body).toBe(resumed.body);
      expect(await told.topUp('26.00', 'k')).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
    },
  );

  it('G02 the poller resolves an intent whose caller never came back', async () => {
    const told = await story();
    told.bank.fault = 'lost_after';
    await told.topUp('25.00', 'k');
    const [order] = [...told.bank.orders.values()];
    const sid = order?.paymentSid ?? '';
    expect(await told.payment(sid)).toMatchObject({ state: 'created', orderRef: null });
    told.bank.fault = 'none';
    await told.ports.clock.advance(15_000);
    expect(await pollPayments(told.house)).toBe(1);
    expect(await told.payment(sid)).toMatchObject({ state: 'open', orderRef: order?.orderRef });
    expect(told.bank.orders.size).toBe(1);
  });

  it('a definite refusal closes the intent and is told as the provider’s error', async () => {
    const told = await story();
    told.bank.fault = 'refuses';
    expect(await told.topUp('25.00', 'k')).toMatchObject({ status: 502, code: 'provider_error' });
    told.bank.fault = 'none';
    expect(await told.topUp('25.00', 'k')).toMatchObject({ status: 502, code: 'provider_error' });
    expect(told.bank.orders.size).toBe(0);
    expect(await told.topUp('25.00', 'k2')).toMatchObject({ status: 201 });
  });

  it('a provider that is down leaves an intent that the poller asks about ever more seldom', async () => {
    const told = await story();
    told.bank.fault = 'broken';
    expect(await told.topUp('25.00', 'k')).toMatchObject({ status: 502 });
    const asked: number[] = [];
    for (let minute = 0; minute < 60; minute += 1) {
      await told.ports.clock.advance(60_000);
      asked.push(await pollPayments(told.house));
    }
    const total = asked.reduce((sum, count) => sum + count, 0);
    expect(total).toBeGreaterThanOrEqual(5);
    expect(total).toBeLessThanOrEqual(9);
    told.bank.fault = 'none';
    expect(await told.topUp('25.00', 'k')).toMatchObject({ status: 201 });
  });
});

describe('reading payments', () => {
  it('a user sees their own, an operator all, and what is not theirs is not there', async () => {
    const told = await story();
    const payment = await told.opened();
    const [other] = await openWallets(told.database.owner, told.ports, 1);
    if (!other) throw new Error('a wallet was opened');
    const stranger = { actor: userActor(other) };
    const operator = { actor: OPERATOR };
    const missing = { sid: '01JD9ZQ4T2V6M0F8K3A5B7C9D1' };
    for (const operation of [paymentGet, paymentCheck]) {
      const own = await told.run(operation, { sid: payment.sid });
      expect(own).toMatchObject({ status: 200 });
      expect((await told.run(operation, { sid: payment.sid }, operator)).body).toBe(own.body);
      const refused = json(await told.run(operation, { sid: payment.sid }, stranger));
      const absent = json(await told.run(operation, missing, stranger));
      expect({ ...refused, request_id: '' }).toEqual({ ...absent, request_id: '' });
      expect(refused['code']).toBe('not_found');
    }
    const listed = (reply: { readonly body: string }) => (json(reply)['items'] as Payment[]).map((item) => item.sid);
    expect(listed(await told.run(paymentList, {}))).toEqual([payment.sid]);
    expect(listed(await told.run(paymentList, {}, stranger))).toEqual([]);
    expect(listed(await told.run(paymentList, {}, operator))).toEqual([payment.sid]);
    expect(await told.run(paymentList, { wallet_sid: told.wallet.sid }, stranger)).toMatchObject({ status: 404 });
  });

  it('pages walk all payments once, newest first, and a state narrows them', async () => {
    const told = await story({ settings: { openPaymentsMax: 100 } });
    const made: string[] = [];
    for (let index = 0; index < 7; index += 1) {
      made.unshift((await told.opened('10.00')).sid);
      await told.ports.clock.advance(1_000);
    }
    const walked: string[] = [];
    let cursor: string | null = null;
    do {
      const page = json(await told.run(paymentList, { limit: 3, ...(cursor === null ? {} : { cursor }) }));
      walked.push(...(page['items'] as Payment[]).map((item) => item.sid));
      cursor = page['next_cursor'] as string | null;
    } while (cursor !== null);
    expect(walked).toEqual(made);
    expect(json(await told.run(paymentList, { state: 'credited' }))['items']).toEqual([]);
    expect(await told.run(paymentList, { cursor: 'forged' })).toMatchObject({ status: 400 });
  });
});
