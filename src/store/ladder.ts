import { z } from 'zod';
import { POSTING_KINDS } from '../domain/ledger/posting.ts';
import type { Ladder, Rung, Streak } from '../domain/discount/ladder.ts';
import { statement, type Tx } from './db.ts';

/** As the column holds them: we wrote it, and a restore or a hand may have too. */
const Rungs = z.array(z.object({ after_days: z.int().min(1), multiplier: z.int().min(0).max(10_000) }));

interface LadderRecord extends Record<string, unknown> {
  category: string;
  version: number;
  rungs: unknown;
  grace_days: number;
  floor_at_cost: boolean;
  active_from: Date;
}

const fromRow = (row: LadderRecord): Ladder => ({
  category: row.category,
  version: row.version,
  rungs: Rungs.parse(row.rungs).map(({ after_days, multiplier }): Rung => ({
    afterDays: after_days,
    multiplier: BigInt(multiplier),
  })),
  graceDays: row.grace_days,
  isFloorAtCost: row.floor_at_cost,
  activeFrom: row.active_from,
});

const listStatement = statement(
  'ladder.list',
  `select category, version, rungs, grace_days, floor_at_cost, active_from from ladder
   where $1::text[] is null or category = any($1::text[]) order by category, version desc`,
);

/** Every version the categories ever had, or all there are; the newest of each category first. */
export async function listLadders(tx: Tx, categories: readonly string[] | null): Promise<Ladder[]> {
  return (await tx.query<LadderRecord>(listStatement, [categories])).map(fromRow);
}

const insertStatement = statement(
  'ladder.insert',
  `insert into ladder (category, version, rungs, grace_days, floor_at_cost, active_from, created_at, created_by)
   select $1, coalesce(max(version), 0) + 1, $2::jsonb, $3, $4, $5, $6, $7 from ladder where category = $1
   returning category, version, rungs, grace_days, floor_at_cost, active_from`,
);

/** As the next version of its category. Throws a unique violation when two are made at once. */
export async function insertLadder(
  tx: Tx,
  ladder: Omit<Ladder, 'version'>,
  made: { readonly at: Date; readonly by: string },
): Promise<Ladder> {
  const rungs = ladder.rungs.map(({ afterDays, multiplier }) => ({
    after_days: afterDays,
    multiplier: Number(multiplier),
  }));
  const [row] = await tx.query<LadderRecord>(insertStatement, [
    ladder.category,
    JSON.stringify(rungs),
    ladder.graceDays,
    ladder.isFloorAtCost,
    ladder.activeFrom,
    made.at,
    made.by,
  ]);
  if (!row) throw new Error('an inserted ladder is returned');
  return fromRow(row);
}

/** Whose run of use, in what. */
export interface StreakKey {
  readonly wallet: bigint;
  readonly category: string;
}

interface StreakRecord extends Record<string, unknown> {
  wallet: bigint;
  category: string;
  started_at: Date;
  last_at: Date;
}

const readStreaksStatement = statement(
  'ladder.read_streaks',
  `select wallet, category, started_at, last_at from usage_streak where wallet = any($1::int8[])`,
);

/** The runs of the wallets, in whatever category. */
export async function readStreaks(tx: Tx, wallets: readonly bigint[]): Promise<(StreakKey & Streak)[]> {
  const rows = await tx.query<StreakRecord>(readStreaksStatement, [wallets]);
  return rows.map(({ started_at: startedAt, last_at: lastAt, ...key }) => ({ ...key, startedAt, lastAt }));
}

const widenStreaksStatement = statement(
  'ladder.widen_streaks',
  // Two processes may widen one run at once: their union is right, unless more than the grace ($5, days) lies between the two. Then
  // they are two runs, and the later one is the present one.
  // In the order of the key, so that two of these never wait for each other.
  `insert into usage_streak (wallet, category, started_at, last_at)
   select wallet, category, started_at, last_at
   from unnest($1::int8[], $2::text[], $3::timestamptz[], $4::timestamptz[]) as t (wallet, category, started_at, last_at)
   order by wallet, category
   on conflict (wallet, category) do update
   set started_at = case
         when excluded.started_at > usage_streak.last_at + make_interval(days => $5) then excluded.started_at
         when excluded.last_at < usage_streak.started_at - make_interval(days => $5) then usage_streak.started_at
         else least(excluded.started_at, usage_streak.started_at) end,
       last_at = greatest(excluded.last_at, usage_streak.last_at)`,
);

