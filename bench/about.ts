/**
 * `node bench/about.ts`: what it costs to keep what a posting is about as a text column of `entry`, as a jsonb column, or in
 * a table of its own with the same key. The figures stand beside the column in migrations/0001-ledger.sql.
 */
import { statement } from '../src/store/db.ts';
import { serverMicros } from './processor.ts';
import { ABOUT } from './records.ts';
import { inSession, REVENUE, startServer, WALLETS, type BenchServer } from './server.ts';
import { spreadOf } from './spread.ts';

interface Variant {
  readonly name: string;
  readonly schema: string | null;
  readonly isNull?: boolean;
  readonly isBeside?: boolean;
  readonly type: 'text' | 'jsonb';
}

const BESIDE = `create table entry_about (
  account bigint not null, seq bigint not null, about text not null, constraint entry_about__pk primary key (account, seq)
)`;
const VARIANTS: readonly Variant[] = [
  { name: 'nothing to say', schema: null, isNull: true, type: 'text' },
  { name: 'text column', schema: null, type: 'text' },
  { name: 'jsonb column', schema: 'alter table entry alter column about type jsonb using about::jsonb', type: 'jsonb' },
  { name: 'side table', schema: BESIDE, isBeside: true, type: 'text' },
];
const BATCH = 1_000;
const BATCHES = 150;
const ROUNDS = 5;

interface Cost {
  readonly micros: number | null;
  readonly bytes: number;
  readonly walBytes: number;
}

/** Batches of 1,000 entries over all wallets, made in the server: nothing but the writing differs between the variants. */
const entriesOf = (variant: Variant): string => {
  const about = variant.isNull === true || variant.isBeside === true ? 'null' : `$2::${variant.type}`;
  return `insert into entry (account, seq, contra, amount, balance_after, batch, idem, fingerprint, occurred_at, recorded_at, kind, about)
   select number * 16, 1 + $1::bigint, ${REVENUE}, -1, 1, 1 + $1::bigint, key, key, now(), now(), 3, ${about}
   from (select 1 + (n * 7919 + $1::bigint * 104729) % ${WALLETS} as number, (left(gen_random_uuid()::text, 35) || '0')::uuid as key
         from generate_series(1, ${BATCH}) as n) as made
   where $2::text is not null`;
};

const statementOf = (variant: Variant): string =>
  variant.isBeside === true
    ? `with entries as (${entriesOf(variant)} returning account, seq) insert into entry_about select account, seq, $2 from entries`
    : entriesOf(variant);

async function measure(server: BenchServer, variant: Variant, round: number): Promise<Cost> {
  const url = await server.freshDatabase(`about_${VARIANTS.indexOf(variant)}_${round}`);
  return await inSession(url, server.ports, async (session) => {
    // The guard against changes is a trigger that does not fire here, but a change of type looks for it.
    if (variant.schema !== null) await session.query(variant.schema);
    const { text } = statement('bench.about', statementOf(variant));
    const write = async (from: number, to: number): Promise<void> => {
      for (let batch = from; batch < to; batch += 1) await session.query(text, [batch, ABOUT]);
    };
    const facts = async (): Promise<{ bytes: number; wal: number }> => {
      const sizes = await session.query(
        `select coalesce(sum(pg_total_relation_size(relation)), 0) as bytes, pg_current_wal_insert_lsn() - '0/0'::pg_lsn as wal
         from unnest(array[to_regclass('entry'), to_regclass('entry_about')]) as relation where relation is not null`,
      );
      return { bytes: Number(sizes[0]?.['bytes']), wal: Number(sizes[0]?.['wal']) };
    };
    await write(1, 20);
    const before = await facts();
    const usedBefore = serverMicros(server.pid());
    await write(20, 20 + BATCHES);
    const used = serverMicros(server.pid());
    const after = await facts();
    const records = BATCH * BATCHES;
    return {
      micros: used === null || usedBefore === null ? null : (used - usedBefore) / records,
      bytes: (after.bytes - before.bytes) / records,
      walBytes: (after.wal - before.wal) / records,
    };
  });
}

const server = await startServer();
try {
  const costs = new Map(VARIANTS.map((variant) => [variant, [] as Cost[]]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const variant of VARIANTS) costs.get(variant)?.push(await measure(server, variant, round));
  }
  console.log(
    `${ABOUT.length} bytes, batches of ${BATCH}, ${ROUNDS} rounds; PostgreSQL CPU, disk and WAL for each entry:`,
  );
  for (const [variant, found] of costs) {
    const shown = (read: (cost: Cost) => number | null, digits: number): string => {
      const spread = spreadOf(found.map(read));
      return spread === null
        ? '–'
        : `${spread.median.toFixed(digits)} (${spread.min.toFixed(digits)} … ${spread.max.toFixed(digits)})`;
    };
    console.log(
      `${variant.name.padEnd(15)} ${shown((cost) => cost.micros, 1)} µs, ${shown((cost) => cost.bytes, 0)} bytes, WAL ${shown((cost) => cost.walBytes, 0)} bytes`,
    );
  }
} finally {
  await server.stop();
}
