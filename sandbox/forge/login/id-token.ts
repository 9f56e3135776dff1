import { createHash, createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import type { Person } from './state.ts';

/** How an id token is made: as it should be, or with one thing wrong that a client must find. */
export const ID_TOKENS = [
  'right',
  'missing',
  'garbage',
  /** `iss`: somebody else's, or ours with the other slash. */
  'wrong-issuer',
  'other-slash',
  'wrong-audience',
  /** For us and for somebody else, without saying to whom of both it was given. */
  'two-audiences',
  'wrong-nonce',
  'no-nonce',
  /** alg none; HS256 with the public key as the secret; RS256 with another key of the same name, or of a name nobody knows. */
  'unsigned',
  'public-key-as-secret',
  'other-key',
  'unknown-key',
  /** Over for ten minutes; from a clock ten minutes ahead; issued ten minutes ago, before this sign-in began. */
  'expired',
  'ahead',
  'stale',
  'no-subject',
  'number-subject',
] as const;
export const idTokenSchema = z.enum(ID_TOKENS);
export type IdTokenKind = z.infer<typeof idTokenSchema>;

export interface Signer {
  readonly kid: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** Takes a tenth of a second: made when the first token is. */
export function newSigner(): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const kid = createHash('sha256')
    .update(publicKey.export({ format: 'der', type: 'spki' }))
    .digest('base64url');
  return { kid, publicKey, privateKey };
}

export const jwkOf = ({ kid, publicKey }: Signer): object => ({
  ...publicKey.export({ format: 'jwk' }),
  kid,
  alg: 'RS256',
  use: 'sig',
});

export interface IdTokenFacts {
  readonly kind: IdTokenKind;
  readonly issuer: string;
  readonly clientId: string;
  readonly nonce: string | null;
  readonly person: Person;
  readonly scope: string;
  readonly now: Date;
}

const HOUR_SECONDS = 3_600;
const TEN_MINUTES_SECONDS = 600;

/** Null: there is none. */
export function idToken(signer: Signer, facts: IdTokenFacts): string | null {
  const { kind } = facts;
  if (kind === 'missing') return null;
  if (kind === 'garbage') return 'not.a.token';
  const claims = claimsOf(facts);
  if (kind === 'unsigned') return `${encoded({ alg: 'none', typ: 'JWT' })}.${encoded(claims)}.`;
  if (kind === 'public-key-as-secret') {
    const text = `${encoded({ alg: 'HS256', typ: 'JWT', kid: signer.kid })}.${encoded(claims)}`;
    const secret = signer.publicKey.export({ format: 'pem', type: 'spki' });
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
  }
  if (kind === 'other-key') return signed({ ...newSigner(), kid: signer.kid }, claims);
  return signed(kind === 'unknown-key' ? newSigner() : signer, claims);
}

function signed({ kid, privateKey }: Signer, claims: object): string {
  const text = `${encoded({ alg: 'RS256', typ: 'JWT', kid })}.${encoded(claims)}`;
  return `${text}.${sign('RSA-SHA256', Buffer.from(text), privateKey).toString('base64url')}`;
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function claimsOf({ kind, issuer, clientId, nonce, person, scope, now }: IdTokenFacts): object {
  const offset = {
    expired: -HOUR_SECONDS - TEN_MINUTES_SECONDS,
    stale: -TEN_MINUTES_SECONDS,
    ahead: TEN_MINUTES_SECONDS,
  };
  const issuedAt = Math.floor(now.getTime() / 1_000) + (kind in offset ? offset[kind as keyof typeof offset] : 0);
  const otherSlash = issuer.endsWith('/') ? issuer.slice(0, -1) : `${issuer}/`;
  const scopes = scope.split(' ');
  return {
    iss: kind === 'wrong-issuer' ? 'https://other.invalid' : kind === 'other-slash' ? otherSlash : issuer,
    aud: kind === 'wrong-audience' ? 'another' : kind === 'two-audiences' ? [clientId, 'another'] : [clientId],
    iat: issuedAt,
    exp: issuedAt + HOUR_SECONDS,
    ...(kind === 'no-subject' ? {} : { sub: kind === 'number-subject' ? person.id : String(person.id) }),
    ...(nonce === null || kind === 'no-nonce' ? {} : { nonce: kind === 'wrong-nonce' ? 'another' : nonce }),
    ...(scopes.includes('profile') ? { name: person.name, preferred_username: person.login } : {}),
    ...(scopes.includes('email') ? { email: person.email, email_verified: true } : {}),
  };
}
