import { returnIdem, useIdem } from '../domain/ledger/given.ts';
import type { AccountId } from '../domain/ledger/posting.ts';
import { micros, type Micros } from '../domain/money.ts';
import { statement, type Tx } from './db.ts';
import { int8Array } from './pg-binary.ts';

/** What was paid with grants, read from the ledger: what the use of each posting took, less what its return gave back. */

const haveGrantsStatement = statement(
  'grant_use.have_grants',
  `select distinct wallet from grant_credit where wallet = any($1::int8[])`,
);

/** Those of the wallets that were ever given credit: the others have nothing to look for. */
export async function walletsWithGrants(tx: Tx, wallets: readonly bigint[]): Promise<ReadonlySet<bigint>> {
  if (wallets.length === 0) return new Set();
  const rows = await tx.query<{ wallet: bigint }>(haveGrantsStatement, [int8Array(wallets)]);
  return new Set(rows.map(({ wallet }) => wallet));
}

/** What one grant has paid. */
export interface GrantUse {
  readonly id: bigint;
  readonly sid: string;
  readonly account: AccountId;
  readonly reason: string;
  readonly amount: Micros;
  readonly priority: number;
  readonly expiresAt: Date | null;
  /** Whether its place is still its own, so that something can come back to it. */
  readonly hasPlace: boolean;
}

const usesStatement = statement(
  'grant_use.read',
  // As the ledger reads legs: a range of the index of at most sixteen rows for each key. The grant is the one that had the place then.
  `select grant_credit.id, grant_credit.sid, leg.account, grant_credit.reason, grant_credit.priority, grant_credit.expires_at,
          not exists (select from grant_credit as later where later.account = leg.account and later.from_seq > grant_credit.from_seq)
            as has_place,
          -sum(leg.amount)::int8 as amount
   from unnest($1::uuid[], $2::uuid[]) as key (first, last)
   cross join lateral (
     select account, seq, amount from entry where entry.idem between key.first and key.last order by entry.idem limit 16
   ) as leg
   cross join lateral (
     select * from grant_credit where grant_credit.account = leg.account and grant_credit.from_seq <= leg.seq
     order by grant_credit.from_seq desc limit 1
   ) as grant_credit
   where leg.account % 16 > 2
   group by grant_credit.id, grant_credit.sid, leg.account, grant_credit.reason, grant_credit.priority, grant_credit.expires_at,
            grant_credit.from_seq
   having sum(leg.amount) < 0`,
);

/** What each grant has paid of the postings together, in no order. */
export async function readGrantUses(tx: Tx, idems: readonly string[]): Promise<GrantUse[]> {
  const first = idems.flatMap((idem) => [useIdem(idem), returnIdem(idem)]);
  const rows = await tx.query<{
    id: bigint;
    sid: string;
    account: bigint;
    reason: string;
    priority: number;
    expires_at: Date | null;
    has_place: boolean;
    amount: bigint;
  }>(usesStatement, [first, first.map((idem) => `${idem.slice(0, -1)}f`)]);
  return rows.map(({ expires_at: expiresAt, has_place: hasPlace, amount, ...row }) => ({
    ...row,
    expiresAt,
    hasPlace,
    amount: micros(amount),
  }));
}

const reopenStatement = statement(
  'grant_use.reopen',
  // What was used up can be used again; what was over is only open to be taken back.
  `update grant_credit set closed_at = null, state = case state when 'spent' then 'open' else state end,
          ended_at = case state when 'spent' then null else ended_at end
   where id = any($1::int8[]) and closed_at is not null`,
);

/** Gives grants their places back, to which something returns. They still have them: see {@link GrantUse.hasPlace}. */
export async function reopenGrants(tx: Tx, ids: readonly bigint[]): Promise<void> {
  await tx.query(reopenStatement, [int8Array(ids)]);
}
