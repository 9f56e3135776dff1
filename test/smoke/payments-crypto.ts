import { asPayment, key, read, settled, type PaymentAnswer } from './payment-steps.ts';
import { equal, eventually, holds, type Smoke, type SmokeAnswer, type SmokeCheck } from './suite.ts';

/** A top-up in coins through BTCPay Server, and a refund that is claimed, in a wallet of their own. */
export const cryptoPayments: readonly SmokeCheck[] = [
  {
    name: 'crypto: the server offers BTCPay Server, and its webhook refuses what is not signed',
    async run(smoke) {
      const { json } = await smoke.request('/v1/session', { isOperator: false });
      holds((json['providers'] as string[]).includes('btcpay'), 'btcpay is not among the providers');
      const unsigned = await smoke.request('/webhooks/btcpay', { body: {}, isOperator: false });
      equal([unsigned.status, unsigned.json['code']], [400, 'signature_missing'], 'status and code');
      const { walletSid } = await smoke.openWallet('Smoke: crypto');
      smoke.keep('crypto-wallet', walletSid);
    },
  },
  {
    name: 'crypto: the exact amount is credited exactly, once its blocks are there',
    async run(smoke) {
      const payment = await createdIn(smoke, '25.00');
      smoke.keep('crypto-payment', payment.sid);
      smoke.keep('crypto-provider', new URL(payment.checkout_url).origin);
      await control(smoke, 'switches', { confirmAfterMs: null, payOutAfterMs: null });
      await control(smoke, `invoices/${invoiceOf(payment)}/pay`, {});
      await eventually(
        'the coins are seen',
        () => read(smoke, payment.sid),
        ({ state }) => state === 'processing',
      );
      equal(await cryptoCents(smoke), 0, 'the balance before any block');
      await confirmAll(smoke);
      const done = await settled(smoke, payment.sid);
      equal([done.state, done.credited, done.problem], ['credited', '25.00', null], 'the payment');
      equal(await cryptoCents(smoke), 2500, 'the balance');
    },
  },
  {
    name: 'crypto: too little is credited as it is, and the rest beside it',
    async run(smoke) {
      const payment = await createdIn(smoke, '20.00');
      await control(smoke, `invoices/${invoiceOf(payment)}/pay`, { usd: '8.00' });
      await confirmAll(smoke);
      const part = await settled(smoke, payment.sid);
      holds(part.problem?.startsWith('underpaid') === true, `the payment says ${String(part.problem)}`);
      await control(smoke, `invoices/${invoiceOf(payment)}/pay`, {});
      await confirmAll(smoke);
      await eventually(
        'the rest is credited',
        () => read(smoke, payment.sid),
        ({ credited }) => Number(credited) >= 20,
      );
      equal(await cryptoCents(smoke), 4500, 'the balance');
    },
  },
  {
    name: 'crypto: every event ten times, in reverse, is one credit',
    async run(smoke) {
      await control(smoke, 'switches', { duplicates: 9, reorderWindow: 100 });
      const payment = await createdIn(smoke, '10.00');
      await control(smoke, `invoices/${invoiceOf(payment)}/pay`, { method: 'BTC-LN' });
      await control(smoke, 'deliveries/settle', {});
      await settled(smoke, payment.sid);
      await control(smoke, 'switches', { duplicates: 0, reorderWindow: 1 });
      equal(await cryptoCents(smoke), 5500, 'the balance');
    },
  },
  {
    name: 'crypto: coins that are spent elsewhere credit nothing',
    async run(smoke) {
      const payment = await createdIn(smoke, '10.00');
      const paid = await control(smoke, `invoices/${invoiceOf(payment)}/pay`, {});
      await control(smoke, `payments/${String(paid.json['id'])}/revert`, {});
      await smoke.request(`/v1/payments/${payment.sid}/check`, { method: 'POST', body: {} });
      equal((await read(smoke, payment.sid)).credited, null, 'what was credited');
      equal(await cryptoCents(smoke), 5500, 'the balance');
    },
  },
  {
    name: 'crypto: a refund is set aside until it is claimed and paid',
    async run(smoke) {
      const body = { payment_sid: smoke.recall('crypto-payment'), amount: '5.00', reason: 'smoke' };
      const { status, json, text } = await smoke.request('/v1/refunds', { body, headers: key() });
      equal(status, 201, `status of POST /v1/refunds, which answered ${text}`);
      const refund = () => smoke.request(`/v1/refunds/${String(json['sid'])}`);
      const waiting = await eventually('it waits to be claimed', refund, (it) => it.json['state'] === 'pending');
      const claimUrl = String(waiting.json['claim_url']);
      equal(await cryptoCents(smoke), 5000, 'the balance');
      const id = new URL(claimUrl).pathname.split('/').at(-1) ?? '';
      const payout = await control(smoke, `pull-payments/${id}/claim`, {});
      await control(smoke, `payouts/${String(payout.json['id'])}/move`, { state: 'Completed' });
      await smoke.request(`/v1/refunds/${String(json['sid'])}/check`, { method: 'POST', body: {} });
      await eventually('it has left', refund, (it) => it.json['state'] === 'succeeded');
      equal(await cryptoCents(smoke), 5000, 'the balance');
      await control(smoke, 'switches', undefined, 'DELETE');
    },
  },
];

async function createdIn(smoke: Smoke, amount: string): Promise<PaymentAnswer> {
  const body = { provider: 'btcpay', amount, wallet_sid: smoke.recall('crypto-wallet') };
  const answer = await smoke.request('/v1/payments', { body, headers: key() });
  equal(answer.status, 201, `status of POST /v1/payments, which answered ${answer.text}`);
  return asPayment(answer);
}

const invoiceOf = (payment: PaymentAnswer): string => new URL(payment.checkout_url).pathname.split('/').at(-1) ?? '';

/** Whole cents; what is finer is rounded down. */
const cryptoCents = async (smoke: Smoke): Promise<number> =>
  Number((await smoke.billing(smoke.recall('crypto-wallet')))['credit_balance_cents']);

async function confirmAll(smoke: Smoke): Promise<void> {
  const { json } = await control(smoke, 'journal');
  const waiting = (json['payments'] as { id: string; status: string }[]).filter(
    ({ status }) => status === 'Processing',
  );
  for (const { id } of waiting) await control(smoke, `payments/${id}/confirm`, {});
}

function control(smoke: Smoke, path: string, body?: unknown, method?: 'DELETE'): Promise<SmokeAnswer> {
  return smoke.request(`${smoke.recall('crypto-provider')}/_sandbox/${path}`, {
    isOperator: false,
    ...(body === undefined ? {} : { body }),
    ...(method ? { method } : {}),
  });
}
