import type { Language } from '../domain/language/language.ts';
import { statement, type Tx } from './db.ts';
import { likePattern } from './search.ts';

export interface UserRow {
  readonly sid: string;
  readonly displayName: string;
  readonly forgeId: string | null;
  readonly myceliumAddress: string | null;
  /** Where mail goes; null: nowhere. Given by the user, and not proven to be theirs. */
  readonly email: string | null;
  readonly language: Language;
  readonly createdAt: Date;
}

interface UserRecord extends Record<string, unknown> {
  sid: string;
  display_name: string;
  forge_id: string | null;
  mycelium_address: string | null;
  email: string | null;
  language: Language;
  created_at: Date;
}

const fromRow = (row: UserRecord): UserRow => ({
  sid: row.sid,
  displayName: row.display_name,
  forgeId: row.forge_id,
  myceliumAddress: row.mycelium_address,
  email: row.email,
  language: row.language,
  createdAt: row.created_at,
});

const insertStatement = statement(
  'user.insert',
  `insert into app_user (sid, display_name, forge_id, mycelium_address, created_at) values ($1, $2, $3, $4, $5)
   on conflict do nothing returning sid`,
);

/** False when another user already has one of the identities; nothing is written then. */
export async function insertUser(tx: Tx, user: Omit<UserRow, 'email' | 'language'>): Promise<boolean> {
  const rows = await tx.query(insertStatement, [
    user.sid,
    user.displayName,
    user.forgeId,
    user.myceliumAddress,
    user.createdAt,
  ]);
  return rows.length === 1;
}

const readStatement = statement(
  'user.read',
  `select sid, display_name, forge_id, mycelium_address, email, language, created_at from app_user where sid = $1`,
);

export async function readUser(tx: Tx, sid: string): Promise<UserRow | null> {
  const [row] = await tx.query<UserRecord>(readStatement, [sid]);
  return row ? fromRow(row) : null;
}

const listStatement = statement(
  'user.list',
  `select sid, display_name, forge_id, mycelium_address, email, language, created_at from app_user
   where ($1::text is null or sid < $1) and ($2::text is null or display_name ilike $2 or sid ilike $2)
   order by sid desc limit $3`,
);

/** Newest first. `before` is the sid of the last row of the page before. */
export async function listUsers(
  tx: Tx,
  page: { readonly before: string | null; readonly search: string | null; readonly limit: number },
): Promise<UserRow[]> {
  const rows = await tx.query<UserRecord>(listStatement, [page.before, likePattern(page.search), page.limit]);
  return rows.map(fromRow);
}

const readByForgeIdStatement = statement(
  'user.read_by_forge_id',
  `select sid, display_name, forge_id, mycelium_address, email, language, created_at from app_user where forge_id = $1`,
);

export async function readUserByForgeId(tx: Tx, forgeId: string): Promise<UserRow | null> {
  const [row] = await tx.query<UserRecord>(readByForgeIdStatement, [forgeId]);
  return row ? fromRow(row) : null;
}

const updateStatement = statement(
  'user.update',
  `update app_user set display_name = $2, email = $3, language = $4 where sid = $1`,
);

export async function updateUser(
  tx: Tx,
  user: Pick<UserRow, 'sid' | 'displayName' | 'email' | 'language'>,
): Promise<void> {
  await tx.query(updateStatement, [user.sid, user.displayName, user.email, user.language]);
}
