import { micros, type Micros } from '../domain/money.ts';
import { statement, type Tx } from './db.ts';

const lockNodeStatement = statement(
  'lease.lock_node',
  `select id from node where id = $1 and revoked_at is null for no key update`,
);

/** Has the leases of a node granted one after another, so that their sum is known. False when the node is revoked. */
export async function lockLessee(tx: Tx, node: bigint): Promise<boolean> {
  return (await tx.query(lockNodeStatement, [node])).length > 0;
}

/** What a node holds at the moment. */
export interface OpenLeases {
  readonly count: bigint;
  /** What is left of them together. */
  readonly sum: Micros;
  /** When the first of them ends; null when there is none. */
  readonly firstEndsAt: Date | null;
}

const openStatement = statement(
  'lease.open',
  // One whose time is over does not count, whether or not its money has gone back yet.
  `select count(*) as count, coalesce(sum(amount - drawn), 0)::int8 as sum, min(expires_at) as first_ends_at from hold
   where node = $1 and state = 'open' and kind = 'lease' and expires_at > $2`,
);

export async function openLeases(tx: Tx, node: bigint, now: Date): Promise<OpenLeases> {
  const [row] = await tx.query<{ count: bigint; sum: bigint; first_ends_at: Date | null }>(openStatement, [node, now]);
  return { count: row?.count ?? 0n, sum: micros(row?.sum ?? 0n), firstEndsAt: row?.first_ends_at ?? null };
}

const lockDueStatement = statement(
  'lease.lock_due',
  `select sid from hold where wallet = $1 and state = 'open' and expires_at <= $2 order by sid limit $3 for no key update`,
);

/** Locks the open holds of a wallet whose time is over. */
export async function lockDueHolds(tx: Tx, wallet: bigint, now: Date, limit: number): Promise<string[]> {
  return (await tx.query<{ sid: string }>(lockDueStatement, [wallet, now, limit])).map(({ sid }) => sid);
}

const drawStatement = statement('lease.draw', `update hold set drawn = drawn + $2, draws = draws + 1 where sid = $1`);

/** Writes down what was drawn from a locked lease; may be nothing, and counts all the same. */
export async function addDrawn(tx: Tx, sid: string, amount: Micros): Promise<void> {
  await tx.query(drawStatement, [sid, amount]);
}
