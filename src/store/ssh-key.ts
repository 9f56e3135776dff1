import { statement, type Tx } from './db.ts';

/** A public key with which a user reaches their VMs. */
export interface SshKeyRow {
  readonly sid: string;
  readonly userSid: string;
  readonly name: string;
  readonly publicKey: string;
  readonly fingerprint: string;
  readonly createdAt: Date;
}

interface SshKeyRecord extends Record<string, unknown> {
  sid: string;
  user_sid: string;
  name: string;
  public_key: string;
  fingerprint: string;
  created_at: Date;
}

const COLUMNS = 'sid, user_sid, name, public_key, fingerprint, created_at';

const fromRow = (row: SshKeyRecord): SshKeyRow => ({
  sid: row.sid,
  userSid: row.user_sid,
  name: row.name,
  publicKey: row.public_key,
  fingerprint: row.fingerprint,
  createdAt: row.created_at,
});

const insertStatement = statement(
  'ssh_key.insert',
  `insert into ssh_key (${COLUMNS}) values ($1, $2, $3, $4, $5, $6) on conflict (user_sid, fingerprint) do nothing returning sid`,
);

/** False: the user has it already. */
export async function insertSshKey(tx: Tx, key: SshKeyRow): Promise<boolean> {
  const values = [key.sid, key.userSid, key.name, key.publicKey, key.fingerprint, key.createdAt];
  return (await tx.query(insertStatement, values)).length === 1;
}

const ofUserStatement = statement(
  'ssh_key.of_user',
  `select ${COLUMNS} from ssh_key where user_sid = $1 and ($2::text is null or sid < $2) order by sid desc limit $3`,
);

/** Newest first. */
export async function listSshKeys(
  tx: Tx,
  page: { readonly userSid: string; readonly before: string | null; readonly limit: number },
): Promise<SshKeyRow[]> {
  return (await tx.query<SshKeyRecord>(ofUserStatement, [page.userSid, page.before, page.limit])).map(fromRow);
}

const readStatement = statement('ssh_key.read', `select ${COLUMNS} from ssh_key where sid = $1`);

export async function readSshKey(tx: Tx, sid: string): Promise<SshKeyRow | null> {
  const [row] = await tx.query<SshKeyRecord>(readStatement, [sid]);
  return row ? fromRow(row) : null;
}

const countStatement = statement('ssh_key.count', `select count(*)::int4 as count from ssh_key where user_sid = $1`);

export async function countSshKeys(tx: Tx, userSid: string): Promise<number> {
  const [row] = await tx.query<{ count: number }>(countStatement, [userSid]);
  return row?.count ?? 0;
}

const deleteStatement = statement('ssh_key.delete', `delete from ssh_key where sid = $1 returning sid`);

/** False: it is gone already. */
export async function deleteSshKey(tx: Tx, sid: string): Promise<boolean> {
  return (await tx.query(deleteStatement, [sid])).length === 1;
}
