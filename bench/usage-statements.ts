import { inSession, type BenchServer } from './server.ts';

/** What PostgreSQL counts by statement, with the extension that it brings along. Costs a few percent, so only when asked for. */
export const STATEMENT_SETTINGS = {
  shared_preload_libraries: 'pg_stat_statements',
  'pg_stat_statements.track_utility': 'on',
};

const SHARES_SQL = `
  select left(regexp_replace(query, '\\s+', ' ', 'g'), 90) as text, calls, total_exec_time * 1000 as micros, rows,
         shared_blks_hit + shared_blks_read as pages, wal_bytes::float8 as wal
  from pg_stat_statements join pg_database on pg_database.oid = dbid
  where datname = current_database() and calls > 0 order by total_exec_time desc limit 25`;

/** Begins to count anew. */
export const forgetStatements = ({ ports }: BenchServer, url: string): Promise<void> =>
  inSession(url, ports, async (session) => {
    await session.query('create extension if not exists pg_stat_statements');
    await session.query('select pg_stat_statements_reset()');
  });

/** The statements that took most of the time, with their shares by record: waiting for locks and for the disk is in it. */
export const statementShares = ({ ports }: BenchServer, url: string, records: number): Promise<string> =>
  inSession(url, ports, async (session) => {
    const lines = (await session.query(SHARES_SQL)).map((row) => {
      const of = (name: string): number => Number(row[name]);
      const columns = [
        of('micros') / records,
        of('micros') / of('calls'),
        records / of('calls'),
        of('rows') / of('calls'),
      ];
      const sizes = [of('pages') / records, of('wal') / records];
      return `${columns.map((n) => n.toFixed(1).padStart(9)).join('')}${sizes.map((n) => n.toFixed(2).padStart(9)).join('')}  ${String(row['text'])}`;
    });
    return [' µs/record  µs/call recs/call rows/call pages/rec WAL/rec', ...lines].join('\n');
  });
