import type { OperatorRole } from '../domain/identity/role.ts';
import { statement, type Tx } from './db.ts';

export type IdentityKind = 'forge' | 'oidc' | 'mycelium' | 'sandbox';

/** One way in which a user shows who they are. */
export interface IdentityRow {
  readonly sid: string;
  readonly userSid: string;
  readonly kind: IdentityKind;
  /** Of an OpenID provider its issuer, without a slash at the end; 'mycelium', 'sandbox', and 'forge' while nobody came with it yet. */
  readonly issuer: string;
  readonly subject: string;
  /** What its owner knows it by; nothing follows from it. */
  readonly label: string;
  readonly claimedRole: OperatorRole | null;
  readonly linkedAt: Date;
  readonly lastUsedAt: Date | null;
}

interface IdentityRecord extends Record<string, unknown> {
  sid: string;
  user_sid: string;
  kind: IdentityKind;
  issuer: string;
  subject: string;
  label: string;
  claimed_role: OperatorRole | null;
  linked_at: Date;
  last_used_at: Date | null;
}

const COLUMNS = 'sid, user_sid, kind, issuer, subject, label, claimed_role, linked_at, last_used_at';

const fromRow = (row: IdentityRecord): IdentityRow => ({
  sid: row.sid,
  userSid: row.user_sid,
  kind: row.kind,
  issuer: row.issuer,
  subject: row.subject,
  label: row.label,
  claimedRole: row.claimed_role,
  linkedAt: row.linked_at,
  lastUsedAt: row.last_used_at,
});

const insertStatement = statement(
  'identity.insert',
  `insert into identity (${COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing returning sid`,
);

/** False when it is somebody's already. */
export async function insertIdentity(tx: Tx, row: IdentityRow): Promise<boolean> {
  const values = [row.sid, row.userSid, row.kind, row.issuer, row.subject, row.label, row.claimedRole];
  return (await tx.query(insertStatement, [...values, row.linkedAt, row.lastUsedAt])).length === 1;
}

const findStatement = statement(
  'identity.find',
  `select ${COLUMNS} from identity where issuer = $1 and subject = $2 for update`,
);

/** Locked: two sign-ins with it, or one and its unlinking, come one after the other. */
export async function findIdentity(tx: Tx, issuer: string, subject: string): Promise<IdentityRow | null> {
  const [row] = await tx.query<IdentityRecord>(findStatement, [issuer, subject]);
  return row ? fromRow(row) : null;
}

const listStatement = statement('identity.list', `select ${COLUMNS} from identity where user_sid = $1 order by sid`);

export async function listIdentities(tx: Tx, userSid: string): Promise<IdentityRow[]> {
  return (await tx.query<IdentityRecord>(listStatement, [userSid])).map(fromRow);
}

const useStatement = statement(
  'identity.use',
  `update identity set issuer = $2, label = $3, claimed_role = $4, last_used_at = $5 where sid = $1`,
);

/** What the provider said of it this time. */
export async function touchIdentity(
  tx: Tx,
  row: Pick<IdentityRow, 'sid' | 'issuer' | 'label' | 'claimedRole'>,
  now: Date,
): Promise<void> {
  await tx.query(useStatement, [row.sid, row.issuer, row.label, row.claimedRole, now]);
}

const deleteStatement = statement('identity.delete', `delete from identity where sid = $1`);

export async function deleteIdentity(tx: Tx, sid: string): Promise<void> {
  await tx.query(deleteStatement, [sid]);
}

const lockOwnerStatement = statement(
  'identity.lock_owner',
  `select sid from app_user where sid = $1 and erased_at is null for update`,
);

/** Whoever links or unlinks waits here: of two who take the last two away at once, one is refused. False when there is no such user (any more). */
export async function lockIdentitiesOf(tx: Tx, userSid: string): Promise<boolean> {
  return (await tx.query(lockOwnerStatement, [userSid])).length === 1;
}
