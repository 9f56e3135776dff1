import { refuse, type Refusal } from '../domain/refusal.ts';
import type { WalletLevel } from '../domain/standing/level.ts';
import { unmoved, type Standing, type StandingReason, type StandingState } from '../domain/standing/state.ts';
import { statement, type Row, type Tx } from './db.ts';
import { int8Array } from './pg-binary.ts';

/** The standing of a wallet as it was written down last. */
export interface StandingRow extends Standing {
  readonly wallet: bigint;
  /** How many changes of state there were. */
  readonly moves: number;
}

/** The columns of a standing; null throughout where a wallet has none. */
export interface StandingRecord extends Row {
  wallet: bigint;
  state: StandingState | null;
  since: Date | null;
  level: WalletLevel | null;
  reason: StandingReason | null;
  warned_hours: number | null;
  noticed_at: Date | null;
  deadline_at: Date | null;
  rescue_until: Date | null;
  restoring_since: Date | null;
  held_then: bigint | null;
  moves: number | null;
}

/** `openedAt`: since when a wallet without a standing is as good as empty. */
export function standingFromRow(row: StandingRecord, openedAt: Date): StandingRow {
  const blank = { ...unmoved(openedAt), wallet: row.wallet, moves: 0 };
  if (row.state === null || row.since === null || row.level === null) return blank;
  return {
    wallet: row.wallet,
    state: row.state,
    since: row.since,
    level: row.level,
    reason: row.reason,
    warnedHours: row.warned_hours,
    noticedAt: row.noticed_at,
    deadlineAt: row.deadline_at,
    rescueUntil: row.rescue_until,
    restoringSince: row.restoring_since,
    heldThen: row.held_then,
    moves: row.moves ?? 0,
  };
}

const openStatement = statement(
  'standing.open',
  `insert into wallet_standing (wallet, state, since, level, seen_seq) select id, 'empty', created_at, 'empty', 0 from wallet where id = $1
   on conflict do nothing`,
);
const lockStatement = statement('standing.lock', `select 1 from wallet_standing where wallet = $1 for no key update`);

/** Of two processes that look at once, one finds what the other wrote. Before the wallet's subscription and accounts. */
export async function lockStanding(tx: Tx, wallet: bigint): Promise<void> {
  await tx.query(openStatement, [wallet]);
  await tx.query(lockStatement, [wallet]);
}

const saveStatement = statement(
  'standing.save',
  `update wallet_standing set state = $2, since = $3, level = $4, reason = $5, warned_hours = $6, noticed_at = $7, deadline_at = $8,
          rescue_until = $9, restoring_since = $10, held_then = $11, moves = $12
   where wallet = $1`,
);

/** Writes the whole row; its lock is held. */
export async function saveStanding(tx: Tx, row: StandingRow): Promise<void> {
  await tx.query(saveStatement, [
    row.wallet,
    row.state,
    row.since,
    row.level,
    row.reason,
    row.warnedHours,
    row.noticedAt,
    row.deadlineAt,
    row.rescueUntil,
    row.restoringSince,
    row.heldThen,
    row.moves,
  ]);
}

const lookStatement = statement(
  'standing.looked',
  `update wallet_standing set look_at = $2, seen_seq = $3 where wallet = $1`,
);

/** When its runway is looked at next; null: once its account moves on from where it is. */
export async function saveLook(
  tx: Tx,
  look: { readonly wallet: bigint; readonly lookAt: Date | null; readonly seq: bigint },
): Promise<void> {
  await tx.query(lookStatement, [look.wallet, look.lookAt, look.lookAt === null ? look.seq : null]);
}

/** What was seen of a wallet of which nothing changes. */
export interface SeenLook {
  readonly wallet: bigint;
  /** Where its account was. */
  readonly seq: bigint;
  /** When it was to be looked at, by the look before. */
  readonly lookAtBefore: Date | null;
  /** When it is to be looked at next; null: once its account has moved on from `seq`. */
  readonly lookAt: Date | null;
}

