import { createHash } from 'node:crypto';
import { z } from 'zod';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import type { VerifiedWebhook, WebhookDelivery } from '../provider.ts';
import { canonicalText, checksumOf, isSameChecksum, type ChecksumMethod, type Payload } from './checksum.ts';
import { readReference } from './reference.ts';

export interface WebhookTrust {
  /** Absent or unusable: no delivery is accepted (`webhook_not_configured`). */
  readonly checksumKey: string | null;
  /** Null, absent or unusable, or without an end: no other key is good. */
  readonly checksumKeyPrevious?: string | null;
  readonly checksumKeyPreviousUntil?: Date | null;
  /** With `legacy` both methods are accepted; with `canonical` that one alone. */
  readonly checksumMethod: ChecksumMethod;
  /** ClickPesa does not say whether money is real; our configuration does. */
  readonly isLive: boolean;
}

/** A MAC key that is shorter than this can be guessed. */
const KEY_BYTES_MIN = 16;
const PLACEHOLDER = /change[-_ ]?me|replace|placeholder|your[-_]|secret[-_]here|example|insert|xxxx/i;

/** What is wrong with a checksum key, or null. The sentence never contains the key. */
export function checksumKeyProblem(key: string | null): string | null {
  if (key === null || key === '') return 'is not set';
  if (/\s/.test(key)) return 'contains white space';
  if (Buffer.byteLength(key) < KEY_BYTES_MIN) return `is shorter than ${KEY_BYTES_MIN} bytes`;
  return PLACEHOLDER.test(key) || new Set(key).size < 6 ? 'is a placeholder' : null;
}

/**
 * Checks the checksum that the body carries. ClickPesa signs no header and no time: an old delivery can be sent again by anybody who
 * has seen it. So nothing but references is taken from it, and the truth is asked for before anything is posted.
 *
 * Refuses `webhook_not_configured`, `signature_missing`, `invalid_signature`.
 */
export function verifyClickPesaWebhook(trust: WebhookTrust, { body, now }: WebhookDelivery): VerifiedWebhook | Refusal {
  const { checksumKey } = trust;
  if (checksumKey === null || checksumKeyProblem(checksumKey) !== null) {
    return refuse('webhook_not_configured', 'No usable checksum key is configured for ClickPesa.');
  }
  const payload = parseObject(body);
  if (payload === null) return refuse('invalid_signature', 'The body is not a JSON object with a checksum.');
  const checksum = payload['checksum'];
  if (typeof checksum !== 'string' || checksum === '') {
    return refuse('signature_missing', 'The body carries no checksum.');
  }
  const verifiedWith = matchingKey(trust, checksumKey, now, (key) => fits(trust, key, payload, checksum));
  if (verifiedWith === null) return refuse('invalid_signature', 'The checksum does not fit the body.');
  return { ...readEvent(payload, trust.isLive), verifiedWith };
}

/** Which key a delivery was signed with. The one before the present is good until its end, as long as it cannot be guessed either. */
function matchingKey(
  { checksumKeyPrevious: previous = null, checksumKeyPreviousUntil: until = null }: WebhookTrust,
  current: string,
  now: Date,
  isFit: (key: string) => boolean,
): VerifiedWebhook['verifiedWith'] | null {
  if (isFit(current)) return 'current';
  if (previous === null || until === null || now.getTime() >= until.getTime()) return null;
  return checksumKeyProblem(previous) === null && isFit(previous) ? 'previous' : null;
}

function fits(trust: WebhookTrust, key: string, payload: Payload, checksum: string): boolean {
  if (!/^[0-9a-f]{64}$/.test(checksum)) return false;
  const said = payload['checksumMethod'];
  if (said !== undefined && said !== 'canonical' && said !== 'legacy') return false;
  const methods: ChecksumMethod[] = trust.checksumMethod === 'legacy' ? ['canonical', 'legacy'] : ['canonical'];
  return methods
    .filter((method) => said === undefined || said === method)
    .some((method) => isSameChecksum(checksum, checksumOf(method, key, payload)));
}

const text = z.string().min(1).max(200);
/** Both generations: the older one says `eventType` and `paymentId`. */
const eventShape = z.object({
  event: text.optional(),
  eventType: text.optional(),
  data: z
    .object({
      id: text.optional(),
      paymentId: text.optional(),
      status: text.optional(),
      orderReference: text.optional(),
      clientId: text.nullish(),
    })
    .optional(),
});

/** An unknown shape is authentic all the same: what reference it names is looked at, and without one it is kept and ignored. */
function readEvent(payload: Payload, isLive: boolean): Omit<VerifiedWebhook, 'verifiedWith'> {
  const read = eventShape.safeParse(payload);
  const { event, eventType, data = {} } = read.success ? read.data : {};
  const type = event ?? eventType ?? 'unknown';
  const id = data.id ?? data.paymentId;
  return {
    // There is no event id; a payment says each of its states once.
    eventId: id === undefined ? digestOf(payload) : `${type}:${id}:${data.status ?? ''}`.slice(0, 255),
    eventType: type,
    accountId: data.clientId ?? null,
    isLive,
    ...referencesOf(type, data.orderReference),
    // A later payment of the same link is no other order.
    paymentRef: null,
    refundRef: null,
  };
}

type References = Pick<VerifiedWebhook, 'orderRef' | 'paymentSid' | 'refundSid'>;
const NOTHING: References = { orderRef: null, paymentSid: null, refundSid: null };

function referencesOf(type: string, orderReference: string | undefined): References {
  if (orderReference === undefined) return NOTHING;
  const ours = readReference(orderReference);
  if (type.startsWith('PAYOUT ')) return ours?.names === 'refund' ? { ...NOTHING, refundSid: ours.sid } : NOTHING;
  if (type.startsWith('DEPOSIT ')) return NOTHING;
  if (ours?.names === 'refund') return NOTHING;
  return { ...NOTHING, orderRef: orderReference, paymentSid: ours?.sid ?? null };
}

const digestOf = (payload: Payload): string => createHash('sha256').update(canonicalText(payload)).digest('hex');

/** Null when the bytes are not UTF-8 JSON of an object, or nested too deeply to be checked. A byte order mark is not JSON. */
function parseObject(body: Uint8Array): Payload | null {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body));
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return null;
    canonicalText({ ...parsed });
    return { ...parsed };
  } catch {
    return null;
  }
}
