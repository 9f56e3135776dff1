import { statement, type Tx } from './db.ts';

export type ChallengePurpose = 'sign_in' | 'link' | 'prove';

/** A code that was sent to a node. */
export interface ChallengeRow {
  readonly sid: string;
  /** The /64 of the claimed address. */
  readonly node: string;
  readonly address: string;
  /** Null: the network had not told it yet. */
  readonly nodeKey: string | null;
  readonly codeHash: Uint8Array;
  readonly number: string;
  readonly holderHash: Uint8Array;
  readonly purpose: ChallengePurpose;
  /** Both null for a sign-in. */
  readonly userSid: string | null;
  readonly sessionSid: string | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  /** Wrong codes so far. */
  readonly tries: number;
  readonly repliedAt: Date | null;
  readonly endedAt: Date | null;
}

interface ChallengeRecord extends Record<string, unknown> {
  sid: string;
  node: string;
  address: string;
  node_key: string | null;
  code_hash: Buffer;
  number: string;
  holder_hash: Buffer;
  purpose: ChallengePurpose;
  user_sid: string | null;
  session_sid: string | null;
  created_at: Date;
  expires_at: Date;
  tries: number;
  replied_at: Date | null;
  ended_at: Date | null;
}

const COLUMNS = `sid, node, address, node_key, code_hash, number, holder_hash, purpose, user_sid, session_sid, created_at, expires_at, tries,
  replied_at, ended_at`;

const fromRow = (row: ChallengeRecord): ChallengeRow => ({
  sid: row.sid,
  node: row.node,
  address: row.address,
  nodeKey: row.node_key,
  codeHash: row.code_hash,
  number: row.number,
  holderHash: row.holder_hash,
  purpose: row.purpose,
  userSid: row.user_sid,
  sessionSid: row.session_sid,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  tries: row.tries,
  repliedAt: row.replied_at,
  endedAt: row.ended_at,
});

const lockNodeStatement = statement(
  'challenge.lock_node',
  `select pg_advisory_xact_lock(hashtextextended('challenge ' || $1, 0))`,
);

const recentStatement = statement(
  'challenge.recent',
  `select created_at from challenge where node = $1 and created_at > $2 order by created_at`,
);

/** When a node was written to since, oldest first. Whoever asks holds the node until the end of the transaction. */
export async function listRecentChallenges(tx: Tx, node: string, since: Date): Promise<Date[]> {
  await tx.query(lockNodeStatement, [node]);
  const rows = await tx.query<{ created_at: Date }>(recentStatement, [node, since]);
  return rows.map(({ created_at: createdAt }) => createdAt);
}

const insertStatement = statement(
  'challenge.insert',
  `insert into challenge (sid, node, address, code_hash, number, holder_hash, purpose, user_sid, session_sid, created_at, expires_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
);

export async function insertChallenge(
  tx: Tx,
  row: Omit<ChallengeRow, 'nodeKey' | 'tries' | 'repliedAt' | 'endedAt'>,
): Promise<void> {
  await tx.query(insertStatement, [
    row.sid,
    row.node,
    row.address,
    Buffer.from(row.codeHash),
    row.number,
    Buffer.from(row.holderHash),
    row.purpose,
    row.userSid,
    row.sessionSid,
    row.createdAt,
    row.expiresAt,
  ]);
}

const sentStatement = statement('challenge.sent', `update challenge set node_key = $2 where sid = $1`);

/** Whose key the code went to. */
export async function markChallengeSent(tx: Tx, sid: string, nodeKey: string): Promise<void> {
  await tx.query(sentStatement, [sid, nodeKey]);
}

const readStatement = statement('challenge.read', `select ${COLUMNS} from challenge where sid = $1`);

export async function readChallenge(tx: Tx, sid: string): Promise<ChallengeRow | null> {
  const [row] = await tx.query<ChallengeRecord>(readStatement, [sid]);
  return row ? fromRow(row) : null;
}

const lockStatement = statement('challenge.lock', `select ${COLUMNS} from challenge where sid = $1 for update`);

/** Two tries at one challenge come one after the other. */
export async function lockChallenge(tx: Tx, sid: string): Promise<ChallengeRow | null> {
  const [row] = await tx.query<ChallengeRecord>(lockStatement, [sid]);
  return row ? fromRow(row) : null;
}

const lockOfNodeStatement = statement(
  'challenge.lock_of_node',
  `select ${COLUMNS} from challenge where node_key = $1 and ended_at is null and expires_at > $2 order by sid for update`,
);

/** Those that a reply of the node with this key may be for; by sid, and so in the order of locks. */
export async function lockChallengesOfNode(tx: Tx, nodeKey: string, now: Date): Promise<ChallengeRow[]> {
  return (await tx.query<ChallengeRecord>(lockOfNodeStatement, [nodeKey, now])).map(fromRow);
}

const changeStatement = statement(
  'challenge.change',
  `update challenge set tries = $2, replied_at = $3, ended_at = $4 where sid = $1`,
);

export async function changeChallenge(
  tx: Tx,
  row: Pick<ChallengeRow, 'sid' | 'tries' | 'repliedAt' | 'endedAt'>,
): Promise<void> {
  await tx.query(changeStatement, [row.sid, row.tries, row.repliedAt, row.endedAt]);
}

const pinStatement = statement(
  'challenge.pin_key',
  `insert into overlay_node (node, public_key, proven_at) values ($1, $2, $3) on conflict do nothing`,
);
const pinnedStatement = statement('challenge.pinned_key', `select public_key from overlay_node where node = $1`);

/** Whether a node's key is the one that it was first proven by; the first time it becomes it. */
export async function pinNodeKey(
  tx: Tx,
  { node, nodeKey, now }: { readonly node: string; readonly nodeKey: string; readonly now: Date },
): Promise<boolean> {
  await tx.query(pinStatement, [node, nodeKey, now]);
  const [row] = await tx.query<{ public_key: string }>(pinnedStatement, [node]);
  return row?.public_key === nodeKey;
}

const deleteStatement = statement('challenge.delete_old', `delete from challenge where expires_at < $1`);

export async function deleteOldChallenges(tx: Tx, before: Date): Promise<void> {
  await tx.query(deleteStatement, [before]);
}
