import { createHash, createPrivateKey, createPublicKey, hkdfSync, sign, type KeyObject } from 'node:crypto';
import { assert } from '../../domain/assert.ts';
import { formatDecimal } from '../../domain/money.ts';
import type { HoldRow } from '../../store/hold.ts';
import type { HouseSettings } from '../house.ts';

/** An Ed25519 private key in PKCS #8, up to the 32 bytes that are its own (RFC 8410). */
const PKCS8_BEFORE_SEED_HEX = '302e020100300506032b657004220420';

/** The public half, as nodes fetch it (RFC 8037). */
export interface LeaseKey {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly kid: string;
  readonly alg: 'EdDSA';
  readonly use: 'sig';
}

/**
 * What a node shows to whoever asks whether it may work: a JSON Web Token, signed with Ed25519.
 *
 * Not a credential: with us the lease's row counts and the node's key. The same lease always gives the same token.
 */
export function leaseToken(settings: HouseSettings, lease: HoldRow): string {
  const { nodeSid } = lease;
  assert(nodeSid !== null, 'a lease has a node');
  const key = signingKeyOf(settings);
  const header = { alg: 'EdDSA', typ: 'lease+jwt', kid: publicKeyOf(key).kid };
  const claims = {
    iss: settings.publicUrl,
    aud: nodeSid,
    sub: lease.userSid,
    jti: lease.sid,
    iat: Math.floor(lease.createdAt.getTime() / 1_000),
    exp: Math.floor(lease.expiresAt.getTime() / 1_000),
    wallet_sid: lease.walletSid,
    amount: formatDecimal(lease.amount),
    currency: 'USD',
  };
  const signed = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(claims))}`;
  return `${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`;
}

export const leaseKey = (settings: HouseSettings): LeaseKey => publicKeyOf(signingKeyOf(settings));

/** Derived, so that all processes have it, and no table and no backup does. A new session key is a new one of these as well. */
function signingKeyOf({ sessionKey }: HouseSettings): KeyObject {
  const seed = Buffer.from(hkdfSync('sha256', sessionKey, '', 'hero-onboarding lease signing key', 32));
  return createPrivateKey({
    key: Buffer.concat([Buffer.from(PKCS8_BEFORE_SEED_HEX, 'hex'), seed]),
    format: 'der',
    type: 'pkcs8',
  });
}

/** Named by its thumbprint (RFC 7638). */
function publicKeyOf(key: KeyObject): LeaseKey {
  const { x } = createPublicKey(key).export({ format: 'jwk' });
  assert(x !== undefined, 'an Ed25519 key has a public half');
  const kid = createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`).digest('base64url');
  return { kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'EdDSA', use: 'sig' };
}

const base64url = (text: string): string => Buffer.from(text, 'utf8').toString('base64url');
