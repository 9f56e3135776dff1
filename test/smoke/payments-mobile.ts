import { asPayment, key, read, settled, type PaymentAnswer } from './payment-steps.ts';
import { equal, eventually, holds, type Smoke, type SmokeAnswer, type SmokeCheck } from './suite.ts';

/** A top-up by mobile money through ClickPesa, and a refund by payout, in a wallet of their own. */
export const mobilePayments: readonly SmokeCheck[] = [
  {
    name: 'mobile money: the server offers ClickPesa, and its webhook refuses what carries no checksum',
    async run(smoke) {
      const { json } = await smoke.request('/v1/session', { isOperator: false });
      const methods = json['payment_methods'] as { provider: string; title: string }[];
      equal(methods.find(({ provider }) => provider === 'clickpesa')?.title, 'Mobile money', 'the way to pay');
      const unsigned = await smoke.request('/webhooks/clickpesa', { body: {}, isOperator: false });
      equal([unsigned.status, unsigned.json['code']], [400, 'signature_missing'], 'status and code');
      const forged = await smoke.request('/webhooks/clickpesa', { body: { checksum: 'ab' }, isOperator: false });
      equal([forged.status, forged.json['code']], [400, 'invalid_signature'], 'status and code');
      const { walletSid } = await smoke.openWallet('Smoke: mobile money');
      smoke.keep('mobile-wallet', walletSid);
    },
  },
  {
    name: 'mobile money: the phone is asked, says yes, and the wallet is credited',
    async run(smoke) {
      const payment = await createdIn(smoke, '25.00');
      smoke.keep('mobile-payment', payment.sid);
      smoke.keep('mobile-provider', new URL(payment.checkout_url).origin);
      await control(smoke, 'switches', { settleAfterMs: 0 });
      await press(smoke, payment, 'choice=send&phone=255712000001');
      const asked = await smoke.request(`/v1/payments/${payment.sid}/check`, { method: 'POST', body: {} });
      equal(asked.json['state'], 'open', 'the state while the phone asks');
      holds(String(asked.json['progress']).includes('PIN'), `the payment says ${String(asked.json['progress'])}`);
      await press(smoke, payment, 'choice=approve');
      const done = await settled(smoke, payment.sid);
      equal([done.state, done.credited, done.problem], ['credited', '25.00', null], 'the payment');
      equal(await mobileCents(smoke), 2500, 'the balance');
    },
  },
  {
    name: 'mobile money: a link that is paid twice is credited twice, each payment once',
    async run(smoke) {
      await control(smoke, 'switches', { duplicates: 9 });
      const payment = await createdIn(smoke, '10.00');
      for (const _ of [1, 2]) await control(smoke, `links/${referenceOf(payment)}/pay`, {});
      await eventually(
        'both are credited',
        () => read(smoke, payment.sid),
        ({ credited }) => Number(credited) >= 20,
      );
      await control(smoke, 'deliveries/settle', {});
      await control(smoke, 'switches', { duplicates: 0 });
      equal(await mobileCents(smoke), 4500, 'the balance');
    },
  },
  {
    name: 'mobile money: a decline credits nothing and closes the payment',
    async run(smoke) {
      const payment = await createdIn(smoke, '10.00');
      await control(smoke, `links/${referenceOf(payment)}/pay`, { status: 'FAILED' });
      equal((await settled(smoke, payment.sid)).state, 'failed', 'the state');
      equal(await mobileCents(smoke), 4500, 'the balance');
    },
  },
  {
    name: 'mobile money: with all webhooks lost, checking the payment credits what was collected',
    async run(smoke) {
      await control(smoke, 'switches', { lossRate: 1, collectsHundredths: 999, amounts: 'text' });
      const payment = await createdIn(smoke, '10.00');
      await control(smoke, `links/${referenceOf(payment)}/pay`, {});
      const answer = await smoke.request(`/v1/payments/${payment.sid}/check`, { method: 'POST', body: {} });
      await control(smoke, 'switches', { lossRate: 0, collectsHundredths: null, amounts: 'number' });
      equal([answer.json['state'], answer.json['credited']], ['credited', '9.99'], 'state and credit');
      equal(await mobileCents(smoke), 5499, 'the balance');
    },
  },
  {
    name: 'mobile money: a refund is one payout, and it comes back when the payout does',
    async run(smoke) {
      const payment = smoke.recall('mobile-payment');
      const body = { payment_sid: payment, amount: '5.00', reason: 'smoke', destination: '255712000001' };
      const { status, json, text } = await smoke.request('/v1/refunds', { body, headers: key() });
      equal(status, 201, `status of POST /v1/refunds, which answered ${text}`);
      const sid = String(json['sid']);
      const refund = () => smoke.request(`/v1/refunds/${sid}`);
      await eventually('it has left', refund, (it) => it.json['state'] === 'succeeded');
      equal(await mobileCents(smoke), 4999, 'the balance');
      await control(smoke, `payouts/${sid.slice(0, 18)}R0/become`, { status: 'REVERSED' });
      await smoke.request(`/v1/refunds/${sid}/check`, { method: 'POST', body: {} });
      await eventually('it is back', refund, (it) => it.json['state'] === 'returned');
      equal(await mobileCents(smoke), 5499, 'the balance');
      await control(smoke, 'switches', undefined, 'DELETE');
    },
  },
];

async function createdIn(smoke: Smoke, amount: string): Promise<PaymentAnswer> {
  const body = { provider: 'clickpesa', amount, wallet_sid: smoke.recall('mobile-wallet') };
  const answer = await smoke.request('/v1/payments', { body, headers: key() });
  equal(answer.status, 201, `status of POST /v1/payments, which answered ${answer.text}`);
  return asPayment(answer);
}

/** What ClickPesa knows the payment's first link by. */
const referenceOf = ({ sid }: PaymentAnswer): string => `${sid.slice(0, 18)}P0`;

/** What the customer sends from the checkout page. */
const press = (smoke: Smoke, payment: PaymentAnswer, rawBody: string): Promise<SmokeAnswer> =>
  smoke.request(payment.checkout_url, {
    method: 'POST',
    rawBody,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    isOperator: false,
  });

const mobileCents = async (smoke: Smoke): Promise<number> =>
  Number((await smoke.billing(smoke.recall('mobile-wallet')))['credit_balance_cents']);

/** The simulator's switches, through the origin of its checkout page. */
const control = (smoke: Smoke, path: string, body?: unknown, method?: 'DELETE'): Promise<SmokeAnswer> =>
  smoke.request(`${smoke.recall('mobile-provider')}/_sandbox/${path}`, {
    isOperator: false,
    ...(body === undefined ? {} : { body }),
    ...(method ? { method } : {}),
  });
