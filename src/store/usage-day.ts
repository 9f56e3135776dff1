import { POSTING_KINDS } from '../domain/ledger/posting.ts';
import { micros, type Micros } from '../domain/money.ts';
import { statement, type Tx } from './db.ts';
import { int8Array } from './pg-binary.ts';

const USAGE = POSTING_KINDS.usage;
/** Entries folded by one statement: some tens of milliseconds. */
const FOLD_ENTRIES_MAX = 5_000n;

const openFoldStatement = statement(
  'usage_day.open_fold',
  `insert into usage_fold (wallet, seq) values ($1, 0) on conflict do nothing`,
);
const lockFoldStatement = statement(
  'usage_day.lock_fold',
  `select fold.seq, account.seq as last from usage_fold as fold join account on account.id = $1::int8 * 16
   where fold.wallet = $1 for update of fold`,
);
const foldStatement = statement(
  'usage_day.fold',
  // The day is when it happened, in UTC. The entries' own texts say the rest.
  `with fresh as (
     select (occurred_at at time zone 'UTC')::date as day, about::jsonb as about, amount from entry
     where account = $1::int8 * 16 and seq > $2 and seq <= $3 and kind = ${USAGE}
   ), folded as (
     insert into usage_day (wallet, day, category, node, resource_kind, unit, records, quantity, charge)
     select $1::int8, day, about ->> 'category', about ->> 'node', about ->> 'resource', about ->> 'unit', sum(case when about ? 'voids' then -1 when about ? 'corrects' then 0 else 1 end),
            sum((about ->> 'quantity')::numeric), -sum(amount)
     from fresh group by 2, 3, 4, 5, 6
     on conflict (wallet, day, category, node, resource_kind, unit) do update
     set records = usage_day.records + excluded.records, quantity = usage_day.quantity + excluded.quantity,
         charge = usage_day.charge + excluded.charge
   )
   update usage_fold set seq = $3 where wallet = $1`,
);

/**
 * Folds what a wallet was charged since the last time into its days.
 *
 * Shape: whether there is more to fold. Safe to: call concurrently (the wallet's row is locked), and again after a crash.
 */
export async function foldUsage(tx: Tx, wallet: bigint): Promise<boolean> {
  await tx.query(openFoldStatement, [wallet]);
  const [row] = await tx.query<{ seq: bigint; last: bigint }>(lockFoldStatement, [wallet]);
  if (!row || row.seq >= row.last) return false;
  const until = row.last - row.seq > FOLD_ENTRIES_MAX ? row.seq + FOLD_ENTRIES_MAX : row.last;
  await tx.query(foldStatement, [wallet, row.seq, until]);
  return until < row.last;
}

const unfoldedStatement = statement(
  'usage_day.unfolded',
  `select wallet.id from wallet join account on account.id = wallet.id * 16
   left join usage_fold as fold on fold.wallet = wallet.id
   where account.seq > coalesce(fold.seq, 0) and wallet.id > $1 order by wallet.id limit $2`,
);

/** Wallets with entries that are not folded, in the order of their numbers, after the given one. */
export async function listUnfolded(tx: Tx, after: bigint, limit: number): Promise<bigint[]> {
  return (await tx.query<{ id: bigint }>(unfoldedStatement, [after, limit])).map(({ id }) => id);
}

/** By what usage is added up. */
export const USAGE_GROUPS = ['day', 'category', 'node', 'resource_kind'] as const;
export type UsageGroup = (typeof USAGE_GROUPS)[number];

export interface UsageSum {
  /** The day as YYYY-MM-DD, or the category, node or resource. */
  readonly key: string;
  /** The unit of the quantity; usage of different units is not added up. */
  readonly unit: string;
  readonly records: bigint;
  /** As decimal text. */
  readonly quantity: string;
  readonly charge: Micros;
}

const sumStatement = statement(
  'usage_day.sum',
  `select case $4 when 'day' then day::text when 'category' then category when 'node' then node else resource_kind end as key, unit,
          sum(records)::int8 as records, trim_scale(sum(quantity))::text as quantity, sum(charge)::int8 as charge
   from usage_day where wallet = $1 and day >= $2::date and day <= $3::date
     and ($5::text is null or (case $4 when 'day' then day::text when 'category' then category when 'node' then node else resource_kind end, unit) > ($5, $6))
   group by 1, 2 order by 1, 2 limit $7`,
);

/** Sums of the days from `from` to `until`, both as YYYY-MM-DD and included, in the order of key and unit. */
export async function sumUsage(
  tx: Tx,
  asked: {
    readonly wallet: bigint;
    readonly from: string;
    readonly until: string;
    readonly by: UsageGroup;
    readonly after: Pick<UsageSum, 'key' | 'unit'> | null;
    readonly limit: number;
  },
): Promise<UsageSum[]> {
  const { wallet, from, until, by, after, limit } = asked;
  const values = [wallet, from, until, by, after?.key ?? null, after?.unit ?? null, limit];
  const rows = await tx.query<{ key: string; unit: string; records: bigint; quantity: string; charge: bigint }>(
    sumStatement,
    values,
  );
  return rows.map((row) => ({ ...row, charge: micros(row.charge) }));
}

const chargedSinceStatement = statement(
  'usage_day.charged_since',
  // The entries of an account lie in the order in which they were recorded. A few looks backwards, each eight times as far as the one before,
  // find one that is old enough, and nothing in front of it is read; by an hour older than asked, for the clocks of processes differ.
  // Without corrections: they are of other times.
  `select asked.wallet, used.charge
   from unnest($1::int8[]) as asked (wallet)
   join account on account.id = asked.wallet * 16
   cross join lateral (
     select coalesce(max(entry.seq), 0) as seq from entry
     where entry.account = asked.wallet * 16 and entry.seq = any(array[account.seq - 32, account.seq - 256, account.seq - 2048])
       and entry.recorded_at < $2::timestamptz - interval '1 hour'
   ) as old
   cross join lateral (
     select coalesce(-sum(amount), 0)::int8 as charge from entry
     where entry.account = asked.wallet * 16 and entry.seq > greatest(old.seq, account.seq - $3)
       and kind = ${USAGE} and recorded_at > $2 and strpos(about, '"corrects":') = 0 and strpos(about, '"voids":') = 0
   ) as used`,
);

/** What wallets were charged since an instant, corrections left out, by the last `entriesMax` entries of each at most. Each of them is there. */
export async function chargedSince(
  tx: Tx,
  asked: { readonly wallets: readonly bigint[]; readonly since: Date; readonly entriesMax: number },
): Promise<ReadonlyMap<bigint, Micros>> {
  if (asked.wallets.length === 0) return new Map();
  const values = [int8Array(asked.wallets), asked.since, asked.entriesMax];
  const rows = await tx.query<{ wallet: bigint; charge: bigint }>(chargedSinceStatement, values);
  return new Map(rows.map(({ wallet, charge }) => [wallet, micros(charge)]));
}
