import { liveAccount, POSTING_KINDS } from '../domain/ledger/posting.ts';
import { micros, type Micros } from '../domain/money.ts';
import { statement, type Tx } from './db.ts';
import type { StatementRow } from './wallet.ts';

/** A time at which a user proved who they are. */
export interface SignIn {
  readonly at: Date;
  /** Where the connection came from; null: not kept then. */
  readonly address: string | null;
}

const signInsStatement = statement(
  'evidence.sign_ins',
  `select created_at, address from session where user_sid = $1 and created_at >= $2 order by created_at desc limit $3`,
);

/** A user's sign-ins since an instant, newest first. */
export async function listSignIns(tx: Tx, userSid: string, since: Date, limit: number): Promise<SignIn[]> {
  const rows = await tx.query<{ created_at: Date; address: string | null }>(signInsStatement, [userSid, since, limit]);
  return rows.map((row) => ({ at: row.created_at, address: row.address }));
}

/** What was used, and paid out of the wallet. */
const USED = [POSTING_KINDS.debit, POSTING_KINDS.usage, POSTING_KINDS.hold_capture];

const usedStatement = statement(
  'evidence.used',
  `select seq, kind, amount, balance_after, about, occurred_at, recorded_at from entry
   where account = $1 and kind = any($2::int2[]) and recorded_at >= $3 order by seq desc limit $4`,
);

/** Charges of a wallet since an instant, newest first. */
export async function listUsed(tx: Tx, wallet: bigint, since: Date, limit: number): Promise<StatementRow[]> {
  const rows = await tx.query<{
    seq: bigint;
    kind: number;
    amount: bigint;
    balance_after: bigint;
    about: string | null;
    occurred_at: Date;
    recorded_at: Date;
  }>(usedStatement, [liveAccount(wallet, 'wallet'), USED, since, limit]);
  return rows.map((row) => ({
    seq: row.seq,
    kind: row.kind,
    amount: micros(row.amount),
    balanceAfter: micros(row.balance_after),
    about: row.about,
    occurredAt: row.occurred_at,
    recordedAt: row.recorded_at,
  }));
}

const usedSumStatement = statement(
  'evidence.used_sum',
  `select count(*) as charges, -coalesce(sum(amount), 0)::int8 as total from entry
   where account = $1 and kind = any($2::int2[]) and recorded_at >= $3`,
);

/** How often and how much the wallet was charged since an instant, corrections taken off. */
export async function sumUsed(
  tx: Tx,
  wallet: bigint,
  since: Date,
): Promise<{ readonly charges: bigint; readonly total: Micros }> {
  const values = [liveAccount(wallet, 'wallet'), USED, since];
  const [row] = await tx.query<{ charges: bigint; total: bigint }>(usedSumStatement, values);
  return { charges: row?.charges ?? 0n, total: micros(row?.total ?? 0n) };
}
