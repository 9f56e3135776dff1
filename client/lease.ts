/** The keys of `/.well-known/jwks.json`, as they came. */
export interface LeaseKeys {
  readonly keys: readonly { readonly kid: string; readonly x: string }[];
}

/** What a verified token says: this node may work for this user, for so much and so long. */
export interface LeaseClaims {
  readonly leaseSid: string;
  readonly nodeSid: string;
  readonly userSid: string;
  readonly walletSid: string;
  /** US dollars as decimal text. */
  readonly amount: string;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}

/** Why a token is worth nothing. unknown_key: fetch the keys again, they may have changed. */
export type LeaseFault = 'malformed' | 'unknown_key' | 'forged' | 'of_another_node' | 'expired';

export type VerifiedLease =
  | { readonly kind: 'valid'; readonly lease: LeaseClaims }
  | { readonly kind: 'invalid'; readonly fault: LeaseFault };

/**
 * Verifies the token of a lease with keys that were fetched before: needs no network.
 *
 * Shape: never throws, whatever the token is. `now` is the node's clock; one that is behind makes leases last longer.
 * Source: RFC 7515 and RFC 8037. Only EdDSA is taken, whatever the token asks for.
 */
export async function verifyLease(
  token: string,
  keys: LeaseKeys,
  { nodeSid, now }: { readonly nodeSid: string; readonly now: Date },
): Promise<VerifiedLease> {
  const [head = '', body = '', signature = '', ...rest] = token.split('.');
  const header = parsed(head);
  const claims = claimsOf(parsed(body));
  if (rest.length > 0 || header?.['alg'] !== 'EdDSA' || header['typ'] !== 'lease+jwt' || !claims) {
    return invalid('malformed');
  }
  const key = keys.keys.find(({ kid }) => kid === header['kid']);
  if (!key) return invalid('unknown_key');
  if (!(await isSigned(key.x, `${head}.${body}`, signature))) return invalid('forged');
  if (claims.nodeSid !== nodeSid) return invalid('of_another_node');
  return claims.expiresAt <= now ? invalid('expired') : { kind: 'valid', lease: claims };
}

const invalid = (fault: LeaseFault): VerifiedLease => ({ kind: 'invalid', fault });

async function isSigned(x: string, text: string, signature: string): Promise<boolean> {
  const bytes = bytesOf(signature);
  if (!bytes) return false;
  try {
    const jwk = { kty: 'OKP', crv: 'Ed25519', x };
    const key = await crypto.subtle.importKey('jwk', jwk, { name: 'Ed25519' }, false, ['verify']);
    return await crypto.subtle.verify({ name: 'Ed25519' }, key, bytes, new TextEncoder().encode(text));
  } catch {
    // A key that is none.
    return false;
  }
}

function claimsOf(claims: Record<string, unknown> | null): LeaseClaims | null {
  if (!claims) return null;
  const { jti, aud, sub, wallet_sid: walletSid, amount, iat, exp } = claims;
  const areTexts = [jti, aud, sub, walletSid, amount].every((claim) => typeof claim === 'string');
  if (!areTexts || typeof iat !== 'number' || typeof exp !== 'number') return null;
  return {
    leaseSid: String(jti),
    nodeSid: String(aud),
    userSid: String(sub),
    walletSid: String(walletSid),
    amount: String(amount),
    issuedAt: new Date(iat * 1_000),
    expiresAt: new Date(exp * 1_000),
  };
}

function parsed(part: string): Record<string, unknown> | null {
  const bytes = bytesOf(part);
  if (!bytes) return null;
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return typeof value === 'object' && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}

/** Null for what is not base64url as the standard writes it: without padding, and with no stray bits at the end. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> | null {
  if (text === '' || !/^[A-Za-z0-9_-]+$/.test(text)) return null;
  try {
    const letters = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    if (btoa(letters).replace(/=+$/, '') !== text.replaceAll('-', '+').replaceAll('_', '/')) return null;
    return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  } catch {
    return null;
  }
}
