import { statement, type Tx } from './db.ts';
import { boolArray, int8Array, textArray } from './pg-binary.ts';

/** Gaps that one stream may have: past that the lowest are given up, so that a node that counts at random costs no more than this. */
export const GAPS_MAX = 1_000;
/** Gaps of one stream that are told one by one; `missing` counts them all. */
const GAPS_TOLD = 100;

/** A number that came with a record that was kept. */
export interface NumberSeen {
  readonly category: string;
  readonly number: number;
  /** False for a record that was kept before: its number came before, rightly. */
  readonly isNew: boolean;
}

/** How one stream of a node stands. Numbers are inclusive. */
export interface StreamRow {
  readonly category: string;
  /** The highest number that has come. */
  readonly last: bigint;
  /** How many numbers below it have not. */
  readonly missing: bigint;
  /** The lowest gaps, rising. */
  readonly gaps: readonly Gap[];
  readonly reused: bigint;
  readonly givenUp: bigint;
}

export interface Gap {
  readonly from: bigint;
  readonly to: bigint;
  /** When a higher number came first. */
  readonly noticedAt: Date;
}

interface StreamRecord extends Record<string, unknown> {
  category: string;
  last: bigint;
  missing: bigint;
  gap_from: bigint[];
  gap_to: bigint[];
  gap_noticed_at: string[];
  reused: bigint;
  given_up: bigint;
}

const fromRow = (row: StreamRecord): StreamRow => ({
  category: row.category,
  last: row.last,
  missing: row.missing,
  gaps: row.gap_from.map((from, index) => ({
    from,
    to: row.gap_to[index] ?? from,
    noticedAt: new Date(Number(row.gap_noticed_at[index])),
  })),
  reused: row.reused,
  givenUp: row.given_up,
});

/** What is told of a stream, from its row `kept`. A gap is known since the first jump to a number above it. */
const TOLD = `kept.category, upper(kept.seen) - 1 as last, kept.reused, kept.given_up,
  coalesce((select sum(upper(gap) - lower(gap)) from unnest(int8multirange(int8range(1, upper(kept.seen))) - kept.seen) as gap), 0)::int8 as missing,
  open.gap_from, open.gap_to, open.gap_noticed_at`;
const OPEN = `lateral (
    select coalesce(array_agg(lower(gap) order by gap), '{}') as gap_from, coalesce(array_agg(upper(gap) - 1 order by gap), '{}') as gap_to,
           coalesce(array_agg((extract(epoch from (
             select at from unnest(kept.jumped_to, kept.jumped_at) as jump (number, at) where number >= upper(gap) order by number limit 1
           )) * 1000)::int8::text order by gap), '{}') as gap_noticed_at
    from (select gap from unnest(int8multirange(int8range(1, upper(kept.seen))) - kept.seen) as gap order by gap limit ${GAPS_TOLD}) as lowest
  ) as open`;

