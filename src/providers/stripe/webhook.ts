import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import type { VerifiedWebhook, WebhookDelivery } from '../provider.ts';
import { isSameSignature, matchingSecret, webhookSecretProblem, type WebhookSecrets } from '../webhook-secret.ts';
import { readReferences } from './event.ts';

/** What Stripe puts before the random part of a signing secret. It belongs to the key. */
export const SECRET_PREFIX = 'whsec_';
/** How far the signed time may lie from ours, in both directions. Stripe's own library bounds the past only. */
const TOLERANCE_SECONDS = 300;
/** Stripe sends one value per active secret. More would make us compute for an attacker. */
const SIGNATURES_MAX = 10;
/** Ten full signatures take under 800 characters. */
const HEADER_CHARACTERS_MAX = 2_000;

/** Source: docs.stripe.com/webhooks/signature. The key is the whole secret as text, `whsec_` included. */
export function signatureOf(secret: string, timestamp: number, body: Uint8Array): string {
  return createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest('hex');
}

/**
 * Checks a delivery over its raw bytes; nothing of the body is parsed before it is known to be Stripe's.
 *
 * Refuses: `webhook_not_configured`, `signature_missing`, `invalid_signature`, `signature_expired`, and
 * `invalid_request` for a verified body that is not an event. Safe to call twice: replays are the inbox's concern.
 */
export function verifyStripeWebhook(secrets: WebhookSecrets, delivery: WebhookDelivery): VerifiedWebhook | Refusal {
  const { current } = secrets;
  if (current === undefined || webhookSecretProblem(current, SECRET_PREFIX) !== null) {
    return refuse('webhook_not_configured', 'No usable webhook secret is configured for Stripe.');
  }
  const header = readHeader(delivery.headers);
  if ('kind' in header) return header;
  const nowSeconds = Math.floor(delivery.now.getTime() / 1000);
  if (header.timestamp === null || Math.abs(nowSeconds - header.timestamp) > TOLERANCE_SECONDS) {
    return refuse('signature_expired', 'The signature is too old or from the future.');
  }
  const { timestamp, signatures } = header;
  const fits = (secret: string): boolean => {
    const expected = signatureOf(secret, timestamp, delivery.body);
    return signatures.some((signature) => /^[0-9a-f]{64}$/.test(signature) && isSameSignature(signature, expected));
  };
  const verifiedWith = matchingSecret({ ...secrets, current }, delivery.now, fits, SECRET_PREFIX);
  if (verifiedWith === null) return refuse('invalid_signature', 'The signature does not fit the body.');
  return readEvent(delivery.body, verifiedWith);
}

interface SignatureHeader {
  /** Null: not exactly one plain number. */
  readonly timestamp: number | null;
  readonly signatures: readonly string[];
}

/** Reads `t=1700000000,v1=<hex>[,v1=<hex>…]`. Exactly one header: two could be read differently by two readers. */
function readHeader(headers: WebhookDelivery['headers']): SignatureHeader | Refusal {
  const values = headers.get('stripe-signature') ?? [];
  const [value] = values;
  if (value === undefined || value.trim() === '') {
    return refuse('signature_missing', 'The Stripe-Signature header is missing.');
  }
  // Stripe writes no white space; two headers that a proxy or a library has joined have it after the comma.
  if (values.length > 1 || value.length > HEADER_CHARACTERS_MAX || /\s/.test(value)) {
    return refuse('invalid_signature', 'The Stripe-Signature header must be sent once, be short and hold no space.');
  }
  const timestamps: string[] = [];
  const signatures: string[] = [];
  for (const element of value.split(',')) {
    if (element.startsWith('t=')) timestamps.push(element.slice(2));
    else if (element.startsWith('v1=') && signatures.length < SIGNATURES_MAX) signatures.push(element.slice(3));
  }
  const [timestamp = ''] = timestamps;
  if (timestamps.length === 0) return refuse('invalid_signature', 'The Stripe-Signature header has no time.');
  const isPlain = timestamps.length === 1 && /^(0|[1-9][0-9]{0,14})$/.test(timestamp);
  return { timestamp: isPlain ? Number(timestamp) : null, signatures };
}

const eventShape = z.object({
  id: z.string().min(1).max(255),
  object: z.enum(['event', 'v2.core.event']),
  type: z.string().min(1).max(255),
  livemode: z.boolean(),
  account: z.string().min(1).max(255).nullish(),
  data: z.object({ object: z.record(z.string(), z.unknown()) }).nullish(),
});

function readEvent(body: Uint8Array, verifiedWith: VerifiedWebhook['verifiedWith']): VerifiedWebhook | Refusal {
  const event = readEventObject(parseJson(body));
  return event === null ? refuse('invalid_request', 'The body is not a Stripe event.') : { ...event, verifiedWith };
}

/** What we read of an event, delivered or listed; null when it is none. */
export function readEventObject(body: unknown): Omit<VerifiedWebhook, 'verifiedWith'> | null {
  const event = eventShape.safeParse(body);
  if (!event.success) return null;
  const { id, object, type, livemode, account, data } = event.data;
  // A "thin" event (v2) carries no object; nothing we use arrives that way.
  const references = object === 'event' ? readReferences(type, data?.object ?? {}) : readReferences('', {});
  return {
    eventId: id,
    eventType: type,
    accountId: account ?? null,
    isLive: livemode,
    ...references,
    refundSid: null,
    refundRef: null,
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
