import { createHash, timingSafeEqual } from 'node:crypto';

/** The secrets of one webhook endpoint. During a rotation the one before stays good until `previousUntil`. */
export interface WebhookSecrets {
  /** Absent or unusable: no delivery is accepted (`webhook_not_configured`). */
  readonly current?: string | undefined;
  readonly previous?: string | undefined;
  /** Without it `previous` is never accepted: a rotation that does not end is a second secret. */
  readonly previousUntil?: Date | undefined;
}

/** A MAC key shorter than this can be guessed. */
const SECRET_BYTES_MIN = 24;
const PLACEHOLDER = /change[-_ ]?me|replace|placeholder|your[-_]|secret[-_]here|example|insert|xxxx/i;
/** A random secret of the least length has about twenty different characters. */
const DIFFERENT_CHARACTERS_MIN = 8;

/**
 * What is wrong with a webhook secret, or null. The sentence never contains the secret. `prefix` is no part of its randomness.
 * A missing or guessable secret must close the endpoint: an empty HMAC key verifies for everybody.
 */
export function webhookSecretProblem(secret: string | undefined, prefix = ''): string | null {
  if (secret === undefined || secret === '') return 'is not set';
  if (/\s/.test(secret)) return 'contains white space';
  if (Buffer.byteLength(secret) < SECRET_BYTES_MIN) return `is shorter than ${SECRET_BYTES_MIN} bytes`;
  const random = secret.startsWith(prefix) ? secret.slice(prefix.length) : secret;
  if (PLACEHOLDER.test(secret) || new Set(random).size < DIFFERENT_CHARACTERS_MIN) return 'is a placeholder';
  return null;
}

/** Which secret a delivery was signed with; null: with none that is good at `now`. `fits` compares in constant time. */
export function matchingSecret(
  secrets: WebhookSecrets & { readonly current: string },
  now: Date,
  fits: (secret: string) => boolean,
  prefix = '',
): 'current' | 'previous' | null {
  if (fits(secrets.current)) return 'current';
  const { previous, previousUntil } = secrets;
  if (previous === undefined || previousUntil === undefined) return null;
  if (webhookSecretProblem(previous, prefix) !== null || now.getTime() >= previousUntil.getTime()) return null;
  return fits(previous) ? 'previous' : null;
}

/** Hashed first: `timingSafeEqual` throws on different lengths, and the hashes have one length. */
export function isSameSignature(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