const noteStatement = statement(
  'sequence.note',
  // One statement, and the row it finds is the newest one, whoever else writes it: two processes that note at once lose no number.
  // What only a repeated record has shown is no number used twice when the record itself shows it: two processes had it at once. "bounded"
  // gives the lowest gaps up where there are too many. A jump is kept as long as a gap between it and the one before is open.
  `with sent as (
     select category, range_agg(int8range(number, number, '[]')) as numbers,
            coalesce(range_agg(int8range(number, number, '[]')) filter (where is_new), '{}') as fresh,
            coalesce(range_agg(int8range(number, number, '[]')) filter (where not is_new), '{}') as again,
            count(*) filter (where is_new) - count(distinct number) filter (where is_new) as twice
     from unnest($2::text[], $3::int8[], $5::bool[]) as t (category, number, is_new) group by category
   ), written as (
     insert into usage_sequence as kept (node, category, seen, jumped_to, jumped_at, reused, given_up, repeated)
     select $1, category, numbers,
            case when numbers = int8multirange(int8range(1, upper(numbers))) then '{}' else array[upper(numbers) - 1] end,
            case when numbers = int8multirange(int8range(1, upper(numbers))) then '{}' else array[$4::timestamptz] end, twice, 0,
            again - fresh
     from sent order by category
     on conflict (node, category) do update set (seen, jumped_to, jumped_at, reused, given_up, repeated) = (
       select bounded.seen,
              coalesce(array_agg(jump.number order by jump.number) filter (where jump.is_open), '{}'),
              coalesce(array_agg(jump.at order by jump.number) filter (where jump.is_open), '{}'),
              kept.reused + (
                select twice + coalesce((select sum(upper(one) - lower(one)) from unnest(sent.fresh * kept.seen - kept.repeated) as one), 0)::int8
                from sent where sent.category = kept.category
              ),
              kept.given_up + bounded.given_up,
              (select kept.repeated + (sent.again - kept.seen) - sent.fresh from sent where sent.category = kept.category)
       from (
         select merged.seen + int8multirange(filled.range) as seen,
                coalesce((select sum(upper(gap) - lower(gap)) from unnest(int8multirange(filled.range) - merged.seen) as gap), 0)::int8 as given_up
         from (select kept.seen + excluded.seen as seen) as merged,
              lateral (
                select coalesce(
                  (select int8range(1, upper(one)) from unnest(merged.seen) as one order by one desc offset ${GAPS_MAX} limit 1), 'empty'
                ) as range
              ) as filled
       ) as bounded
       left join lateral (
         select number, at, not int8range(lag(number, 1, 0::int8) over (order by number) + 1, number + 1) <@ bounded.seen as is_open
         from (
           select number, at from unnest(kept.jumped_to, kept.jumped_at) as before (number, at)
           union all
           select upper(excluded.seen) - 1, $4::timestamptz
           where not int8range(upper(kept.seen), greatest(upper(kept.seen), upper(excluded.seen))) <@ excluded.seen
         ) as jumps
       ) as jump on true
       group by bounded.seen, bounded.given_up
     )
     returning *
   )
   select ${TOLD} from written as kept, ${OPEN} order by kept.category`,
);

/**
 * Adds the numbers of one node's records to its streams.
 *
 * Shape: the streams that were named, by category, as they stand then. Safe to: run again, concurrently, in any order.
 */
export async function noteNumbers(
  tx: Tx,
  node: bigint,
  numbers: readonly NumberSeen[],
  now: Date,
): Promise<StreamRow[]> {
  if (numbers.length === 0) return [];
  const rows = await tx.query<StreamRecord>(noteStatement, [
    node,
    textArray(numbers.map(({ category }) => category)),
    int8Array(numbers.map(({ number }) => BigInt(number))),
    now,
    boolArray(numbers.map(({ isNew }) => isNew)),
  ]);
  return rows.map(fromRow);
}

const listStatement = statement(
  'sequence.list',
  `select ${TOLD} from usage_sequence as kept, ${OPEN} where kept.node = $1 order by kept.category`,
);

/** All streams of a node, by category: as many as there are categories. */
export async function listStreams(tx: Tx, node: bigint): Promise<StreamRow[]> {
  return (await tx.query<StreamRecord>(listStatement, [node])).map(fromRow);
}

const giveUpStatement = statement(
  'sequence.give_up',
  `with written as (
     update usage_sequence as kept set (seen, jumped_to, jumped_at, given_up) = (
       select bounded.seen,
              coalesce(array_agg(jump.number order by jump.number) filter (where jump.is_open), '{}'),
              coalesce(array_agg(jump.at order by jump.number) filter (where jump.is_open), '{}'),
              kept.given_up + bounded.given_up
       from (
         select kept.seen + int8multirange(filled.range) as seen,
                coalesce((select sum(upper(gap) - lower(gap)) from unnest(int8multirange(filled.range) - kept.seen) as gap), 0)::int8 as given_up
         from (select int8range(1, least($3::int8 + 1, upper(kept.seen))) as range) as filled
       ) as bounded
       left join lateral (
         select number, at, not int8range(lag(number, 1, 0::int8) over (order by number) + 1, number + 1) <@ bounded.seen as is_open
         from unnest(kept.jumped_to, kept.jumped_at) as before (number, at)
       ) as jump on true
       group by bounded.seen, bounded.given_up
     )
     where node = $1 and category = $2 returning *
   )
   select ${TOLD} from written as kept, ${OPEN}`,
);

/** Waits no more for the numbers up to `upTo` that have not come. Null when the node has no such stream. */
export async function giveUpNumbers(
  tx: Tx,
  stream: { readonly node: bigint; readonly category: string },
  upTo: number,
): Promise<StreamRow | null> {
  const [row] = await tx.query<StreamRecord>(giveUpStatement, [stream.node, stream.category, upTo]);
  return row ? fromRow(row) : null;
}
