import { createHash } from 'node:crypto';
import { canonicalJson } from '../domain/idem.ts';
import { refuse } from '../domain/refusal.ts';
import type { Refusal } from '../domain/refusal.ts';
import type { Actor, Operation } from './operation.ts';

/** Where keys are explained; on the page that every house serves. */
const KEY_PAGE = '/docs/errors#idempotency-key';

/** Visible ASCII without the quote and the backslash, so that the bare and the quoted form name the same key. */
const KEY = /^[\x21\x23-\x5b\x5d-\x7e]{1,255}$/;

/** Reads the header or the JSON-RPC param; null when none was sent. `"abc"` and `abc` are the same key. */
export function parseIdempotencyKey(operation: Operation, sent: string | null): string | null | Refusal {
  if (operation.idempotency === 'none') return null;
  if (sent === null) {
    if (operation.idempotency === 'optional') return null;
    return refuse(
      'invalid_request',
      'This call moves money and needs an Idempotency-Key header. Send a new random one for each intent.',
      {
        errors: [{ pointer: '#/idempotency_key', detail: 'is required' }],
        details: { docs: KEY_PAGE },
      },
    );
  }
  const key = sent.length >= 2 && sent.startsWith('"') && sent.endsWith('"') ? sent.slice(1, -1) : sent;
  if (KEY.test(key)) return key;
  return refuse('invalid_request', 'The Idempotency-Key is not valid.', {
    errors: [
      {
        pointer: '#/idempotency_key',
        detail: 'must be 1 to 255 visible ASCII characters, without spaces, quotes and backslashes',
      },
    ],
    details: { docs: KEY_PAGE },
  });
}

/** A refusal of the moment: nobody keeps it as the key's answer. */
export const keyInProgress = (): Refusal =>
  refuse(
    'idempotency_in_progress',
    'The first request with this Idempotency-Key has not finished. Send it again in a moment.',
    { retryAfterSeconds: 1 },
  );

/** The identity of a call. The scope is the operation and the actor: nobody finds, or blocks, another's key. */
export function idemOf(operation: Operation, actor: Actor, key: string): string {
  const digest = createHash('sha256')
    .update(`${operation.name}\n${scopeOf(actor)}\n${key}`)
    .digest();
  return asIdem(digest);
}

/**
 * Whose key it is. Credentials change: an admin secret and a user's key are rotated, a session takes the place of a header. A debit that is
 * repeated with another one must find the first, not charge again; so operators share one scope, and so do a user and the user's keys.
 */
function scopeOf(actor: Actor): string {
  if (actor.kind === 'operator') return 'operator';
  return actor.kind === 'user' ? `user:${actor.userSid}` : actor.id;
}

/** A UUID whose last hex digit is free for the number of a posting's leg. */
export const asIdem = (bytes: Uint8Array): string => `${asUuid(bytes).slice(0, -1)}0`;

/** The same for equal inputs whatever the order of their members and the white space. */
export const fingerprintOf = (input: unknown): string =>
  asUuid(createHash('sha256').update(canonicalJson(input)).digest());

function asUuid(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.subarray(0, 16)).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
