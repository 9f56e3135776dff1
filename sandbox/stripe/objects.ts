import account from './fixtures/account.json' with { type: 'json' };
import charge from './fixtures/charge.json' with { type: 'json' };
import session from './fixtures/checkout-session.json' with { type: 'json' };
import intent from './fixtures/payment-intent.json' with { type: 'json' };
import type { Charge, Intent, Session } from './state.ts';

/** The API version whose shapes these are; the one of the pinned SDK. */
export const API_VERSION = '2026-10-28.endive';

export const accountObject = (id: string): object => ({ ...account, id });

export function sessionObject(it: Session): object {
  const total = it.subtotal - it.discount + it.tax;
  return {
    ...session,
    id: it.id,
    amount_subtotal: it.subtotal,
    amount_total: total,
    cancel_url: it.cancelUrl,
    client_reference_id: it.clientReferenceId,
    created: it.created,
    currency: it.currency,
    expires_at: it.expiresAt,
    livemode: it.livemode,
    metadata: it.metadata,
    mode: 'payment',
    payment_intent: it.intentId,
    payment_status: it.paymentStatus,
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
    description: it.description,
    last_payment_error: it.declined ? DECLINED : null,
    latest_charge: it.chargeId,
    livemode: it.livemode,
    metadata: it.metadata,
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
    livemode: it.livemode,
    metadata: it.metadata,
    paid: true,
    payment_intent: it.intentId,
    payment_method: it.id.replace(/^ch_/, 'pm_'),
    refunded: it.amountRefunded === it.amount,
    status: 'succeeded',
  };
}

const DECLINED = {
  code: 'card_declined',
  decline_code: 'generic_decline',
  message: 'Your card was declined.',
  type: 'card_error',
};

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
