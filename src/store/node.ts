import type { StoredKey } from '../domain/key/form.ts';
import type { DownTime } from '../domain/outage/outage.ts';
import { micros, type Micros } from '../domain/money.ts';
import { statement, type Tx } from './db.ts';

/** A machine that reports usage. */
export interface NodeRow {
  readonly id: bigint;
  readonly sid: string;
  readonly name: string;
  readonly keyId: string;
  /** Until when the key before this one is good; null when there is none. */
  readonly oldKeyUntil: Date | null;
  /** To the minute; null: not since that is written down. */
  readonly keyUsedAt: Date | null;
  readonly oldKeyUsedAt: Date | null;
  /** Whom it may report for; null: everybody. */
  readonly userSids: readonly string[] | null;
  readonly recordMax: Micros;
  readonly hourMax: Micros;
  /** When it was down: nothing of those times is billed. */
  readonly outages: readonly DownTime[];
  readonly createdAt: Date;
  readonly revokedAt: Date | null;
}

interface NodeRecord extends Record<string, unknown> {
  id: bigint;
  sid: string;
  name: string;
  key_id: string;
  old_until: Date | null;
  key_used_at: Date | null;
  old_key_used_at: Date | null;
  user_sids: string[] | null;
  record_max: bigint;
  hour_max: bigint;
  outages: [from: string, until: string | null][] | null;
  created_at: Date;
  revoked_at: Date | null;
}

const fromRow = (row: NodeRecord): NodeRow => ({
  id: row.id,
  sid: row.sid,
  name: row.name,
  keyId: row.key_id,
  oldKeyUntil: row.old_until,
  keyUsedAt: row.key_used_at,
  oldKeyUsedAt: row.old_key_used_at,
  userSids: row.user_sids,
  recordMax: micros(row.record_max),
  hourMax: micros(row.hour_max),
  outages: (row.outages ?? []).map(([from, until]) => ({
    from: new Date(from),
    until: until === null ? null : new Date(until),
  })),
  createdAt: row.created_at,
  revokedAt: row.revoked_at,
});

const COLUMNS = `id, sid, name, key_id, old_until, key_used_at, old_key_used_at, user_sids, record_max, hour_max, created_at, revoked_at,
     (select json_agg(json_build_array(outage.from_at, outage.until_at)) from outage
      where outage.subject = 'node' and outage.subject_ref = node.sid and outage.state <> 'cancelled') as outages`;

const insertStatement = statement(
  'node.insert',
  `insert into node (sid, name, key_id, secret_hash, user_sids, record_max, hour_max, created_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing returning ${COLUMNS}`,
);

/** Null when a node of this name is there already. */
export async function insertNode(
  tx: Tx,
  node: Pick<NodeRow, 'sid' | 'name' | 'userSids' | 'recordMax' | 'hourMax' | 'createdAt'> & StoredKey,
): Promise<NodeRow | null> {
  const [row] = await tx.query<NodeRecord>(insertStatement, [
    node.sid,
    node.name,
    node.keyId,
    node.secretHash,
    node.userSids,
    node.recordMax,
    node.hourMax,
    node.createdAt,
  ]);
  return row ? fromRow(row) : null;
}

const findByKeysStatement = statement(
  'node.find_by_keys',
  `select ${COLUMNS}, secret_hash as hash, key_id as asked, key_used_at as asked_used_at
   from node where key_id = any($1::text[]) and revoked_at is null
   union all
   select ${COLUMNS}, old_secret_hash, old_key_id, old_key_used_at
   from node where old_key_id = any($1::text[]) and revoked_at is null and old_until > $2`,
);

/** By the public half of a key: the node whose present key has it, or whose old one has and is still good. */
export async function findNodesByKeys(
  tx: Tx,
  keyIds: readonly string[],
  now: Date,
): Promise<ReadonlyMap<string, StoredKey & { readonly holder: NodeRow; readonly usedAt: Date | null }>> {
  const rows = await tx.query<NodeRecord & { hash: Buffer; asked: string; asked_used_at: Date | null }>(
    findByKeysStatement,
    [keyIds, now],
  );
  return new Map(
    rows.map((row) => [
      row.asked,
      { keyId: row.asked, secretHash: row.hash, holder: fromRow(row), usedAt: row.asked_used_at },
    ]),
  );
}

