import type { VerifiedWebhook } from '../provider.ts';
import { ownPaymentSid } from './own-payment.ts';

type References = Pick<VerifiedWebhook, 'orderRef' | 'paymentRef' | 'paymentSid'>;

/** Names the Checkout Session, and so the order. */
const SESSION_EVENTS: ReadonlySet<string> = new Set([
  'checkout.session.completed',
  'checkout.session.async_payment_succeeded',
  'checkout.session.async_payment_failed',
  'checkout.session.expired',
]);
/** Names the PaymentIntent itself. */
const INTENT_EVENTS: ReadonlySet<string> = new Set([
  'payment_intent.succeeded',
  'payment_intent.processing',
  'payment_intent.payment_failed',
  'payment_intent.canceled',
]);
/** Names a charge of the PaymentIntent. */
const CHARGE_EVENTS: ReadonlySet<string> = new Set(['charge.succeeded', 'charge.failed', 'charge.refunded']);
/** Names a refund of a charge of the PaymentIntent. Its metadata is its own: ours if we made it, else none of ours. */
const REFUND_EVENTS: ReadonlySet<string> = new Set([
  'refund.created',
  'refund.updated',
  'refund.failed',
  'charge.refund.updated',
]);

/** Names a dispute of a charge of the PaymentIntent. */
const DISPUTE_EVENTS: ReadonlySet<string> = new Set([
  'charge.dispute.created',
  'charge.dispute.updated',
  'charge.dispute.closed',
  'charge.dispute.funds_withdrawn',
  'charge.dispute.funds_reinstated',
]);

/** Every type that says something to us, for asking after those that did not arrive. */
export const EVENT_TYPES: readonly string[] = [
  ...SESSION_EVENTS,
  ...INTENT_EVENTS,
  ...CHARGE_EVENTS,
  ...REFUND_EVENTS,
  ...DISPUTE_EVENTS,
];

const NOTHING: References = { orderRef: null, paymentRef: null, paymentSid: null };

/**
 * Which order or payment an event speaks of; all null when its type is of no interest.
 * Only references are taken from an event: amounts and states are read from Stripe again before anything is credited.
 */
export function readReferences(type: string, object: Readonly<Record<string, unknown>>): References {
  const paymentSid = ownPaymentSid(object);
  if (SESSION_EVENTS.has(type)) {
    // A page on which a card is saved is no order: nothing is paid there.
    if (object['mode'] === 'setup') return NOTHING;
    return { orderRef: text(object['id']), paymentRef: text(object['payment_intent']), paymentSid };
  }
  if (INTENT_EVENTS.has(type)) return { orderRef: null, paymentRef: text(object['id']), paymentSid };
  if (CHARGE_EVENTS.has(type) || REFUND_EVENTS.has(type))
    return { orderRef: null, paymentRef: text(object['payment_intent']), paymentSid };
  // A dispute has metadata of its own, and none of ours.
  if (DISPUTE_EVENTS.has(type)) return { orderRef: null, paymentRef: text(object['payment_intent']), paymentSid: null };
  return NOTHING;
}

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
