import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto';

/**
 * Secrets that must be used again, and so cannot be hashed, are kept sealed: AES-256-GCM under a key of the configuration, bound to
 * the place where they are kept, so that one row's secret is of no use in another.
 */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
export const SEAL_NONCE_BYTES = NONCE_BYTES;

/** Names a key without telling it: which of two a text was sealed with. */
export const sealKeyId = (secret: string): string =>
  createHash('sha256').update(`seal key id\n${secret}`).digest('hex').slice(0, 8);

/** `place`: what the secret belongs to, such as `endpoint:<sid>`. `nonce`: fresh random bytes, never used twice. */
export function seal(secret: string, text: string, place: string, nonce: Uint8Array): string {
  const cipher = createCipheriv('aes-256-gcm', keyOf(secret), nonce);
  cipher.setAAD(Buffer.from(place));
  const bytes = Buffer.concat([Buffer.from(nonce), cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `v1.${sealKeyId(secret)}.${bytes.toString('base64url')}`;
}

/** Null when none of the keys opens it: the key is lost, the text was changed, or it belongs elsewhere. */
export function unseal(secrets: readonly string[], sealed: string, place: string): string | null {
  const [, keyId, body] = /^v1\.([0-9a-f]{8})\.([A-Za-z0-9_-]+)$/.exec(sealed) ?? [];
  const secret = secrets.find((candidate) => sealKeyId(candidate) === keyId);
  if (secret === undefined || body === undefined) return null;
  const bytes = Buffer.from(body, 'base64url');
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return null;
  const decipher = createDecipheriv('aes-256-gcm', keyOf(secret), bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(place));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8');
  } catch {
    return null;
  }
}

/** Whether a text should be sealed anew: it was made with another key than the present one. */
export const isSealedWith = (secret: string, sealed: string): boolean => sealed.startsWith(`v1.${sealKeyId(secret)}.`);

const keyOf = (secret: string): Buffer => Buffer.from(hkdfSync('sha256', secret, '', 'hero-onboarding seal', 32));
