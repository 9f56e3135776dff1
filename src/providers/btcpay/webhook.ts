import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import type { VerifiedWebhook, WebhookDelivery } from '../provider.ts';
import { isSameSignature, matchingSecret, webhookSecretProblem, type WebhookSecrets } from '../webhook-secret.ts';
import { ownPaymentSid } from './own-payment.ts';

/** `sha256=` and 64 hexadecimal digits; anything longer makes us read for an attacker. */
const SIGNATURE = /^sha256=[0-9a-f]{64}$/;

/** The key is the secret as text, and the MAC is over the very bytes that came. There is no time in it. */
export const signatureOf = (secret: string, body: Uint8Array): string =>
  `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;

/**
 * Checks a delivery over its raw bytes; nothing of the body is parsed before it is known to be BTCPay Server's.
 *
 * The signature holds no time, so an old delivery verifies for ever. That is harmless: an event only makes us read the invoice, and
 * the inbox knows the event by its first delivery's id.
 * Refuses: `webhook_not_configured`, `signature_missing`, `invalid_signature`, and `invalid_request` for a verified body that is not
 * an event. Safe to call twice.
 */
export function verifyBtcpayWebhook(
  secrets: WebhookSecrets,
  mode: { readonly isLive: boolean },
  delivery: WebhookDelivery,
): VerifiedWebhook | Refusal {
  const { current } = secrets;
  if (current === undefined || webhookSecretProblem(current) !== null) {
    return refuse('webhook_not_configured', 'No usable webhook secret is configured for BTCPay Server.');
  }
  const values = delivery.headers.get('btcpay-sig') ?? [];
  const [signature = ''] = values;
  if (signature.trim() === '') return refuse('signature_missing', 'The BTCPay-Sig header is missing.');
  // Exactly one header: two could be read differently by two readers.
  const isWellFormed = values.length === 1 && SIGNATURE.test(signature);
  const fits = (secret: string): boolean => isSameSignature(signature, signatureOf(secret, delivery.body));
  const verifiedWith = isWellFormed ? matchingSecret({ ...secrets, current }, delivery.now, fits) : null;
  if (verifiedWith === null) return refuse('invalid_signature', 'The signature does not fit the body.');
  return readEvent(delivery.body, mode.isLive, verifiedWith);
}

const eventShape = z.object({
  deliveryId: z.string().min(1).max(255),
  originalDeliveryId: z.string().min(1).max(255).nullish(),
  type: z.string().min(1).max(255),
  storeId: z.string().min(1).max(255).nullish(),
  invoiceId: z
    .string()
    .regex(/^[A-Za-z0-9]{8,64}$/)
    .nullish(),
  pullPaymentId: z
    .string()
    .regex(/^[A-Za-z0-9]{8,64}$/)
    .nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
});

function readEvent(
  body: Uint8Array,
  isLive: boolean,
  verifiedWith: VerifiedWebhook['verifiedWith'],
): VerifiedWebhook | Refusal {
  const event = eventShape.safeParse(parseJson(body));
  if (!event.success) return refuse('invalid_request', 'The body is not an event of BTCPay Server.');
  const { deliveryId, originalDeliveryId, type, storeId, invoiceId, pullPaymentId, metadata } = event.data;
  const orderRef = type.startsWith('Invoice') && type !== 'InvoiceCreated' ? (invoiceId ?? null) : null;
  return {
    // Every attempt has an id of its own and names the first one.
    eventId: originalDeliveryId ?? deliveryId,
    eventType: type,
    accountId: storeId ?? null,
    isLive,
    orderRef,
    // An invoice may have many payments; the event's own one would make the others look foreign.
    paymentRef: null,
    paymentSid: orderRef === null ? null : ownPaymentSid(metadata),
    refundSid: null,
    // Every refund is a pull payment; a payout is a part of it that somebody has claimed.
    refundRef: type.startsWith('Payout') ? (pullPaymentId ?? null) : null,
    verifiedWith,
  };
}

/** Undefined when the bytes are not UTF-8 JSON. A byte order mark is not JSON. */
function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body));
  } catch {
    return undefined;
  }
}