const useKeyStatement = statement(
  'node.use_key',
  `update node set key_used_at = case when key_id = $1 then $2 else key_used_at end,
                   old_key_used_at = case when old_key_id = $1 then $2 else old_key_used_at end
   where (key_id = $1 and (key_used_at is null or key_used_at <= $3))
      or (old_key_id = $1 and (old_key_used_at is null or old_key_used_at <= $3))`,
);

/** Of many requests at once, in whatever process, one writes. */
export async function markNodeKeyUsed(
  tx: Tx,
  keyId: string,
  at: { readonly now: Date; readonly notSince: Date },
): Promise<void> {
  await tx.query(useKeyStatement, [keyId, at.now, at.notSince]);
}

const readStatement = statement('node.read', `select ${COLUMNS} from node where sid = $1`);

export async function readNode(tx: Tx, sid: string): Promise<NodeRow | null> {
  const [row] = await tx.query<NodeRecord>(readStatement, [sid]);
  return row ? fromRow(row) : null;
}

const readNamesStatement = statement('node.read_names', `select sid, name from node where sid = any($1::text[])`);

/** What nodes are called, by sid; revoked ones included. */
export async function readNodeNames(tx: Tx, sids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const rows = await tx.query<{ sid: string; name: string }>(readNamesStatement, [sids]);
  return new Map(rows.map(({ sid, name }) => [sid, name]));
}

const listStatement = statement(
  'node.list',
  `select ${COLUMNS} from node where ($1::text is null or sid < $1) order by sid desc limit $2`,
);

/** Newest first, revoked ones included. `before` is the sid of the last row of the page before. */
export async function listNodes(
  tx: Tx,
  page: { readonly before: string | null; readonly limit: number },
): Promise<NodeRow[]> {
  return (await tx.query<NodeRecord>(listStatement, [page.before, page.limit])).map(fromRow);
}

const rotateStatement = statement(
  'node.rotate',
  `update node set old_key_id = key_id, old_secret_hash = secret_hash, old_until = $4, old_key_used_at = key_used_at,
                   key_id = $2, secret_hash = $3, key_used_at = null
   where sid = $1 and revoked_at is null returning ${COLUMNS}`,
);

/** Null when there is no such node, or it is revoked. */
export async function rotateNodeKey(tx: Tx, sid: string, key: StoredKey, oldUntil: Date): Promise<NodeRow | null> {
  const [row] = await tx.query<NodeRecord>(rotateStatement, [sid, key.keyId, key.secretHash, oldUntil]);
  return row ? fromRow(row) : null;
}

const revokeStatement = statement(
  'node.revoke',
  `update node set revoked_at = coalesce(revoked_at, $2) where sid = $1 returning ${COLUMNS}`,
);

/** The first revocation counts; null when there is no such node. */
export async function revokeNode(tx: Tx, sid: string, at: Date): Promise<NodeRow | null> {
  const [row] = await tx.query<NodeRecord>(revokeStatement, [sid, at]);
  return row ? fromRow(row) : null;
}

const findByNamesStatement = statement(
  'node.find_by_names',
  `select ${COLUMNS} from node where name = any($1::text[]) and revoked_at is null`,
);

/** Those nodes of these names that there are and that are not revoked. */
export async function findNodesByName(tx: Tx, names: readonly string[]): Promise<NodeRow[]> {
  return (await tx.query<NodeRecord>(findByNamesStatement, [names])).map(fromRow);
}

const revokedNamesakesStatement = statement(
  'node.list_revoked_namesakes',
  `select sid, revoked_at from node where name = $1 and revoked_at is not null`,
);

/** Nodes that had this name and were revoked: a name is free again then. */
export async function listRevokedNamesakes(
  tx: Tx,
  name: string,
): Promise<{ readonly sid: string; readonly revokedAt: Date }[]> {
  const rows = await tx.query<{ sid: string; revoked_at: Date }>(revokedNamesakesStatement, [name]);
  return rows.map(({ sid, revoked_at: revokedAt }) => ({ sid, revokedAt }));
}
