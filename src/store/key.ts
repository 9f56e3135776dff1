import type { KeyScope } from '../domain/identity/role.ts';
import type { StoredKey } from '../domain/key/form.ts';
import { statement, type Tx } from './db.ts';

/** A user's key, for scripts. Its secret is not among what is read of it. */
export interface KeyRow {
  readonly sid: string;
  /** Whose wallet it reaches. */
  readonly ownerSid: string;
  readonly name: string;
  readonly scopes: readonly KeyScope[];
  readonly keyId: string;
  /** To the minute; null: never. */
  readonly usedAt: Date | null;
  /** Until when the key before this one is good; null when there is none. */
  readonly oldUntil: Date | null;
  readonly oldUsedAt: Date | null;
  readonly createdAt: Date;
  /** Null: it does not expire. */
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
}

interface KeyRecord extends Record<string, unknown> {
  sid: string;
  owner_sid: string;
  name: string;
  scopes: KeyScope[];
  key_id: string;
  used_at: Date | null;
  old_until: Date | null;
  old_used_at: Date | null;
  created_at: Date;
  expires_at: Date | null;
  revoked_at: Date | null;
}

const COLUMNS =
  'key.sid, owner_sid, name, scopes, key_id, used_at, old_until, old_used_at, key.created_at, expires_at, revoked_at';

const fromRow = (row: KeyRecord): KeyRow => ({
  sid: row.sid,
  ownerSid: row.owner_sid,
  name: row.name,
  scopes: row.scopes,
  keyId: row.key_id,
  usedAt: row.used_at,
  oldUntil: row.old_until,
  oldUsedAt: row.old_used_at,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  revokedAt: row.revoked_at,
});

const insertStatement = statement(
  'key.insert',
  `insert into key (sid, owner_sid, name, scopes, key_id, secret_hash, created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
);

export async function insertKey(
  tx: Tx,
  key: Pick<KeyRow, 'sid' | 'ownerSid' | 'name' | 'scopes' | 'createdAt' | 'expiresAt'> & StoredKey,
): Promise<void> {
  const { sid, ownerSid, name, scopes, keyId, secretHash, createdAt, expiresAt } = key;
  await tx.query(insertStatement, [sid, ownerSid, name, [...scopes], keyId, secretHash, createdAt, expiresAt]);
}

const findStatement = statement(
  'key.find',
  `select ${COLUMNS}, secret_hash as hash, key_id as asked, used_at as asked_used_at
   from key join app_user on app_user.sid = owner_sid
   where key_id = any($1::text[]) and revoked_at is null and (expires_at is null or expires_at > $2) and disabled_at is null
   union all
   select ${COLUMNS}, old_secret_hash, old_key_id, old_used_at
   from key join app_user on app_user.sid = owner_sid
   where old_key_id = any($1::text[]) and old_until > $2
     and revoked_at is null and (expires_at is null or expires_at > $2) and disabled_at is null`,
);

/** By the public half: the keys that are good now, present ones and those before a rotation. None of an owner who may not come in. */
export async function findKeys(
  tx: Tx,
  keyIds: readonly string[],
  now: Date,
): Promise<ReadonlyMap<string, StoredKey & { readonly holder: KeyRow; readonly usedAt: Date | null }>> {
  const rows = await tx.query<KeyRecord & { hash: Buffer; asked: string; asked_used_at: Date | null }>(findStatement, [
    keyIds,
    now,
  ]);
  return new Map(
    rows.map((row) => [
      row.asked,
      { keyId: row.asked, secretHash: row.hash, holder: fromRow(row), usedAt: row.asked_used_at },
    ]),
  );
}

const useStatement = statement(
  'key.use',
  `update key set used_at = case when key_id = $1 then $2 else used_at end,
                  old_used_at = case when old_key_id = $1 then $2 else old_used_at end
   where (key_id = $1 and (used_at is null or used_at <= $3)) or (old_key_id = $1 and (old_used_at is null or old_used_at <= $3))`,
);

/** Of many requests at once, in whatever process, one writes. */
export async function markKeyUsed(
  tx: Tx,
  keyId: string,
  at: { readonly now: Date; readonly notSince: Date },
): Promise<void> {
  await tx.query(useStatement, [keyId, at.now, at.notSince]);
}

const readStatement = statement('key.read', `select ${COLUMNS} from key where sid = $1`);
const lockStatement = statement('key.lock', `select ${COLUMNS} from key where sid = $1 for no key update`);

export async function readKeyRow(tx: Tx, sid: string): Promise<KeyRow | null> {
  const [row] = await tx.query<KeyRecord>(readStatement, [sid]);
  return row ? fromRow(row) : null;
}

export async function lockKeyRow(tx: Tx, sid: string): Promise<KeyRow | null> {
  const [row] = await tx.query<KeyRecord>(lockStatement, [sid]);
  return row ? fromRow(row) : null;
}

const countStatement = statement(
  'key.count_live',
  `select count(*) as count from key where owner_sid = $1 and revoked_at is null and (expires_at is null or expires_at > $2)`,
);

/** How many of an owner's keys are good now. */
export async function countLiveKeys(tx: Tx, ownerSid: string, now: Date): Promise<bigint> {
  const [row] = await tx.query<{ count: bigint }>(countStatement, [ownerSid, now]);
  return row?.count ?? 0n;
}

const listStatement = statement(
  'key.list',
  `select ${COLUMNS} from key where ($1::text is null or sid < $1) and ($2::text is null or owner_sid = $2) order by sid desc limit $3`,
);

/** Newest first, ended ones included. A null owner means all. */
export async function listKeys(
  tx: Tx,
  page: { readonly before: string | null; readonly ownerSid: string | null; readonly limit: number },
): Promise<KeyRow[]> {
  return (await tx.query<KeyRecord>(listStatement, [page.before, page.ownerSid, page.limit])).map(fromRow);
}

const rotateStatement = statement(
  'key.rotate',
  `update key set old_key_id = key_id, old_secret_hash = secret_hash, old_until = $4, old_used_at = used_at,
                  key_id = $2, secret_hash = $3, used_at = null
   where sid = $1 returning ${COLUMNS}`,
);

/** The present key becomes the old one, good until then; a key before it ends now. Null when there is no such key. */
export async function rotateKey(tx: Tx, sid: string, key: StoredKey, oldUntil: Date): Promise<KeyRow | null> {
  const [row] = await tx.query<KeyRecord>(rotateStatement, [sid, key.keyId, key.secretHash, oldUntil]);
  return row ? fromRow(row) : null;
}

const revokeStatement = statement(
  'key.revoke',
  `update key set revoked_at = coalesce(revoked_at, $2) where sid = $1 returning ${COLUMNS}`,
);

/** The first revocation counts; null when there is no such key. */
export async function revokeKey(tx: Tx, sid: string, at: Date): Promise<KeyRow | null> {
  const [row] = await tx.query<KeyRecord>(revokeStatement, [sid, at]);
  return row ? fromRow(row) : null;
}

const revokeOfOwnerStatement = statement(
  'key.revoke_of_owner',
  `update key set revoked_at = $2 where owner_sid = $1 and revoked_at is null returning sid`,
);

/** Ends all keys of an owner. Answers which. */
export async function revokeKeysOf(tx: Tx, ownerSid: string, at: Date): Promise<string[]> {
  return (await tx.query<{ sid: string }>(revokeOfOwnerStatement, [ownerSid, at])).map(({ sid }) => sid);
}
