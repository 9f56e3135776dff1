import type { MemberRole, OperatorRole } from '../domain/identity/role.ts';
import { statement, type Tx } from './db.ts';

export interface SessionRow {
  readonly sid: string;
  readonly tokenHash: Uint8Array;
  /** Null for whoever signed in with the admin secret, or as the sandbox's operator. */
  readonly userSid: string | null;
  readonly identitySid: string | null;
  /** The admin secret's id, or 'sandbox'; null for a user. */
  readonly secretId: string | null;
  readonly createdAt: Date;
  /** When they last showed who they are. */
  readonly provenAt: Date;
  /** To the minute. */
  readonly seenAt: Date;
  readonly expiresAt: Date;
  /** Where the connection that signed in came from: evidence, should the user say later that it was not them. */
  readonly address: string | null;
  /** The browser or program, as it calls itself. */
  readonly agent: string | null;
}

interface SessionRecord extends Record<string, unknown> {
  sid: string;
  token_hash: Buffer;
  user_sid: string | null;
  identity_sid: string | null;
  secret_id: string | null;
  created_at: Date;
  proven_at: Date;
  seen_at: Date;
  expires_at: Date;
  address: string | null;
  agent: string | null;
}

const fromRow = (row: SessionRecord): SessionRow => ({
  sid: row.sid,
  tokenHash: row.token_hash,
  userSid: row.user_sid,
  identitySid: row.identity_sid,
  secretId: row.secret_id,
  createdAt: row.created_at,
  provenAt: row.proven_at,
  seenAt: row.seen_at,
  expiresAt: row.expires_at,
  address: row.address,
  agent: row.agent,
});

