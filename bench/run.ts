/** `npm run bench`: measures the ledger against two other ways to write the same records, and writes `bench/results.md`. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { checkLedger } from '../src/store/ledger-check.ts';
import { openDatabase } from '../src/store/postgres.ts';
import { buildFullLedger, FULL_LEDGER } from './full-ledger.ts';
import { CONTESTANTS, type ContestantId, type Round } from './measures.ts';
import { findPgbench } from './pgbench.ts';
import { reportOf } from './report.ts';
import { SETTINGS, startServer, type BenchServer } from './server.ts';
import { runSlot, type SlotResult, type SlotTimes } from './slot.ts';

const HELP = `Measures the ledger against a loop of transactions and against pgbench, on a PostgreSQL of its own.

  npm run bench -- [options]

  --quick          2 rounds of 2 s and a small ledger: shows that it works, proves nothing; about 1 minute
  --seconds <n>    measured time of each contestant in each round (default 5)
  --rounds <n>     how often each has its turn (default 4)
  --entries <n>    entries of the full ledger (default 10000000)
  --output <file>  where the report goes (default bench/results.md)
  --help           this text

The default takes about 10 minutes and up to 10 GB under /var/tmp, which it removes. Nothing else should run meanwhile.
`;

const FULL_ENTRIES = 10_000_000;
/** Long enough to touch nearly every page of its key index once. */
const FULL_WARM_UP_MS = 15_000;
/** What the server uses; the queue is larger than what is in flight, so that nothing is turned away. */
const LIMITS = { lanes: 2, batchRecordsMax: 2_000, queueMax: 20_000 };

interface Options {
  readonly seconds: number;
  readonly rounds: number;
  readonly entries: number;
  readonly output: string;
  readonly isQuick: boolean;
}

async function run(options: Options): Promise<void> {
  const pgbench = findPgbench();
  if (pgbench === null) say('WARNING: pgbench was not found (Debian: postgresql-contrib). Its comparison is SKIPPED.');
  say('starting PostgreSQL and making 10,000 wallets');
  const server = await startServer();
  const stopEarly = (): void => {
    say('stopping');
    void server.stop().finally(() => process.exit(130));
  };
  process.once('SIGINT', stopEarly).once('SIGTERM', stopEarly);
  try {
    say(`building a ledger of ${options.entries.toLocaleString('en')} entries`);
    const fullEntries = await buildFullLedger(server, options.entries);
    const times = { warmUpMs: Math.max(1_500, options.seconds * 400), measureMs: options.seconds * 1_000 };
    const failures: string[] = [];
    const rounds = await runRounds(server, options, times, pgbench, failures);
    const checks = [
      await check(server, FULL_LEDGER, 'the full ledger'),
      await check(server, databaseName('engineTwo', options.rounds - 1), 'the last one that two processes wrote'),
    ];
    const report = reportOf(
      {
        date: new Date().toISOString().slice(0, 16).replace('T', ' ') + ' UTC',
        machine: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${release()}`,
        node: process.version,
        postgres: server.version,
        settings: SETTINGS,
        pgbench: pgbench === null ? null : execFileSync(pgbench, ['--version'], { encoding: 'utf8' }).trim(),
        limits: LIMITS,
        seconds: options.seconds,
        warmUpSeconds: times.warmUpMs / 1000,
        fullEntries,
        fullEntriesWanted: FULL_ENTRIES,
        checks,
        failures,
        isQuick: options.isQuick,
      },
      rounds,
    );
    writeFileSync(options.output, report);
    say(`wrote ${options.output}`);
    console.log(`\n${report}`);
  } finally {
    process.off('SIGINT', stopEarly).off('SIGTERM', stopEarly);
    await server.stop();
  }
}

async function runRounds(
  server: BenchServer,
  { rounds, isQuick }: Options,
  times: SlotTimes,
  pgbench: string | null,
  failures: string[],
): Promise<Round[]> {
  const ids = Object.keys(CONTESTANTS) as ContestantId[];
  const slot = async (id: ContestantId, name: string, slotTimes = times): Promise<SlotResult | null> =>
    await runSlot({
      server,
      contestant: CONTESTANTS[id],
      times: slotTimes,
      limits: LIMITS,
      pgbench,
      databaseName: name,
    });
  say('warming up: the first pass over a ledger after a checkpoint writes every page whole');
  await slot('engineFull', 'unused', { ...times, measureMs: isQuick ? times.measureMs : FULL_WARM_UP_MS });
  const done: Round[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const results: Partial<Record<ContestantId, SlotResult | null>> = {};
    for (const id of ids) {
      const result = await slot(id, databaseName(id, round)).catch((error: unknown) => {
        failures.push(`round ${round + 1}, ${CONTESTANTS[id].name}: ${String(error)}`);
        return null;
      });
      results[id] = result;
      say(`round ${round + 1}/${rounds}  ${CONTESTANTS[id].name}: ${shown(result)}`);
    }
    done.push(results as Round);
  }
  return done;
}

const databaseName = (id: ContestantId, round: number): string => `bench_${id.toLowerCase()}_${round}`;

function shown(result: SlotResult | null): string {
  if (result === null) return 'SKIPPED or FAILED';
  const { recordsPerSecond, p50Ms, p99Ms, serverMicros, nodeMicros, others } = result;
  const cpu = [serverMicros, nodeMicros].map((micros) => micros?.toFixed(1) ?? '–').join(' + ');
  const rate = Math.round(recordsPerSecond).toLocaleString('en');
  return `${rate}/s, p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, CPU ${cpu} µs, others ${others?.toFixed(2) ?? '–'}`;
}

async function check(server: BenchServer, database: string, description: string): Promise<string> {
  say(`checking ${description}`);
  const limits = { statementMs: 600_000, answerMs: 600_000 };
  const db = openDatabase({ url: server.urlOf(database), ports: server.ports, role: null, poolMax: 1, limits });
  try {
    const { isSound, entries, results } = await checkLedger(db);
    const broken = results.filter((result) => result.rows.length > 0).map((result) => result.promise);
    return `${description}, ${entries.toLocaleString('en')} entries: ${isSound ? 'every invariant holds' : `**BROKEN**: ${broken.join('; ')}`}`;
  } catch (error) {
    return `${description}: **the check did not come to its end**: ${String(error)}`;
  } finally {
    await db.close();
  }
}

const startedMs = performance.now();
function say(text: string): void {
  console.log(`${String(Math.round((performance.now() - startedMs) / 1000)).padStart(4)} s  ${text}`);
}

function readOptions(): Options | null {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      seconds: { type: 'string' },
      rounds: { type: 'string' },
      entries: { type: 'string' },
      output: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const isQuick = values.quick;
  const positive = (text: string | undefined, otherwise: number): number => {
    const value = text === undefined ? otherwise : Number(text);
    if (!Number.isInteger(value) || value < 1) throw new TypeError(`"${text}" is not a whole number above 0`);
    return value;
  };
  return {
    isQuick,
    seconds: positive(values.seconds, isQuick ? 2 : 5),
    rounds: positive(values.rounds, isQuick ? 2 : 4),
    entries: positive(values.entries, isQuick ? 200_000 : FULL_ENTRIES),
    output: path.resolve(values.output ?? path.join(import.meta.dirname, 'results.md')),
  };
}

try {
  const options = readOptions();
  if (options === null) console.log(HELP);
  else await run(options);
} catch (error) {
  console.error(error instanceof TypeError ? `${error.message}\n\n${HELP}` : error);
  process.exitCode = 1;
}
