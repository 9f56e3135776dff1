import { statement, type Tx } from './db.ts';
import { likePattern } from './search.ts';

/** An organisation with what its members are shown of it. */
export interface OrganisationRow {
  readonly sid: string;
  readonly name: string;
  /** Where its mail goes; null: nowhere. */
  readonly email: string | null;
  readonly walletSid: string;
  readonly members: bigint;
  readonly createdAt: Date;
}

interface OrganisationRecord extends Record<string, unknown> {
  sid: string;
  display_name: string;
  email: string | null;
  wallet_sid: string;
  members: bigint;
  created_at: Date;
}

const fromRow = (row: OrganisationRecord): OrganisationRow => ({
  sid: row.sid,
  name: row.display_name,
  email: row.email,
  walletSid: row.wallet_sid,
  members: row.members,
  createdAt: row.created_at,
});

const insertStatement = statement(
  'organisation.insert',
  `insert into app_user (sid, display_name, created_at, kind) values ($1, $2, $3, 'organisation')`,
);

export async function insertOrganisation(
  tx: Tx,
  row: Pick<OrganisationRow, 'sid' | 'name' | 'createdAt'>,
): Promise<void> {
  await tx.query(insertStatement, [row.sid, row.name, row.createdAt]);
}

const selectOrganisation = statement(
  'organisation.select',
  `select app_user.sid, app_user.display_name, app_user.email, wallet.sid as wallet_sid, app_user.created_at,
          (select count(*) from membership where organisation_sid = app_user.sid and left_at is null) as members
   from app_user join wallet on wallet.user_sid = app_user.sid
   where app_user.kind = 'organisation'`,
).text;

const readStatement = statement('organisation.read', `${selectOrganisation} and app_user.sid = $1`);

export async function readOrganisation(tx: Tx, sid: string): Promise<OrganisationRow | null> {
  const [row] = await tx.query<OrganisationRecord>(readStatement, [sid]);
  return row ? fromRow(row) : null;
}

const listStatement = statement(
  'organisation.list',
  `${selectOrganisation}
     and ($1::text is null or app_user.sid < $1) and ($2::text[] is null or app_user.sid = any($2))
     and ($3::text is null or app_user.display_name ilike $3 or app_user.sid ilike $3)
   order by app_user.sid desc limit $4`,
);

/** Newest first. `sids`: only these; null: all. */
export async function listOrganisations(
  tx: Tx,
  page: {
    readonly before: string | null;
    readonly sids: readonly string[] | null;
    readonly search: string | null;
    readonly limit: number;
  },
): Promise<OrganisationRow[]> {
  const values = [page.before, page.sids, likePattern(page.search), page.limit];
  return (await tx.query<OrganisationRecord>(listStatement, values)).map(fromRow);
}

const updateStatement = statement(
  'organisation.update',
  `update app_user set display_name = $2, email = $3 where sid = $1 and kind = 'organisation'`,
);

export async function updateOrganisation(tx: Tx, row: Pick<OrganisationRow, 'sid' | 'name' | 'email'>): Promise<void> {
  await tx.query(updateStatement, [row.sid, row.name, row.email]);
}

const ownersStatement = statement(
  'organisation.owners',
  `select app_user.sid as owner_sid, wallet.sid as wallet_sid, app_user.display_name, app_user.kind
   from app_user join wallet on wallet.user_sid = app_user.sid where app_user.sid = any($1::text[])
   order by app_user.kind desc, app_user.display_name, app_user.sid`,
);

export interface OwnedWallet {
  readonly ownerSid: string;
  readonly walletSid: string;
  readonly name: string;
  readonly kind: 'person' | 'organisation';
}

/** The wallets of these owners: a person's first, then by name. */
export async function listWalletsOf(tx: Tx, ownerSids: readonly string[]): Promise<OwnedWallet[]> {
  const rows = await tx.query<{
    owner_sid: string;
    wallet_sid: string;
    display_name: string;
    kind: OwnedWallet['kind'];
  }>(ownersStatement, [ownerSids]);
  return rows.map((row) => ({
    ownerSid: row.owner_sid,
    walletSid: row.wallet_sid,
    name: row.display_name,
    kind: row.kind,
  }));
}
