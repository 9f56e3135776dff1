import { hash, timingSafeEqual } from 'node:crypto';

/** What a key is can be seen at sight, by people and by scanners for secrets that were committed. */
const PREFIXES = { node: 'nk_', user: 'uk_' } as const;
export type KeyKind = keyof typeof PREFIXES;

const FORM = /^(nk|uk)_([0-9a-z]{16})_([A-Za-z0-9-]{43})$/;
/** Base 32 in small letters: 80 bits name a key. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** What is kept of a key: its public half, and of the secret half the hash. */
export interface StoredKey {
  readonly keyId: string;
  readonly secretHash: Uint8Array;
}

export const KEY_ID_BYTES = 16;
export const SECRET_BYTES = 32;

/** A new key of so many random bytes: told once as `text`. */
export function newKey(
  kind: KeyKind,
  random: { readonly id: Uint8Array; readonly secret: Uint8Array },
): StoredKey & { readonly text: string } {
  const keyId = [...random.id].map((byte) => ALPHABET.charAt(byte % 32)).join('');
  // No underscore in the secret: the form stays readable.
  const secret = Buffer.from(random.secret).toString('base64url').replaceAll('_', '-');
  return { keyId, secretHash: hashOf(secret), text: `${PREFIXES[kind]}${keyId}_${secret}` };
}

/** Whether a bearer token is meant as a key of either kind, well formed or not. */
export const isMeantAsKey = (text: string): boolean =>
  Object.values(PREFIXES).some((prefix) => text.startsWith(prefix));

/** A key as somebody sent it; null when it does not have the form of one. */
export function readKeyText(
  text: string,
): { readonly kind: KeyKind; readonly keyId: string; readonly secret: string } | null {
  const [, prefix, keyId, secret] = FORM.exec(text) ?? [];
  if (keyId === undefined || secret === undefined) return null;
  return { kind: prefix === 'nk' ? 'node' : 'user', keyId, secret };
}

export const isSecretOf = (secret: string, { secretHash }: Pick<StoredKey, 'secretHash'>): boolean =>
  timingSafeEqual(hashOf(secret), secretHash);

const hashOf = (secret: string): Buffer => hash('sha256', secret, 'buffer');
