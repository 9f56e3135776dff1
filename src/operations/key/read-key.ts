import { isSecretOf, readKeyText, type KeyKind, type StoredKey } from '../../domain/key/form.ts';
import { findKeys, markKeyUsed, type KeyRow } from '../../store/key.ts';
import { findNodesByKeys, markNodeKeyUsed, type NodeRow } from '../../store/node.ts';
import { SharedStatement } from '../../store/shared-statement.ts';
import type { House } from '../house.ts';
import type { Actor } from '../operation.ts';

const MINUTE_MS = 60_000;

/** A key that is good, with the hash to compare a secret with. */
export interface Found<T> extends StoredKey {
  readonly holder: T;
  readonly usedAt: Date | null;
}

/** Whose key it is; null when it is nobody's any more. Read anew for each request, so that a revoked key ends everywhere at once. */
export async function readKey(house: House, text: string): Promise<Actor | null> {
  const sent = readKeyText(text);
  if (sent === null) return null;
  const found = await findHolder(house, sent.kind, sent.keyId);
  if (!found || !isSecretOf(sent.secret, found)) return null;
  await noteUse(house, sent.kind, found);
  return found.actor;
}

interface Holder extends StoredKey {
  readonly actor: Actor;
  readonly usedAt: Date | null;
}

async function findHolder(house: House, kind: KeyKind, keyId: string): Promise<Holder | undefined> {
  const reads = readsOf(house);
  if (kind === 'node') {
    const found = (await reads.node.ask([keyId])).get(keyId);
    return found && { ...found, actor: { kind: 'node', id: `node:${found.holder.sid}`, node: found.holder } };
  }
  const found = (await reads.user.ask([keyId])).get(keyId);
  return found && { ...found, actor: actorOf(found.holder) };
}

/** The owner, as far as the key goes: no organisation besides, no role, and nothing that takes a fresh sign-in. */
const actorOf = ({ sid, ownerSid, scopes, expiresAt }: KeyRow): Actor => ({
  kind: 'user',
  id: `user:${ownerSid}/key:${sid}`,
  userSid: ownerSid,
  scopes,
  credential: { kind: 'key', sid, provenAt: null, expiresAt, formToken: null },
});

/** To the minute, so that a busy key is not a row that is written for each request. */
async function noteUse(house: House, kind: KeyKind, { keyId, usedAt }: Holder): Promise<void> {
  const now = house.ports.clock.now();
  const minuteAgo = new Date(now.getTime() - MINUTE_MS);
  const { notedAt } = readsOf(house);
  // The second is for requests that come together: what they read of the row is older than what one of them writes.
  if ((usedAt ?? minuteAgo) > minuteAgo || (notedAt.get(keyId) ?? minuteAgo) > minuteAgo) return;
  notedAt.set(keyId, now);
  const mark = kind === 'node' ? markNodeKeyUsed : markKeyUsed;
  await mark(house.db, keyId, { now, notSince: minuteAgo });
}

interface Reads {
  readonly node: SharedStatement<string, Found<NodeRow>>;
  readonly user: SharedStatement<string, Found<KeyRow>>;
  /** By key, when this process last wrote down that it was used. Only keys that are good come in here. */
  readonly notedAt: Map<string, Date>;
}

const readsByHouse = new WeakMap<House, Reads>();

/** Requests that come at the same moment have their keys read by one statement. */
function readsOf(house: House): Reads {
  const made = readsByHouse.get(house) ?? openReads(house);
  readsByHouse.set(house, made);
  return made;
}

const openReads = ({ db, ports: { clock } }: House): Reads => ({
  node: new SharedStatement(clock, (keyIds) => findNodesByKeys(db, keyIds, clock.now())),
  user: new SharedStatement(clock, (keyIds) => findKeys(db, keyIds, clock.now())),
  notedAt: new Map(),
});