/** Safe to: run again, concurrently, in any order. */
export async function widenStreaks(
  tx: Tx,
  streaks: readonly (StreakKey & Streak)[],
  { graceDays }: { readonly graceDays: number },
): Promise<void> {
  if (streaks.length === 0) return;
  await tx.query(widenStreaksStatement, [
    streaks.map(({ wallet }) => wallet),
    streaks.map(({ category }) => category),
    streaks.map(({ startedAt }) => startedAt),
    streaks.map(({ lastAt }) => lastAt),
    graceDays,
  ]);
}

const USAGE = POSTING_KINDS.usage;

const provedStreaksStatement = statement(
  'ladder.proved_streaks',
  // Gaps and islands: a record begins a new run when the one before it is further away than the grace. Of a wallet's runs the last one is
  // the present one. What was taken back is no use. Only those that the summary has otherwise come back. What is
  // unbilled was used as well.
  `with voided as materialized (
     select coalesce((about::json ->> 'corrects')::int8, (about::json ->> 'voids')::int8) as seq from entry
     where account = $1::int8 * 16 and kind = ${USAGE} and (strpos(about, '"corrects":') > 0 or strpos(about, '"voids":') > 0)
       and strpos(about, '"voids":') > 0
   ), used as (
     select about::json ->> 'category' as category, occurred_at from entry
     where account = $1::int8 * 16 and kind = ${USAGE} and strpos(about, '"corrects":') = 0 and strpos(about, '"voids":') = 0
       and seq not in (select seq from voided)
     union all
     select declined.about::json ->> 'category', coalesce(declined.occurred_at, declined.recorded_at) from declined_posting as declined
     where declined.wallet = $1 and declined.kind = ${USAGE} and strpos(declined.about, '"corrects":') = 0 and not exists (
       select from unbilled_outcome as unbilled where unbilled.idem = declined.idem and unbilled.outcome in ('billed', 'superseded'))
   ), marked as (
     select used.*, coalesce(used.occurred_at - lag(used.occurred_at) over each_run > make_interval(days => ladder.grace_days), true) as is_first
     from used join unnest($2::text[], $3::int4[]) as ladder (category, grace_days) on ladder.category = used.category
     window each_run as (partition by used.category order by used.occurred_at)
   ), numbered as (
     select marked.*, count(*) filter (where is_first) over (partition by category order by occurred_at) as run from marked
   ), runs as (
     select category, run, min(occurred_at) as started_at, max(occurred_at) as last_at from numbered group by 1, 2
   ), present as (
     select distinct on (category) category, started_at, last_at from runs order by category, run desc
   )
   select $1::int8 as wallet, present.category, present.started_at, present.last_at
   from present join unnest($2::text[], $3::int4[]) as ladder (category, grace_days) on ladder.category = present.category
   left join usage_streak as kept on kept.wallet = $1 and kept.category = present.category
   where kept.wallet is null or present.last_at > kept.last_at
     or (present.started_at <> kept.started_at and present.last_at >= kept.started_at - make_interval(days => ladder.grace_days))
   order by present.category`,
);

/**
 * The present runs of use of a wallet as its entries prove them; only those that begin at another time than what is kept, end later, or
 * are not kept at all.
 */
export async function provedStreaks(
  tx: Tx,
  wallet: bigint,
  ladders: readonly Pick<Ladder, 'category' | 'graceDays'>[],
): Promise<(StreakKey & Streak)[]> {
  const rows = await tx.query<StreakRecord>(provedStreaksStatement, [
    wallet,
    ladders.map(({ category }) => category),
    ladders.map(({ graceDays }) => graceDays),
  ]);
  return rows.map(({ started_at: startedAt, last_at: lastAt, ...key }) => ({ ...key, startedAt, lastAt }));
}

const writeStreaksStatement = statement(
  'ladder.write_streaks',
  `insert into usage_streak (wallet, category, started_at, last_at)
   select wallet, category, started_at, last_at
   from unnest($1::int8[], $2::text[], $3::timestamptz[], $4::timestamptz[]) as t (wallet, category, started_at, last_at)
   order by wallet, category
   on conflict (wallet, category) do update set started_at = excluded.started_at, last_at = greatest(usage_streak.last_at, excluded.last_at)`,
);

/** Puts proved runs in the place of what was kept. */
export async function writeStreaks(tx: Tx, streaks: readonly (StreakKey & Streak)[]): Promise<void> {
  if (streaks.length === 0) return;
  await tx.query(writeStreaksStatement, [
    streaks.map(({ wallet }) => wallet),
    streaks.map(({ category }) => category),
    streaks.map(({ startedAt }) => startedAt),
    streaks.map(({ lastAt }) => lastAt),
  ]);
}
