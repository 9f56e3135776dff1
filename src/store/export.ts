import type { AuditRow } from './audit.ts';
import { statement, type Tx } from './db.ts';

const lockStatement = statement('export.lock', `select sid from app_user where sid = $1 for no key update`);

/** Of two who begin an export of the same user at once, one counts the other. */
export async function lockForExport(tx: Tx, userSid: string): Promise<void> {
  await tx.query(lockStatement, [userSid]);
}

const beginningsStatement = statement(
  'export.beginnings',
  `select at from audit where subject = $1 and action = 'user.export' and actor = $2 and at > $3 order by sid`,
);

/** When somebody has begun exports of a user since then, oldest first. */
export async function exportsBegun(
  tx: Tx,
  of: { readonly userSid: string; readonly actor: string; readonly since: Date },
): Promise<Date[]> {
  const rows = await tx.query<{ at: Date }>(beginningsStatement, [of.userSid, of.actor, of.since]);
  return rows.map(({ at }) => at);
}

export interface PastSession {
  readonly sid: string;
  readonly createdAt: Date;
  readonly seenAt: Date;
  readonly expiresAt: Date;
  readonly revokedAt: Date | null;
  readonly address: string | null;
  readonly agent: string | null;
}

const sessionsStatement = statement(
  'export.sessions',
  `select sid, created_at, seen_at, expires_at, revoked_at, address, agent from session
   where user_sid = $1 and ($2::text is null or sid < $2) order by sid desc limit $3`,
);

/** A stretch of what belongs to a user, newest first. `before` is the sid of the last row of the one before. */
export interface Stretch {
  readonly userSid: string;
  readonly before: string | null;
  readonly limit: number;
}
const valuesOf = ({ userSid, before, limit }: Stretch) => [userSid, before, limit] as const;

/** All that are remembered, also those that are over. */
export async function exportSessions(tx: Tx, of: Stretch): Promise<PastSession[]> {
  const rows = await tx.query<{
    sid: string;
    created_at: Date;
    seen_at: Date;
    expires_at: Date;
    revoked_at: Date | null;
    address: string | null;
    agent: string | null;
  }>(sessionsStatement, valuesOf(of));
  return rows.map((row) => ({
    sid: row.sid,
    createdAt: row.created_at,
    seenAt: row.seen_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    address: row.address,
    agent: row.agent,
  }));
}

export interface SentMail {
  readonly sid: string;
  readonly recipient: string;
  readonly state: string;
  readonly subject: string | null;
  readonly text: string | null;
  readonly createdAt: Date;
}

const mailsStatement = statement(
  'export.mails',
  `select sid, recipient, state, subject, body_text, created_at from mail
   where user_sid = $1 and ($2::text is null or sid < $2) order by sid desc limit $3`,
);

export async function exportMails(tx: Tx, of: Stretch): Promise<SentMail[]> {
  const rows = await tx.query<{
    sid: string;
    recipient: string;
    state: string;
    subject: string | null;
    body_text: string | null;
    created_at: Date;
  }>(mailsStatement, valuesOf(of));
  return rows.map(({ body_text: text, created_at: createdAt, ...row }) => ({ ...row, text, createdAt }));
}

const auditStatement = statement(
  'export.audit',
  `select sid, at, actor, action, subject, outcome, reason, before, after from audit
   where subject = any($1) and ($2::text is null or sid < $2) order by sid desc limit $3`,
);

/** What was changed of these subjects, newest first. */
export async function exportAudit(
  tx: Tx,
  of: { readonly subjects: readonly string[]; readonly before: string | null; readonly limit: number },
): Promise<Omit<AuditRow, 'requestId'>[]> {
  return await tx.query<Record<string, unknown> & Omit<AuditRow, 'requestId'>>(auditStatement, [
    of.subjects,
    of.before,
    of.limit,
  ]);
}

/** As it is exported: the public half of a key, and nothing of the secret one. */
export interface ExportedKey extends Record<string, unknown> {
  readonly sid: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly key_id: string;
  readonly used_at: Date | null;
  readonly created_at: Date;
  readonly expires_at: Date | null;
  readonly revoked_at: Date | null;
}

const keysStatement = statement(
  'export.keys',
  `select sid, name, scopes, key_id, used_at, created_at, expires_at, revoked_at from key
   where owner_sid = $1 and ($2::text is null or sid < $2) order by sid desc limit $3`,
);

/** All keys, also those that are over. */
export async function exportKeys(tx: Tx, of: Stretch): Promise<ExportedKey[]> {
  return await tx.query<ExportedKey>(keysStatement, valuesOf(of));
}

export interface ExportedMembership extends Record<string, unknown> {
  readonly organisation_sid: string;
  readonly organisation: string;
  readonly role: string;
  readonly monthly_cap: bigint | null;
  readonly joined_at: Date;
  readonly left_at: Date | null;
}

const membershipsStatement = statement(
  'export.memberships',
  `select organisation_sid, display_name as organisation, role, monthly_cap, joined_at, left_at
   from membership join app_user on app_user.sid = organisation_sid
   where user_sid = $1 and ($2::text is null or organisation_sid < $2) order by organisation_sid desc limit $3`,
);

/** The organisations that somebody is or was in; who else is, is theirs. */
export async function exportMemberships(tx: Tx, of: Stretch): Promise<ExportedMembership[]> {
  return await tx.query<ExportedMembership>(membershipsStatement, valuesOf(of));
}