const markStatement = statement(
  'standing.mark_looked',
  // Only what is still as it was seen: neither has the account moved on, nor has anybody else looked. (Two looks that both wait for the account
  // to move on from the same line say the same.) Rows are locked in the order of the wallets, and who holds one is looking at this moment:
  // nobody waits. Instants of ours have milliseconds; what a person wrote may have more.
  `with seen as (
     select * from unnest($1::int8[], $2::int8[], $3::timestamptz[], $4::timestamptz[]) as one (wallet, seq, look_at_before, look_at)
   ), unmoved as (
     select told.wallet, seen.look_at, seen.seq
     from seen
     join account as main on main.id = seen.wallet * 16 and main.seq = seen.seq
     join wallet_standing as told on told.wallet = seen.wallet
     where date_trunc('milliseconds', told.look_at) is not distinct from seen.look_at_before
     order by told.wallet
     for no key update of told skip locked
   )
   update wallet_standing as told set look_at = unmoved.look_at, seen_seq = case when unmoved.look_at is null then unmoved.seq end
   from unmoved where told.wallet = unmoved.wallet
   returning told.wallet`,
);

/**
 * Writes down that wallets were looked at, by one statement and without a lock of theirs.
 *
 * Shape: how many. Who has paid since, or is being looked at by somebody else, is left as it is, and so is looked at again.
 */
export async function markLooked(tx: Tx, looks: readonly SeenLook[]): Promise<number> {
  if (looks.length === 0) return 0;
  const values = [
    int8Array(looks.map(({ wallet }) => wallet)),
    int8Array(looks.map(({ seq }) => seq)),
    looks.map(({ lookAtBefore }) => lookAtBefore),
    looks.map(({ lookAt }) => lookAt),
  ];
  return (await tx.query(markStatement, values)).length;
}

const insertMoveStatement = statement(
  'standing.insert_move',
  `insert into standing_move (wallet, number, from_state, to_state, reason, at) values ($1, $2, $3, $4, $5, $6)`,
);

export interface StandingMove {
  readonly wallet: bigint;
  readonly number: number;
  readonly from: StandingState;
  readonly to: StandingState;
  readonly reason: StandingReason | null;
  readonly at: Date;
}

export async function insertMove(tx: Tx, move: StandingMove): Promise<void> {
  await tx.query(insertMoveStatement, [move.wallet, move.number, move.from, move.to, move.reason, move.at]);
}

const stateStatement = statement(
  'standing.state',
  // Shared: whoever buys and whoever suspends do it one after the other.
  `select state from wallet_standing where wallet = $1 for share`,
);

/**
 * Whether a wallet may buy or be given anything new: not while it is suspended. (A released one has no plan any more; it may begin anew.)
 *
 * In the transaction that buys, before the wallet's subscription and accounts are locked.
 */
export async function canRent(
  tx: Tx,
  wallet: bigint,
): Promise<{ readonly ok: true } | { readonly ok: false; readonly refusal: Refusal }> {
  const [row] = await tx.query<{ state: StandingState }>(stateStatement, [wallet]);
  if (row?.state !== 'suspended') return { ok: true };
  return {
    ok: false,
    refusal: refuse('wallet_suspended', 'The wallet is suspended. standing.get says what is due; top it up first.', {
      details: { state: row.state },
    }),
  };
}

const movesStatement = statement(
  'standing.list_moves',
  `select wallet, number, from_state, to_state, reason, at from standing_move where wallet = $1 order by number desc limit $2`,
);

/** The last changes of a wallet, newest first. */
export async function listMoves(tx: Tx, wallet: bigint, limit: number): Promise<StandingMove[]> {
  const rows = await tx.query<{
    wallet: bigint;
    number: number;
    from_state: StandingState;
    to_state: StandingState;
    reason: StandingReason | null;
    at: Date;
  }>(movesStatement, [wallet, limit]);
  return rows.map(({ from_state: from, to_state: to, ...row }) => ({ ...row, from, to }));
}

const needsWatchStatement = statement(
  'standing.needs_watch',
  `select 1 from wallet_standing where wallet = $1 and (deadline_at is not null or state in ('suspended', 'released'))`,
);

/** Whether money that comes in may change what is running. */
export async function waitsForMoney(tx: Tx, wallet: bigint): Promise<boolean> {
  return (await tx.query(needsWatchStatement, [wallet])).length > 0;
}
