import { statement, type Tx } from './db.ts';

export interface SessionRow {
  readonly tokenHash: Uint8Array;
  /** Null for an operator who signed in with the admin secret. */
  readonly userSid: string | null;
  readonly role: 'user' | 'operator';
  readonly createdAt: Date;
  readonly expiresAt: Date;
  /** Where the connection that signed in came from: evidence, should the user say later that it was not them. */
  readonly address: string | null;
}

const insertStatement = statement(
  'session.insert',
  `insert into session (token_hash, user_sid, role, created_at, expires_at, address)
   values ($1, $2, $3, $4, $5, $6)`,
);

export async function insertSession(tx: Tx, session: SessionRow): Promise<void> {
  await tx.query(insertStatement, [
    Buffer.from(session.tokenHash),
    session.userSid,
    session.role,
    session.createdAt,
    session.expiresAt,
    session.address,
  ]);
}

const readStatement = statement(
  'session.read',
  `select user_sid, role from session where token_hash = $1 and revoked_at is null and expires_at > $2`,
);

/** Null when there is none, it is over, or it was revoked. */
export async function readLiveSession(
  tx: Tx,
  tokenHash: Uint8Array,
  now: Date,
): Promise<Pick<SessionRow, 'userSid' | 'role'> | null> {
  const [row] = await tx.query<{ user_sid: string | null; role: SessionRow['role'] }>(readStatement, [
    Buffer.from(tokenHash),
    now,
  ]);
  return row ? { userSid: row.user_sid, role: row.role } : null;
}

const revokeStatement = statement(
  'session.revoke',
  `update session set revoked_at = $2 where token_hash = $1 and revoked_at is null`,
);

export async function revokeSession(tx: Tx, tokenHash: Uint8Array, now: Date): Promise<void> {
  await tx.query(revokeStatement, [Buffer.from(tokenHash), now]);
}

const deleteExpiredStatement = statement('session.delete_expired', `delete from session where expires_at < $1`);

/** Rows that no cookie can use any more. */
export async function deleteExpiredSessions(tx: Tx, before: Date): Promise<void> {
  await tx.query(deleteExpiredStatement, [before]);
}
