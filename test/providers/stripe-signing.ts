import { Stripe } from 'stripe';
import { isRefusal, type Refusal } from '../../src/domain/refusal.ts';
import type { VerifiedWebhook, WebhookDelivery } from '../../src/providers/provider.ts';
import { verifyStripeWebhook } from '../../src/providers/stripe/webhook.ts';
import type { WebhookSecrets } from '../../src/providers/webhook-secret.ts';
import { WEBHOOK_SECRET } from './stripe-bench.ts';

/** A whole second, so that the boundaries of the tolerance are exact. */
export const NOW = new Date('2026-03-01T12:00:00.000Z');
export const NOW_SECONDS = NOW.getTime() / 1000;

export const EVENT = {
  id: 'evt_1Nh4',
  object: 'event',
  api_version: '2026-10-28.endive',
  created: NOW_SECONDS,
  livemode: false,
  type: 'checkout.session.completed',
  data: {
    object: {
      id: 'cs_test_a1b2c3',
      object: 'checkout.session',
      client_reference_id: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
      metadata: { payment_sid: '01ARZ3NDEKTSV4RRFFQ69G5FAV', user_sid: '01ARZ3NDEKTSV4RRFFQ69G5USR' },
      payment_intent: 'pi_3abc',
    },
  },
};
export const BODY = JSON.stringify(EVENT);

/** Signed by Stripe's own code, which knows nothing of ours. */
export const sign = (payload: string, secret = WEBHOOK_SECRET, timestamp = NOW_SECONDS): string =>
  Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp });

export function delivery(
  body: string | Uint8Array,
  signature: string | readonly string[] | null,
  now = NOW,
): WebhookDelivery {
  const values = signature === null ? [] : typeof signature === 'string' ? [signature] : signature;
  return {
    body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
    headers: new Map(values.length === 0 ? [] : [['stripe-signature', values]]),
    now,
  };
}

/** The refusal's code, or 'verified'. */
export function verdict(
  sent: WebhookDelivery,
  secrets: WebhookSecrets = { current: WEBHOOK_SECRET },
): Refusal['code'] | 'verified' {
  const answer = verifyStripeWebhook(secrets, sent);
  return isRefusal(answer) ? answer.code : 'verified';
}

export function verified(
  sent: WebhookDelivery,
  secrets: WebhookSecrets = { current: WEBHOOK_SECRET },
): VerifiedWebhook {
  const answer = verifyStripeWebhook(secrets, sent);
  if (isRefusal(answer)) throw new Error(answer.message);
  return answer;
}