const insertStatement = statement(
  'session.insert',
  `insert into session (sid, token_hash, user_sid, identity_sid, secret_id, created_at, proven_at, seen_at, expires_at, address, agent)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
);

export async function insertSession(tx: Tx, session: SessionRow): Promise<void> {
  await tx.query(insertStatement, [
    session.sid,
    Buffer.from(session.tokenHash),
    session.userSid,
    session.identitySid,
    session.secretId,
    session.createdAt,
    session.provenAt,
    session.seenAt,
    session.expiresAt,
    session.address,
    session.agent,
  ]);
}

/** A session that may be used, with what says who its holder is. */
export interface LiveSession extends SessionRow {
  /** What an admin made of the user. */
  readonly grantedRole: OperatorRole | null;
  /** The user whose pages its operator looks at, as they do; null: their own. */
  readonly viewedUserSid: string | null;
  readonly identities: readonly {
    readonly issuer: string;
    readonly subject: string;
    readonly claimedRole: OperatorRole | null;
    /** Whether this session was opened with it. */
    readonly isUsed: boolean;
  }[];
  /** The user's organisations, with what they are there. */
  readonly memberships: ReadonlyMap<string, MemberRole>;
}

const readStatement = statement(
  'session.read',
  `select s.sid, s.token_hash, s.user_sid, s.identity_sid, s.secret_id, s.created_at, s.proven_at, s.seen_at, s.expires_at, s.address,
          s.agent, s.viewed_user_sid, operator_role.role as granted_role, known.identities, joined.memberships
   from session as s
   left join app_user on app_user.sid = s.user_sid
   left join operator_role on operator_role.user_sid = s.user_sid
   left join lateral (
     select jsonb_agg(jsonb_build_array(issuer, subject, claimed_role, identity.sid = s.identity_sid)) as identities
     from identity where identity.user_sid = s.user_sid
   ) as known on true
   left join lateral (
     select jsonb_object_agg(organisation_sid, role) as memberships from membership
     where membership.user_sid = coalesce(s.viewed_user_sid, s.user_sid) and left_at is null
   ) as joined on true
   where s.token_hash = $1 and s.revoked_at is null and s.expires_at > $2 and s.seen_at > $3 and app_user.disabled_at is null`,
);

/** Null when there is none, it is over, nobody used it since `seenSince`, it was revoked, or its user may not come in. */
export async function readLiveSession(
  tx: Tx,
  tokenHash: Uint8Array,
  at: { readonly now: Date; readonly seenSince: Date },
): Promise<LiveSession | null> {
  const [row] = await tx.query<
    SessionRecord & {
      granted_role: OperatorRole | null;
      viewed_user_sid: string | null;
      identities: [string, string, OperatorRole | null, boolean][] | null;
      memberships: Record<string, MemberRole> | null;
    }
  >(readStatement, [Buffer.from(tokenHash), at.now, at.seenSince]);
  if (!row) return null;
  const identities = (row.identities ?? []).map(([issuer, subject, claimedRole, isUsed]) => ({
    issuer,
    subject,
    claimedRole,
    isUsed,
  }));
  const memberships = new Map(Object.entries(row.memberships ?? {}));
  const { granted_role: grantedRole, viewed_user_sid: viewedUserSid } = row;
  return { ...fromRow(row), grantedRole, viewedUserSid, identities, memberships };
}

const carryStatement = statement(
  'session.carry',
  `update session set expires_at = expires_at + make_interval(secs => $2::float8 / 1000), seen_at = greatest(seen_at, $3)
   where sid = $1 and revoked_at is null`,
);

/** Has a session last as much longer as time is about to be skipped, and counts it as used at the end of that. */
export async function carrySession(
  tx: Tx,
  sid: string,
  skipped: { readonly ms: number; readonly until: Date },
): Promise<void> {
  await tx.query(carryStatement, [sid, skipped.ms, skipped.until]);
}

const seeStatement = statement(
  'session.see',
  `update session set seen_at = $2 where token_hash = $1 and seen_at < $2 and revoked_at is null`,
);

export async function markSeen(tx: Tx, tokenHash: Uint8Array, now: Date): Promise<void> {
  await tx.query(seeStatement, [Buffer.from(tokenHash), now]);
}

const listStatement = statement(
  'session.list',
  `select sid, token_hash, user_sid, identity_sid, secret_id, created_at, proven_at, seen_at, expires_at, address, agent from session
   where user_sid = $1 and revoked_at is null and expires_at > $2 and seen_at > $3 order by created_at desc, sid desc`,
);

/** Of a user, those that still open something; newest first. */
export async function listLiveSessions(
  tx: Tx,
  userSid: string,
  at: { readonly now: Date; readonly seenSince: Date },
): Promise<SessionRow[]> {
  return (await tx.query<SessionRecord>(listStatement, [userSid, at.now, at.seenSince])).map(fromRow);
}

const revokeStatement = statement(
  'session.revoke',
  `update session set revoked_at = $2 where token_hash = $1 and revoked_at is null`,
);

export async function revokeSession(tx: Tx, tokenHash: Uint8Array, now: Date): Promise<void> {
  await tx.query(revokeStatement, [Buffer.from(tokenHash), now]);
}

const revokeOfUserStatement = statement(
  'session.revoke_of_user',
  `update session set revoked_at = $2
   where user_sid = $1 and revoked_at is null and ($3::text is null or sid = $3) and ($4::text is null or sid <> $4) returning sid`,
);

/** Ends one session of a user, or all of them but one. Answers which. */
export async function revokeSessionsOf(
  tx: Tx,
  userSid: string,
  which: { readonly only?: string | null; readonly except?: string | null },
  now: Date,
): Promise<string[]> {
  const rows = await tx.query<{ sid: string }>(revokeOfUserStatement, [
    userSid,
    now,
    which.only ?? null,
    which.except ?? null,
  ]);
  return rows.map(({ sid }) => sid);
}

const viewStatement = statement(
  'session.view',
  `update session set viewed_user_sid = $2 where sid = $1 and revoked_at is null returning sid`,
);

/** Whose pages the operator of a session sees from now on; null: their own. False when the session is over. */
export async function setViewed(tx: Tx, sid: string, userSid: string | null): Promise<boolean> {
  return (await tx.query(viewStatement, [sid, userSid])).length === 1;
}

const deleteExpiredStatement = statement(
  'session.delete_expired',
  `delete from session where token_hash in (select token_hash from session where expires_at < $1 limit $2) returning 1`,
);

/** Rows that no cookie can use any more; answers how many, at most `limit`. */
export async function deleteExpiredSessions(tx: Tx, before: Date, limit: number): Promise<number> {
  return (await tx.query(deleteExpiredStatement, [before, limit])).length;
}
