import { FULL_LEDGER } from './full-ledger.ts';
import type { Contestant, SlotResult } from './slot.ts';
import { spreadOf, type Spread } from './spread.ts';

/** In the order of a round. Names are what the report calls them. */
export const CONTESTANTS = {
  loop: { name: 'loop, 10,000 wallets, 64 in flight', kind: 'naive', wallets: 'uniform', inFlight: 64, processes: 1 },
  engine4000: {
    name: 'engine, 10,000 wallets, 4,000 in flight',
    kind: 'engine',
    wallets: 'uniform',
    inFlight: 4_000,
    processes: 1,
  },
  function32: {
    name: 'pgbench with a function, 32 clients',
    kind: 'pgbench',
    wallets: 'uniform',
    inFlight: 32,
    processes: 1,
  },
  engine64: {
    name: 'engine, 10,000 wallets, 64 in flight',
    kind: 'engine',
    wallets: 'uniform',
    inFlight: 64,
    processes: 1,
  },
  loopHot: { name: 'loop, one hot wallet, 64 in flight', kind: 'naive', wallets: 'hot', inFlight: 64, processes: 1 },
  engineHot: {
    name: 'engine, one hot wallet, 4,000 in flight',
    kind: 'engine',
    wallets: 'hot',
    inFlight: 4_000,
    processes: 1,
  },
  engineFull: {
    name: 'engine, full ledger, 4,000 in flight',
    kind: 'engine',
    wallets: 'uniform',
    inFlight: 4_000,
    processes: 1,
    database: FULL_LEDGER,
  },
  engineTwo: {
    name: 'engine, two processes, 4,000 in flight',
    kind: 'engine',
    wallets: 'uniform',
    inFlight: 4_000,
    processes: 2,
  },
} as const satisfies Record<string, Contestant>;

export type ContestantId = keyof typeof CONTESTANTS;
/** One round: what each came to; null where it could not run. */
export type Round = Readonly<Record<ContestantId, SlotResult | null>>;

export interface Measure {
  readonly name: string;
  readonly target: string;
  readonly reached: Spread | null;
  readonly format: (value: number) => string;
  /** Null: not measured. */
  readonly isMet: boolean | null;
}

const times = (value: number): string => `${value.toFixed(1)}×`;
const share = (value: number): string => value.toFixed(2);
const micros = (value: number): string => `${value.toFixed(1)} µs`;

/** The project's targets, each from the rounds: a ratio is made within a round, and the median is taken of the ratios. */
export function measuresOf(rounds: readonly Round[]): Measure[] {
  const ratio = (over: ContestantId, under: ContestantId): Spread | null =>
    spreadOf(rounds.map((round) => divided(round[over]?.recordsPerSecond, round[under]?.recordsPerSecond)));
  const atLeast = (name: string, least: number, reached: Spread | null, format = times): Measure => ({
    name,
    target: `≥ ${format === times ? `${least}×` : least}`,
    reached,
    format,
    isMet: reached === null ? null : reached.median >= least,
  });
  const atMost = (
    name: string,
    most: number,
    target: string,
    reached: Spread | null,
    format: Measure['format'],
  ): Measure => ({
    name,
    target,
    reached,
    format,
    isMet: reached === null ? null : reached.median <= most,
  });
  return [
    atLeast('debits/s, 10,000 wallets, 4,000 in flight, against the loop', 30, ratio('engine4000', 'loop')),
    atLeast('debits/s, one hot wallet, 4,000 in flight, against the loop', 60, ratio('engineHot', 'loopHot')),
    atLeast('debits/s, 10,000 wallets, 64 in flight, against the loop', 12, ratio('engine64', 'loop')),
    atMost(
      'p99 with 64 in flight, against the p99 of the loop',
      1,
      '≤ 1',
      spreadOf(rounds.map((round) => divided(round.engine64?.p99Ms, round.loop?.p99Ms))),
      share,
    ),
    atLeast('debits/s against pgbench calling a function, 32 clients', 12, ratio('engine4000', 'function32')),
    atLeast('full ledger against an empty one', 0.8, ratio('engineFull', 'engine4000'), share),
    atLeast('two processes on one database against one', 0.9, ratio('engineTwo', 'engine4000'), share),
    atMost(
      'PostgreSQL CPU a record, 10,000 wallets, 4,000 in flight',
      15,
      '≤ 15 µs',
      spreadOf(rounds.map((round) => round.engine4000?.serverMicros ?? null)),
      micros,
    ),
  ];
}

function divided(over: number | undefined, under: number | undefined): number | null {
  return over === undefined || under === undefined || under === 0 ? null : over / under;
}
