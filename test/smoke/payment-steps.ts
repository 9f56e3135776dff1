import { equal, eventually, type Smoke, type SmokeAnswer } from './suite.ts';

export interface PaymentAnswer {
  readonly sid: string;
  readonly state: string;
  readonly amount: string;
  readonly amount_cents: number;
  readonly currency: string;
  readonly credited: string | null;
  readonly checkout_url: string;
  readonly problem: string | null;
}

export const key = () => ({ 'idempotency-key': `smoke-${crypto.randomUUID()}` });
export const asPayment = (answer: SmokeAnswer): PaymentAnswer => answer.json as unknown as PaymentAnswer;
export const isFinal = (payment: PaymentAnswer) =>
  ['credited', 'failed', 'expired', 'quarantined'].includes(payment.state);

export async function create(
  smoke: Smoke,
  amount: string,
  headers: Record<string, string> = key(),
): Promise<SmokeAnswer> {
  const body = { provider: 'stripe', amount, wallet_sid: smoke.recall('wallet') };
  return smoke.request('/v1/payments', { body, headers });
}

export async function created(smoke: Smoke, amount: string): Promise<PaymentAnswer> {
  const answer = await create(smoke, amount);
  equal(answer.status, 201, `status of POST /v1/payments, which answered ${answer.text}`);
  return asPayment(answer);
}

/** What the customer presses on the checkout page. */
export async function choose(smoke: Smoke, payment: PaymentAnswer, choice: string): Promise<SmokeAnswer> {
  return smoke.request(payment.checkout_url, {
    method: 'POST',
    rawBody: `choice=${choice}`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    isOperator: false,
  });
}

export async function settled(smoke: Smoke, sid: string): Promise<PaymentAnswer> {
  return eventually(`payment ${sid} is final`, () => read(smoke, sid), isFinal);
}

export const read = async (smoke: Smoke, sid: string) => asPayment(await smoke.request(`/v1/payments/${sid}`));

export async function cents(smoke: Smoke): Promise<number> {
  return Number((await smoke.billing(smoke.recall('wallet')))['credit_balance_cents']);
}

/** The simulator's switches, through the origin of the checkout page. */
export function control(smoke: Smoke, path: string, body?: unknown, method?: 'DELETE'): Promise<SmokeAnswer> {
  const url = `${smoke.recall('provider')}/_sandbox/${path}`;
  return smoke.request(url, {
    isOperator: false,
    ...(body === undefined ? {} : { body }),
    ...(method ? { method } : {}),
  });
}

export const sessionOf = (payment: PaymentAnswer) => new URL(payment.checkout_url).pathname.split('/').at(-1) ?? '';

export async function countOfEvents(smoke: Smoke): Promise<number> {
  const { json } = await smoke.request('/v1/webhook-events?limit=200');
  return (json['items'] as unknown[]).length;
}
