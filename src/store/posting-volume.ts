import type { BatchDecision } from '../domain/ledger/decide.ts';
import type { PostingRecord } from '../domain/ledger/posting.ts';
import { counterKey, type CounterKey } from '../domain/ledger/volume.ts';
import { statement, type Tx } from './db.ts';
import { int8Array, textArray, timestampArray } from './pg-binary.ts';

/** The counters of volume, as the posting path uses them: nobody else writes them. */

const lockStatement = statement(
  'posting_volume.lock',
  // In order of the key, and before the accounts: nobody who holds an account waits for a counter.
  // The row is opened and locked by one statement; its update writes what is there.
  `insert into posting_volume (wallet, counter, period_start, quantity)
   select wallet, counter, period_start, 0 from unnest($1::int8[], $2::text[], $3::timestamptz[]) as t (wallet, counter, period_start)
   order by wallet, counter, period_start
   on conflict (wallet, counter, period_start) do update set quantity = posting_volume.quantity
   returning wallet, counter, period_start, quantity`,
);

/** Where each counter stands that a record adds to, with its row locked; without such records no statement is sent. */
export async function lockCounters(
  tx: Tx,
  records: readonly Pick<PostingRecord, 'volume'>[],
): Promise<ReadonlyMap<string, bigint>> {
  const counters = new Map<string, CounterKey>();
  for (const { volume } of records) if (volume) counters.set(counterKey(volume), volume);
  if (counters.size === 0) return new Map();
  const named = [...counters.values()];
  const rows = await tx.query<{ wallet: bigint; counter: string; period_start: Date; quantity: bigint }>(
    lockStatement,
    [
      int8Array(named.map(({ wallet }) => wallet)),
      textArray(named.map(({ counter }) => counter)),
      timestampArray(named.map(({ periodStart }) => periodStart)),
    ],
  );
  return new Map(
    rows.map(({ wallet, counter, period_start: periodStart, quantity }) => [
      counterKey({ wallet, counter, periodStart }),
      quantity,
    ]),
  );
}

const countStatement = statement(
  'posting_volume.count',
  `update posting_volume set quantity = posting_volume.quantity + t.quantity
   from unnest($1::int8[], $2::text[], $3::timestamptz[], $4::int8[]) as t (wallet, counter, period_start, quantity)
   where posting_volume.wallet = t.wallet and posting_volume.counter = t.counter and posting_volume.period_start = t.period_start`,
);

/** Safe to: nothing but once, in the transaction that holds the counters. */
export async function writeCountings(tx: Tx, { countings }: BatchDecision): Promise<void> {
  if (countings.length === 0) return;
  await tx.query(countStatement, [
    int8Array(countings.map(({ wallet }) => wallet)),
    textArray(countings.map(({ counter }) => counter)),
    timestampArray(countings.map(({ periodStart }) => periodStart)),
    int8Array(countings.map(({ quantity }) => quantity)),
  ]);
}
