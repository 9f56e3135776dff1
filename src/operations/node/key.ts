import { hash, timingSafeEqual } from 'node:crypto';
import type { NodeKey } from '../../store/node.ts';
import { findNodesByKeys, type KeyHolder } from '../../store/node.ts';
import { SharedStatement } from '../../store/shared-statement.ts';
import type { House } from '../house.ts';
import type { Actor } from '../operation.ts';

/** A key is `nk_<id>_<secret>`: what it is can be seen at sight, by people and by scanners for secrets that were committed. */
export const NODE_KEY_PREFIX = 'nk_';
const FORM = /^nk_([0-9a-z]{16})_([A-Za-z0-9-]{43})$/;
/** Base 32 in small letters: 80 bits name a key. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** A new key: told once as `text`; of the secret only the hash is kept. */
export function newNodeKey({ ports }: Pick<House, 'ports'>): NodeKey & { readonly text: string } {
  const keyId = [...ports.random.bytes(16)].map((byte) => ALPHABET.charAt(byte % 32)).join('');
  // No underscore in the secret: the form stays readable.
  const secret = Buffer.from(ports.random.bytes(32)).toString('base64url').replaceAll('_', '-');
  return { keyId, secretHash: hashOf(secret), text: `${NODE_KEY_PREFIX}${keyId}_${secret}` };
}

/** The public half of a key, also of one that is nobody's; empty where it does not have the form of one. */
export const keyIdOf = (text: string): string => FORM.exec(text)?.[1] ?? '';

/** Whose key it is; null when it is nobody's any more. Read anew for each request, so that a revoked key ends everywhere at once. */
export async function readNodeKey(house: House, text: string): Promise<Actor | null> {
  const [, keyId, secret] = FORM.exec(text) ?? [];
  if (keyId === undefined || secret === undefined) return null;
  const found = (await holdersIn(house).ask([keyId])).get(keyId);
  if (!found || !timingSafeEqual(hashOf(secret), found.secretHash)) return null;
  return { kind: 'node', id: `node:${found.node.sid}`, node: found.node };
}

const reads = new WeakMap<House, SharedStatement<string, KeyHolder>>();

/** Requests that come at the same moment have their keys read by one statement. */
function holdersIn(house: House): SharedStatement<string, KeyHolder> {
  const { db, ports } = house;
  const made =
    reads.get(house) ?? new SharedStatement(ports.clock, (keyIds) => findNodesByKeys(db, keyIds, ports.clock.now()));
  reads.set(house, made);
  return made;
}

const hashOf = (secret: string): Buffer => hash('sha256', secret, 'buffer');
