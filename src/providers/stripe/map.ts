import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { fromCents, isWholeCents, micros, MICROS_PER_CENT, type Micros } from '../../domain/money.ts';
import type { NewOrder, ProviderAccount, ProviderOrder } from '../provider.ts';
import { metadataText, ownPaymentSid } from './own-payment.ts';
import type { SessionParams } from './client.ts';

/** Stripe takes at most eight digits of minor units. */
const CENTS_MAX = 99_999_999n;

/** Exact by construction: anything finer than a cent or larger than Stripe takes is a bug of the caller. */
export function toStripeCents(amount: Micros): number {
  assert(isWholeCents(amount), 'Stripe takes whole cents only');
  const cents = amount / MICROS_PER_CENT;
  assert(cents > 0n && cents <= CENTS_MAX, 'amount is outside what Stripe takes');
  return Number(cents);
}

/**
 * The Checkout Session for one top-up, always in USD.
 *
 * The payment methods are chosen in Stripe's dashboard: this API version refuses a list of types here. Adaptive
 * pricing is off, or Stripe would charge another currency and the amount paid would no longer be the amount asked.
 * The references go on the PaymentIntent too, because Stripe does not copy a session's metadata.
 */
export function toSessionParams(order: NewOrder): SessionParams {
  assert(order.currency === 'USD', 'Stripe orders are in USD');
  const metadata = { payment_sid: order.paymentSid, user_sid: order.userSid };
  return {
    mode: 'payment',
    line_items: [
      {
        quantity: 1,
        price_data: {
          currency: 'usd',
          unit_amount: toStripeCents(order.amount),
          product_data: { name: order.description },
        },
      },
    ],
    adaptive_pricing: { enabled: false },
    client_reference_id: order.paymentSid,
    metadata,
    payment_intent_data: { metadata, ...(order.savesCard === true ? { setup_future_usage: 'off_session' } : {}) },
    ...(order.customerRef == null ? {} : { customer: order.customerRef }),
    // Who asks for a card to be saved is shown cards only: of other methods nothing could be charged later.
    ...(order.savesCard === true ? { allowed_payment_method_types: ['card'] } : {}),
    success_url: order.successUrl,
    cancel_url: order.cancelUrl,
    expires_at: Math.floor(order.expiresAt.getTime() / 1000),
  };
}

const cents = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const metadata = z.record(z.string(), z.string()).nullish();

export const intentShape = z.object({
  id: z.string().regex(/^pi_[A-Za-z0-9_]+$/),
  object: z.literal('payment_intent'),
  status: z.string(),
  currency: z.string(),
  amount_received: cents,
  livemode: z.boolean(),
  metadata,
});
export type StripeIntent = z.infer<typeof intentShape>;

/** What we read of a session. Strict where money depends on it: an unknown status is a failure, not a guess. */
export const sessionShape = z.object({
  id: z.string().regex(/^cs_[A-Za-z0-9_]+$/),
  object: z.literal('checkout.session'),
  mode: z.literal('payment'),
  status: z.enum(['open', 'complete', 'expired']),
  payment_status: z.enum(['paid', 'unpaid', 'no_payment_required']),
  currency: z.string().regex(/^[a-zA-Z]{3}$/),
  amount_subtotal: cents,
  amount_total: cents,
  total_details: z.object({ amount_discount: cents, amount_tax: cents }).nullish(),
  client_reference_id: z.string().nullish(),
  metadata,
  livemode: z.boolean(),
  payment_intent: z.union([z.string(), intentShape]).nullish(),
  url: z.url().nullish(),
  created: z.number().int(),
  expires_at: z.number().int(),
});
export type StripeSession = z.infer<typeof sessionShape>;

export const accountShape = z.object({ id: z.string().regex(/^acct_[A-Za-z0-9_]+$/), object: z.literal('account') });

/** One account can serve several programs: sessions of others are passed over, whatever their shape. */
export const isOurSession = (session: Readonly<Record<string, unknown>>): boolean =>
  session['mode'] === 'payment' && ownPaymentSid(session) !== null;

export function toProviderOrder(session: StripeSession, account: ProviderAccount): ProviderOrder {
  const intent = typeof session.payment_intent === 'object' ? (session.payment_intent ?? null) : null;
  const state = stateOf(session, intent);
  const paymentRef = intent?.id ?? (typeof session.payment_intent === 'string' ? session.payment_intent : null);
  return {
    orderRef: session.id,
    paymentSid: ownPaymentSid(session),
    userSid: metadataText(session.metadata, 'user_sid'),
    accountId: account.id,
    isLive: session.livemode,
    currency: session.currency.toUpperCase(),
    state,
    progress: null,
    payments:
      state === 'paid' && paymentRef !== null
        ? [{ paymentRef, amount: amountReceived(session, intent), refunds: [], disputes: [] }]
        : [],
    checkoutUrl: state === 'open' ? (session.url ?? null) : null,
    expiresAt: new Date(session.expires_at * 1000),
  };
}

/** A session whose delayed payment failed stays `complete` and `unpaid`; only its PaymentIntent tells. */
function stateOf(session: StripeSession, intent: StripeIntent | null): ProviderOrder['state'] {
  if (session.payment_status === 'paid') return 'paid';
  if (session.status === 'open') return 'open';
  if (session.status === 'expired') return 'expired';
  // Complete without a payment (a discount of everything): no money came, so there is nothing to credit.
  if (session.payment_status === 'no_payment_required') return 'failed';
  return intent?.status === 'canceled' || intent?.status === 'requires_payment_method' ? 'failed' : 'processing';
}

/** Before tax and after discounts, and never more than what the PaymentIntent received less the tax. */
function amountReceived(session: StripeSession, intent: StripeIntent | null): Micros {
  const asked = session.amount_subtotal - (session.total_details?.amount_discount ?? 0);
  if (intent === null) return fromCents(asked);
  const received = intent.amount_received - (session.total_details?.amount_tax ?? 0);
  return micros(fromCents(Math.max(0, Math.min(asked, received))));
}
