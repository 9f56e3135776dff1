import { cpus } from 'node:os';
import process from 'node:process';
import { spreadOf } from './spread.ts';

interface Contestant {
  readonly name: string;
  readonly service: 'plain' | 'usual' | 'product';
  readonly recordsPerRequest: number;
  readonly callers: number;
  readonly processes: number;
  /** More than any machine comes to: so many are drawn beforehand for each second. */
  readonly recordsPerSecondMax: number;
}

const product = { service: 'product', processes: 1, recordsPerSecondMax: 60_000 } as const;
const single = { recordsPerRequest: 1, callers: 64, processes: 1, recordsPerSecondMax: 20_000 } as const;
const batches = { ...product, recordsPerRequest: 100, callers: 32 } as const;

/** In the order of a round. */
export const CONTESTANTS = {
  usual: { ...single, name: 'the same work, a transaction for each record; 64 callers', service: 'usual' },
  plain: { ...single, name: 'an amount that is given, a transaction for each record; 64 callers', service: 'plain' },
  batches: { ...batches, name: 'POST /v1/usage, 100 records; 32 callers' },
  thousands: { ...product, name: 'POST /v1/usage, 1,000 records; 8 callers', recordsPerRequest: 1_000, callers: 8 },
  singles: { ...single, name: 'POST /record_usage; 64 callers', service: 'product' },
  two: { ...batches, name: 'two server processes, 100 records; 32 callers', processes: 2 },
  full: { ...batches, name: 'full ledger, 100 records; 32 callers' },
} as const satisfies Record<string, Contestant>;
export type ContestantId = keyof typeof CONTESTANTS;

export interface Result {
  readonly recordsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of each record, in microseconds: of the service, of PostgreSQL, of those who call. */
  readonly nodeMicros: number;
  readonly postgresMicros: number;
  readonly callersMicros: number;
}

/** By round. */
export type Results = { [id in ContestantId]?: Result[] };

export const lineOf = (id: ContestantId, result: Result): string =>
  `${CONTESTANTS[id].name}: ${Math.round(result.recordsPerSecond)}/s, p50 ${result.p50Ms.toFixed(1)} ms, p99 ${result.p99Ms.toFixed(1)} ms, ` +
  `µs a record: Node ${result.nodeMicros.toFixed(1)}, PostgreSQL ${result.postgresMicros.toFixed(1)}, callers ${result.callersMicros.toFixed(1)}`;

const number = (value: number, decimals: number): string =>
  value.toLocaleString('en', { maximumFractionDigits: decimals });

function shown(values: readonly number[], decimals: number): string {
  const spread = spreadOf(values);
  if (!spread) return '–';
  return `${number(spread.median, decimals)} (${number(spread.min, decimals)}–${number(spread.max, decimals)})`;
}

interface Measure {
  readonly name: string;
  readonly target: string;
  readonly of: ContestantId;
  readonly to: ContestantId | null;
  readonly figure: keyof Result;
}

const MEASURES: readonly Measure[] = [
  { name: '100 a request, to the same work', target: '≥ 25', of: 'batches', to: 'usual', figure: 'recordsPerSecond' },
  { name: '100 a request, to the plain service', target: '–', of: 'batches', to: 'plain', figure: 'recordsPerSecond' },
  { name: '100 a request, records/s', target: '≥ 20,000', of: 'batches', to: null, figure: 'recordsPerSecond' },
  { name: 'singles, to the same work', target: '≥ 12', of: 'singles', to: 'usual', figure: 'recordsPerSecond' },
  { name: 'singles, to the plain service', target: '–', of: 'singles', to: 'plain', figure: 'recordsPerSecond' },
  { name: 'p99 of singles, to that of the same work', target: '≤ 1', of: 'singles', to: 'usual', figure: 'p99Ms' },
  { name: 'p99 of singles, to the plain service’s', target: '≤ 1', of: 'singles', to: 'plain', figure: 'p99Ms' },
  { name: 'PostgreSQL µs a record, 100 a request', target: '≤ 15', of: 'batches', to: null, figure: 'postgresMicros' },
  {
    name: 'PostgreSQL µs a record, 1,000 a request',
    target: '≤ 15',
    of: 'thousands',
    to: null,
    figure: 'postgresMicros',
  },
  { name: 'full ledger, to an empty one', target: '≥ 0.8', of: 'full', to: 'batches', figure: 'recordsPerSecond' },
  { name: 'two server processes, to one', target: '≥ 0.9', of: 'two', to: 'batches', figure: 'recordsPerSecond' },
];

/** Ratios are made within a round. */
function measureRow(results: Results, { name, target, of, to, figure }: Measure): string[] {
  const own = results[of] ?? [];
  const values = own.flatMap((result, round) => {
    if (to === null) return result[figure];
    const other = results[to]?.[round];
    return other === undefined ? [] : result[figure] / other[figure];
  });
  return values.length === 0 ? [] : [`| ${name} | ${target} | ${shown(values, to === null ? 1 : 2)} |`];
}

export interface ReportFacts {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmSeconds: number;
  readonly nodes: number;
  /** Of the full ledger; zero where it was left out. */
  readonly entries: number;
}

export function report(results: Results, { rounds, seconds, warmSeconds, nodes, entries }: ReportFacts): string {
  const rows = (Object.keys(CONTESTANTS) as ContestantId[]).flatMap((id) => {
    const of = results[id] ?? [];
    const figures = (
      [
        ['recordsPerSecond', 0],
        ['p50Ms', 1],
        ['p99Ms', 1],
        ['nodeMicros', 1],
        ['postgresMicros', 1],
        ['callersMicros', 1],
      ] as const
    ).map(([figure, decimals]) =>
      shown(
        of.map((result) => result[figure]),
        decimals,
      ),
    );
    return of.length === 0 ? [] : [`| ${[CONTESTANTS[id].name, ...figures].join(' | ')} |`];
  });
  const full = entries === 0 ? '' : ` The full ledger had ${number(entries, 0)} entries before.`;
  return `# Usage over HTTP

${new Date().toISOString().slice(0, 16)} UTC · ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version} · ${rounds} rounds of ${seconds} s after ${warmSeconds} s of
warming up, everything in turn; medians with their extremes. fsync on; server, PostgreSQL and callers share the processors. 10,000
wallets, ${nodes} nodes; each record is an LLM call that is priced, discounted, carried, held to its node's budget, posted and explained. What the
contestants do is in [README.md](README.md#usage-over-http). After each run the database was compared with what had been answered.${full}

| who | records/s | p50 ms | p99 ms | Node µs a record | PostgreSQL µs | callers µs |
|---|---|---|---|---|---|---|
${rows.join('\n')}

| measure | target | reached |
|---|---|---|
${MEASURES.flatMap((measure) => measureRow(results, measure)).join('\n')}
`;
}
