import { POSTING_KINDS } from '../domain/ledger/posting.ts';
import { statement, type Tx } from './db.ts';

const USAGE = POSTING_KINDS.usage;

const dueStatement = statement(
  'usage_rating.due',
  `select wallet.id, wallet.sid from wallet join account on account.id = wallet.id * 16
   left join usage_rating as rating on rating.wallet = wallet.id
   where wallet.id > $1 and account.seq > coalesce(rating.seq, 0) order by wallet.id limit $2`,
);

/** Wallets with entries that were not looked at, in the order of their numbers, after the given one. */
export async function walletsToRate(
  tx: Tx,
  after: bigint,
  limit: number,
): Promise<{ readonly wallet: bigint; readonly walletSid: string }[]> {
  const rows = await tx.query<{ id: bigint; sid: string }>(dueStatement, [after, limit]);
  return rows.map(({ id, sid }) => ({ wallet: id, walletSid: sid }));
}

const freshStatement = statement(
  'usage_rating.fresh',
  `select count(*) as entries from entry
   where account = $1::int8 * 16 and kind = ${USAGE} and seq > coalesce((select seq from usage_rating where wallet = $1), 0)`,
);

/** How many entries of usage were not looked at. */
export async function countFresh(tx: Tx, wallet: bigint): Promise<bigint> {
  const [row] = await tx.query<{ entries: bigint }>(freshStatement, [wallet]);
  return row?.entries ?? 0n;
}

const openStatement = statement(
  'usage_rating.open',
  // Among all of them: a process whose clock was ahead has taken the day for over and looked at its lines. Whoever looks at all lines may.
  `select min(seq) as seq from entry where account = $1::int8 * 16 and kind = ${USAGE} and occurred_at >= $2`,
);

/** The first line of a day that was not over by `openFrom`: from there on the wallet is looked at again. Null when there is none. */
export async function firstOpen(tx: Tx, wallet: bigint, openFrom: Date): Promise<bigint | null> {
  const [row] = await tx.query<{ seq: bigint | null }>(openStatement, [wallet, openFrom]);
  return row?.seq ?? null;
}

const writeStatement = statement(
  'usage_rating.write',
  `insert into usage_rating (wallet, seq) values ($1, $2) on conflict (wallet) do update set seq = excluded.seq`,
);

/** The wallet's entries up to and with `seq` were looked at. */
export async function writeRating(tx: Tx, wallet: bigint, seq: bigint): Promise<void> {
  await tx.query(writeStatement, [wallet, seq]);
}

const misratedStatement = statement(
  'usage_rating.misrated',
  // The last entry of each line says how it stands; it has the line's own instant. By sorting, not by joining: a wallet may have millions.
  // Gaps and islands: a record begins a new run of use when the one before it is further away than the grace of its time. What was taken
  // back is no use; what is unbilled is. A line's rung is the lowest multiplier whose days had passed since its run began.
  `with said as (
     select seq, occurred_at, about, strpos(about, '"corrects":') > 0 as is_correction, strpos(about, '"voids":') > 0 as is_void
     from entry where account = $1::int8 * 16 and kind = ${USAGE}
   ), line as (
     select distinct on (1) case when is_correction then (about::json ->> 'corrects')::int8
         when is_void then (about::json ->> 'voids')::int8 else seq end as seq,
       occurred_at, is_void, case when is_correction then about::json -> 'now' else about::json end as stands
     from said order by 1, said.seq desc
   ), rung as (
     select line.seq, line.occurred_at, line.stands ->> 'category' as category, ladder.rungs,
       round((line.stands -> 'ladder' ->> 'multiplier')::numeric * 10000) as multiplier,
       (select grace_days from ladder as rules where rules.category = ladder.category and rules.active_from <= line.occurred_at
        order by version desc limit 1) as grace_days
     from line join ladder on ladder.category = line.stands ->> 'category' and ladder.version = (line.stands -> 'ladder' ->> 'version')::int4
     where not is_void
   ), used as (
     select * from rung
     union all
     select null, coalesce(declined.occurred_at, declined.recorded_at), declined.about::json ->> 'category', null, null,
       (select grace_days from ladder as rules where rules.category = declined.about::json ->> 'category'
          and rules.active_from <= coalesce(declined.occurred_at, declined.recorded_at) order by version desc limit 1)
     from declined_posting as declined
     where declined.wallet = $1 and declined.kind = ${USAGE} and strpos(declined.about, '"corrects":') = 0 and not exists (
       select from unbilled_outcome as unbilled where unbilled.idem = declined.idem and unbilled.outcome in ('billed', 'superseded'))
   ), marked as (
     select used.*, coalesce(occurred_at - lag(occurred_at) over in_order > make_interval(days => grace_days), true) as is_first
     from used window in_order as (partition by category order by occurred_at)
   ), run as (
     select marked.*, max(occurred_at) filter (where is_first) over (partition by category order by occurred_at) as started_at from marked
   )
   select seq, started_at from run
   where seq > $4 and occurred_at < $2 and multiplier <> coalesce((
       select min((step ->> 'multiplier')::int4) from jsonb_array_elements(rungs) as step
       where occurred_at - started_at >= make_interval(days => (step ->> 'after_days')::int4)), 10000)
   order by seq limit $3`,
);

/**
 * Lines of one wallet behind the seq `after`, of days that were over by `openFrom`, that do not stand on the rung which all its lines together prove, each with
 * the beginning of its run of use. Some of them come to the same on either rung.
 */
export async function misratedLines(
  tx: Tx,
  wallet: bigint,
  { openFrom, after, limit }: { readonly openFrom: Date; readonly after: bigint; readonly limit: number },
): Promise<{ readonly seq: bigint; readonly startedAt: Date }[]> {
  const rows = await tx.query<{ seq: bigint; started_at: Date }>(misratedStatement, [wallet, openFrom, limit, after]);
  return rows.map(({ seq, started_at: startedAt }) => ({ seq, startedAt }));
}
