import type { Language } from '../domain/language/language.ts';
import { statement, type Tx } from './db.ts';
import { likePattern } from './search.ts';

export interface UserRow {
  readonly sid: string;
  /** An organisation is a user that nobody signs in as. */
  readonly kind: 'person' | 'organisation';
  readonly displayName: string;
  /** What their Forge calls them, and their overlay address: of the identities that are linked. */
  readonly forgeId: string | null;
  readonly myceliumAddress: string | null;
  /** Where mail goes; null: nowhere. Given by the user, and not proven to be theirs. */
  readonly email: string | null;
  readonly language: Language;
  readonly createdAt: Date;
  /** Since when they may not come in; null: they may. */
  readonly disabledAt: Date | null;
}

interface UserRecord extends Record<string, unknown> {
  sid: string;
  kind: UserRow['kind'];
  display_name: string;
  forge_id: string | null;
  mycelium_address: string | null;
  email: string | null;
  language: Language;
  created_at: Date;
  disabled_at: Date | null;
}

const fromRow = (row: UserRecord): UserRow => ({
  sid: row.sid,
  kind: row.kind,
  displayName: row.display_name,
  forgeId: row.forge_id,
  myceliumAddress: row.mycelium_address,
  email: row.email,
  language: row.language,
  createdAt: row.created_at,
  disabledAt: row.disabled_at,
});

const insertStatement = statement(
  'user.insert',
  `insert into app_user (sid, display_name, created_at) values ($1, $2, $3)`,
);

export async function insertUser(tx: Tx, user: Pick<UserRow, 'sid' | 'displayName' | 'createdAt'>): Promise<void> {
  await tx.query(insertStatement, [user.sid, user.displayName, user.createdAt]);
}

const selectUser = statement(
  'user.select',
  `select sid, app_user.kind, display_name, email, language, created_at, disabled_at,
          (select subject from identity where identity.user_sid = app_user.sid and kind = 'forge' order by sid limit 1) as forge_id,
          (select label from identity where identity.user_sid = app_user.sid and kind = 'mycelium' order by sid limit 1) as mycelium_address
   from app_user`,
).text;

const readStatement = statement('user.read', `${selectUser} where sid = $1`);

export async function readUser(tx: Tx, sid: string): Promise<UserRow | null> {
  const [row] = await tx.query<UserRecord>(readStatement, [sid]);
  return row ? fromRow(row) : null;
}

const listStatement = statement(
  'user.list',
  `${selectUser}
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

const updateStatement = statement(
  'user.update',
  `update app_user set display_name = $2, email = $3, language = $4 where sid = $1 and erased_at is null returning sid`,
);

/** False when the user was deleted meanwhile. */
export async function updateUser(
  tx: Tx,
  user: Pick<UserRow, 'sid' | 'displayName' | 'email' | 'language'>,
): Promise<boolean> {
  return (await tx.query(updateStatement, [user.sid, user.displayName, user.email, user.language])).length === 1;
}

const disableStatement = statement(
  'user.disable',
  `update app_user set disabled_at = $2 where sid = $1 and erased_at is null returning sid`,
);

/** Since when the user may not come in; null: they may. False, and nothing changes, when they are deleted. */
export async function setDisabled(tx: Tx, sid: string, since: Date | null): Promise<boolean> {
  return (await tx.query(disableStatement, [sid, since])).length === 1;
}
