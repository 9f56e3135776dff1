import type { Source } from '../domain/hold/given.ts';
import { micros, type Micros } from '../domain/money.ts';
import { statement, type Tx } from './db.ts';

export const HOLD_STATES = ['open', 'captured', 'released', 'expired', 'captured_late'] as const;
export type HoldState = (typeof HOLD_STATES)[number];

/** A lease is a hold that a node has asked for: usage that it reports under it is taken out of it. */
export const HOLD_KINDS = ['hold', 'lease'] as const;
export type HoldKind = (typeof HOLD_KINDS)[number];

export interface HoldRow {
  readonly sid: string;
  readonly wallet: bigint;
  readonly walletSid: string;
  readonly userSid: string;
  readonly kind: HoldKind;
  /** Of a lease only; null for a plain hold. */
  readonly node: bigint | null;
  readonly nodeSid: string | null;
  readonly amount: Micros;
  /** Of a lease: what has gone back to the wallet for usage reported under it. */
  readonly drawn: Micros;
  /** How often something was drawn. */
  readonly draws: bigint;
  readonly captured: Micros;
  readonly state: HoldState;
  readonly description: string;
  /** The user who set it aside, by themselves or by a key; null: the house, or a node. */
  readonly byUserSid: string | null;
  /** What of it was given credit when it was set aside, in the order of use. */
  readonly given: readonly Source[];
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly closedAt: Date | null;
}

interface HoldRecord extends Record<string, unknown> {
  sid: string;
  wallet: bigint;
  wallet_sid: string;
  user_sid: string;
  kind: HoldKind;
  node: bigint | null;
  node_sid: string | null;
  amount: bigint;
  drawn: bigint;
  draws: bigint;
  captured: bigint;
  state: HoldState;
  description: string;
  by_user_sid: string | null;
  given_accounts: bigint[];
  given_amounts: bigint[];
  created_at: Date;
  expires_at: Date;
  closed_at: Date | null;
}

const fromRow = (row: HoldRecord): HoldRow => ({
  sid: row.sid,
  wallet: row.wallet,
  walletSid: row.wallet_sid,
  userSid: row.user_sid,
  kind: row.kind,
  node: row.node,
  nodeSid: row.node_sid,
  amount: micros(row.amount),
  drawn: micros(row.drawn),
  draws: row.draws,
  captured: micros(row.captured),
  state: row.state,
  description: row.description,
  byUserSid: row.by_user_sid,
  given: row.given_accounts.map((account, index) => ({ account, amount: micros(row.given_amounts[index] ?? 0n) })),
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  closedAt: row.closed_at,
});

const selectHold = `select hold.sid, hold.wallet, wallet.sid as wallet_sid, wallet.user_sid, hold.kind, hold.node, node.sid as node_sid,
  hold.amount, hold.drawn, hold.draws, hold.captured, hold.state, hold.description, hold.by_user_sid, hold.given_accounts, hold.given_amounts, hold.created_at, hold.expires_at, hold.closed_at
  from hold join wallet on wallet.id = hold.wallet left join node on node.id = hold.node`;

const insertStatement = statement(
  'hold.insert',
  `insert into hold (sid, wallet, amount, state, description, created_at, expires_at, kind, node, by_user_sid, given_accounts, given_amounts)
   values ($1, $2, $3, 'open', $4, $5, $6, $7, $8, $9, $10, $11)`,
);

export async function insertHold(
  tx: Tx,
  hold: Pick<
    HoldRow,
    'sid' | 'wallet' | 'amount' | 'description' | 'createdAt' | 'expiresAt' | 'kind' | 'node' | 'byUserSid' | 'given'
  >,
): Promise<void> {
  await tx.query(insertStatement, [
    hold.sid,
    hold.wallet,
    hold.amount,
    hold.description,
    hold.createdAt,
    hold.expiresAt,
    hold.kind,
    hold.node,
    hold.byUserSid,
    hold.given.map(({ account }) => account),
    hold.given.map(({ amount }) => amount),
  ]);
}

const readStatement = statement('hold.read', `${selectHold} where hold.sid = $1`);
const lockStatement = statement('hold.lock', `${selectHold} where hold.sid = $1 for no key update of hold`);

export async function readHold(tx: Tx, sid: string): Promise<HoldRow | null> {
  const [row] = await tx.query<HoldRecord>(readStatement, [sid]);
  return row ? fromRow(row) : null;
}

/** The hold's row is locked before the wallet's accounts, by every operation on holds. */
export async function lockHold(tx: Tx, sid: string): Promise<HoldRow | null> {
  const [row] = await tx.query<HoldRecord>(lockStatement, [sid]);
  return row ? fromRow(row) : null;
}

const closeStatement = statement(
  'hold.close',
  `update hold set state = $2, captured = $3, closed_at = $4 where sid = $1`,
);

export async function closeHold(
  tx: Tx,
  hold: Pick<HoldRow, 'sid' | 'captured'> & { readonly state: Exclude<HoldState, 'open'>; readonly closedAt: Date },
): Promise<void> {
  await tx.query(closeStatement, [hold.sid, hold.state, hold.captured, hold.closedAt]);
}

const countOfUsersStatement = statement(
  'hold.count_of_users',
  `select count(*) as count from hold where wallet = $1 and state = 'open' and by_user_sid is not null`,
);

/** How many holds of a wallet are open that users have set aside. */
export async function countHoldsOfUsers(tx: Tx, wallet: bigint): Promise<bigint> {
  const [row] = await tx.query<{ count: bigint }>(countOfUsersStatement, [wallet]);
  return row?.count ?? 0n;
}

const listStatement = statement(
  'hold.list',
  `${selectHold} where ($1::text is null or hold.sid < $1) and ($2::text is null or wallet.sid = $2)
     and ($3::text[] is null or wallet.user_sid = any($3)) and ($4::text is null or hold.state = $4)
     and ($5::text is null or hold.kind = $5) and ($6::int8 is null or hold.node = $6)
   order by hold.sid desc limit $7`,
);

/** Newest first. */
export async function listHolds(
  tx: Tx,
  page: {
    readonly before: string | null;
    readonly walletSid: string | null;
    readonly owners: readonly string[] | null;
    readonly state: HoldState | null;
    readonly kind: HoldKind | null;
    readonly node: bigint | null;
    readonly limit: number;
  },
): Promise<HoldRow[]> {
  const rows = await tx.query<HoldRecord>(listStatement, [
    page.before,
    page.walletSid,
    page.owners,
    page.state,
    page.kind,
    page.node,
    page.limit,
  ]);
  return rows.map(fromRow);
}

const dueStatement = statement(
  'hold.due',
  `select sid from hold where state = 'open' and expires_at <= $1 order by expires_at, sid limit $2`,
);

/** Open holds whose time is over, the longest overdue first. */
export async function listDueHolds(tx: Tx, now: Date, limit: number): Promise<string[]> {
  const rows = await tx.query<{ sid: string }>(dueStatement, [now, limit]);
  return rows.map((row) => row.sid);
}
