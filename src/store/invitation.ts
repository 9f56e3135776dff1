import type { MemberRole } from '../domain/identity/role.ts';
import { micros, type Micros } from '../domain/money.ts';
import { statement, type Tx } from './db.ts';

export const INVITATION_OUTCOMES = ['accepted', 'declined', 'revoked'] as const;
export type InvitationOutcome = (typeof INVITATION_OUTCOMES)[number];

/** A way into an organisation for whoever has its token. */
export interface InvitationRow {
  readonly sid: string;
  readonly organisationSid: string;
  readonly organisationName: string;
  /** Owners are made of members, not of links. */
  readonly role: Exclude<MemberRole, 'owner'>;
  readonly monthlyCap: Micros | null;
  readonly email: string | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  /** Null: not yet answered. */
  readonly outcome: InvitationOutcome | null;
  /** Who accepted or declined it: a user; who revoked it: an actor. */
  readonly endedBy: string | null;
}

interface InvitationRecord extends Record<string, unknown> {
  sid: string;
  organisation_sid: string;
  organisation_name: string;
  role: InvitationRow['role'];
  monthly_cap: bigint | null;
  email: string | null;
  created_at: Date;
  expires_at: Date;
  outcome: InvitationOutcome | null;
  ended_by: string | null;
}

const fromRow = (row: InvitationRecord): InvitationRow => ({
  sid: row.sid,
  organisationSid: row.organisation_sid,
  organisationName: row.organisation_name,
  role: row.role,
  monthlyCap: row.monthly_cap === null ? null : micros(row.monthly_cap),
  email: row.email,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  outcome: row.outcome,
  endedBy: row.ended_by,
});

const insertStatement = statement(
  'invitation.insert',
  `insert into invitation (sid, organisation_sid, token_hash, role, monthly_cap, email, invited_by, created_at, expires_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
);

export async function insertInvitation(
  tx: Tx,
  row: Pick<InvitationRow, 'sid' | 'organisationSid' | 'role' | 'monthlyCap' | 'email' | 'createdAt' | 'expiresAt'> & {
    readonly tokenHash: Uint8Array;
    readonly invitedBy: string;
  },
): Promise<void> {
  await tx.query(insertStatement, [
    row.sid,
    row.organisationSid,
    Buffer.from(row.tokenHash),
    row.role,
    row.monthlyCap,
    row.email,
    row.invitedBy,
    row.createdAt,
    row.expiresAt,
  ]);
}

const selectInvitation = statement(
  'invitation.select',
  `select invitation.sid, invitation.organisation_sid, app_user.display_name as organisation_name, invitation.role, invitation.monthly_cap,
          invitation.email, invitation.created_at, invitation.expires_at, invitation.outcome, invitation.ended_by
   from invitation join app_user on app_user.sid = invitation.organisation_sid`,
).text;

const findStatement = statement('invitation.find', `${selectInvitation} where invitation.token_hash = $1`);

/** By its token, whatever became of it. */
export async function findInvitation(tx: Tx, tokenHash: Uint8Array): Promise<InvitationRow | null> {
  const [row] = await tx.query<InvitationRecord>(findStatement, [Buffer.from(tokenHash)]);
  return row ? fromRow(row) : null;
}

const endStatement = statement(
  'invitation.end',
  `update invitation set outcome = $2, ended_by = $3, ended_at = $4
   where sid = $1 and organisation_sid = $5 and outcome is null and expires_at > $4 returning sid`,
);

/** Once: false when it has ended already. */
export async function endInvitation(
  tx: Tx,
  { sid, organisationSid }: Pick<InvitationRow, 'sid' | 'organisationSid'>,
  end: { readonly outcome: InvitationOutcome; readonly endedBy: string; readonly endedAt: Date },
): Promise<boolean> {
  const values = [sid, end.outcome, end.endedBy, end.endedAt, organisationSid];
  return (await tx.query(endStatement, values)).length === 1;
}

const listStatement = statement(
  'invitation.list',
  `${selectInvitation}
   where invitation.organisation_sid = $1 and invitation.outcome is null and invitation.expires_at > $2 order by invitation.sid desc`,
);

/** Those of an organisation that wait for an answer, newest first. At most as many as there may be. */
export async function listOpenInvitations(tx: Tx, organisationSid: string, now: Date): Promise<InvitationRow[]> {
  return (await tx.query<InvitationRecord>(listStatement, [organisationSid, now])).map(fromRow);
}

const countStatement = statement(
  'invitation.count',
  `select count(*) filter (where outcome is null and expires_at > $2) as open, count(*) filter (where created_at > $3) as today
   from invitation where organisation_sid = $1`,
);

/** How many wait for an answer, and how many were made since. */
export async function countInvitations(
  tx: Tx,
  organisationSid: string,
  { now, since }: { readonly now: Date; readonly since: Date },
): Promise<{ readonly open: number; readonly today: number }> {
  const [row] = await tx.query<{ open: bigint; today: bigint }>(countStatement, [organisationSid, now, since]);
  return { open: Number(row?.open ?? 0n), today: Number(row?.today ?? 0n) };
}

const pruneStatement = statement(
  'invitation.prune',
  `delete from invitation where sid in (select sid from invitation where created_at < $1 order by sid limit $2)`,
);

/** Forgets those that were made before then, and with them where they were mailed to. */
export async function pruneInvitations(tx: Tx, before: Date, limit: number): Promise<void> {
  await tx.query(pruneStatement, [before, limit]);
}
