import account from './fixtures/account.json' with { type: 'json' };
import charge from './fixtures/charge.json' with { type: 'json' };
import session from './fixtures/checkout-session.json' with { type: 'json' };
import intent from './fixtures/payment-intent.json' with { type: 'json' };
import type { Customer, PaymentMethod } from './cards.ts';
import type { Charge, Decline, Intent, Session } from './records.ts';

/** The API version whose shapes these are; the one of the pinned SDK. */
export const API_VERSION = '2026-10-28.endive';

export const accountObject = (id: string): object => ({ ...account, id });

export function sessionObject(it: Session): object {
  const total = it.subtotal - it.discount + it.tax;
  return {
    ...session,
    id: it.id,
    ...(it.mode === 'setup'
      ? { amount_subtotal: null, amount_total: null, payment_method_collection: 'always' }
      : { amount_subtotal: it.subtotal, amount_total: total }),
    cancel_url: it.cancelUrl,
    client_reference_id: it.clientReferenceId,
    created: it.created,
    currency: it.currency,
    customer: it.customerId,
    expires_at: it.expiresAt,
    livemode: it.livemode,
    metadata: it.metadata,
    mode: it.mode,
    payment_intent: it.intentId,
    payment_status: it.paymentStatus,
    setup_intent: it.setupIntentId,
    status: it.status,
    success_url: it.successUrl,
    total_details: { amount_discount: it.discount, amount_shipping: 0, amount_tax: it.tax },
    url: it.status === 'open' ? it.url : null,
  };
}

export function intentObject(it: Intent): object {
  return {
    ...intent,
    id: it.id,
    amount: it.amount,
    amount_received: it.amountReceived,
    client_secret: `${it.id}_secret_sandbox`,
    created: it.created,
    currency: it.currency,
    customer: it.customerId,
    description: it.description,
    last_payment_error: it.decline === null ? null : declineObject(it.decline),
    latest_charge: it.chargeId,
    livemode: it.livemode,
    metadata: it.metadata,
    payment_method: it.paymentMethodId,
    setup_future_usage: it.savesCard ? 'off_session' : null,
    status: it.status,
  };
}

export function chargeObject(it: Charge): object {
  return {
    ...charge,
    id: it.id,
    amount: it.amount,
    amount_captured: it.amount,
    amount_refunded: it.amountRefunded ?? 0,
    balance_transaction: it.id.replace(/^ch_/, 'txn_'),
    captured: true,
    created: it.created,
    currency: it.currency,
    description: it.description,
    disputed: it.isDisputed === true,
    livemode: it.livemode,
    metadata: it.metadata,
    paid: true,
    payment_intent: it.intentId,
    payment_method: it.paymentMethodId ?? it.id.replace(/^ch_/, 'pm_'),
    refunded: it.amountRefunded === it.amount,
    status: 'succeeded',
  };
}

export const customerObject = (it: Customer): object => ({
  id: it.id,
  object: 'customer',
  balance: 0,
  created: it.created,
  currency: null,
  default_source: null,
  delinquent: false,
  description: null,
  email: null,
  invoice_settings: { custom_fields: null, default_payment_method: null, footer: null, rendering_options: null },
  livemode: false,
  metadata: it.metadata,
  name: null,
  phone: null,
  shipping: null,
});

export const methodObject = (it: PaymentMethod): object => ({
  id: it.id,
  object: 'payment_method',
  allow_redisplay: 'limited',
  billing_details: charge.billing_details,
  card: {
    ...charge.payment_method_details.card,
    brand: it.brand,
    display_brand: it.brand,
    last4: it.last4,
    fingerprint: `sandbox${it.brand}${it.last4}`,
  },
  created: it.created,
  customer: it.customerId,
  livemode: false,
  metadata: {},
  type: 'card',
});

export const declineObject = (it: Decline): object => ({
  code: it.code,
  decline_code: it.declineCode,
  message: it.message,
  type: 'card_error',
});

export function eventObject(it: {
  readonly id: string;
  readonly type: string;
  readonly created: number;
  readonly livemode: boolean;
  readonly account: string | null;
  readonly object: object;
}): object {
  return {
    id: it.id,
    object: 'event',
    ...(it.account === null ? {} : { account: it.account }),
    api_version: API_VERSION,
    created: it.created,
    data: { object: it.object },
    livemode: it.livemode,
    pending_webhooks: 1,
    request: { id: null, idempotency_key: null },
    type: it.type,
  };
}
