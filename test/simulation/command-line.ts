import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { FAULTS, type Fault } from './faults.ts';

export const HELP = `Lives the house under seeds: real operations, jobs and SQL in virtual time, with everything going wrong.

  npm run simulate -- [options]

  --seed <n>         one seed; with --for, the first of many
  --seeds <a..b>     these seeds
  --for <time>       as many seeds as fit: 90s, 10m, 2h (default 1m when no seed is given)
  --ops <n>          operations of each seed (default 600)
  --workers <n>      processes (default: one for each processor)
  --without <names>  without these faults, separated by commas
  --skip <numbers>   without these operations: 3,7,20-35
  --renting          weeks of plans and VMs, as every fourth seed is that nobody chose
  --mutant <name>    with this planted bug; it should be found. With --canaries: judges this one only
  --trace <file>     writes what happened in the one seed, step by step
  --shrink <time>    how long to make a failing seed smaller (default 90s; 0s: not at all)
  --record           adds the shrunk seed to corpus.json, and what killed the planted bugs to canary-hints.json
  --corpus           lives the seeds of corpus.json first
  --canaries         every planted bug, which must be found in 20 % of 50 seeds; no other seeds unless some are asked for
  --ci               all of it in SIMULATE_SECONDS (default 480): planted bugs, which one of 50 seeds must find, the recorded ones
                     tried first, as many as fit into three fifths of the time, beginning at another one with each
                     commit; the corpus; then seeds from 1, 36 at least; every mark must be hit
  --json             the figures as JSON on standard output
  --help             this text

Ends with 0 when every promise held, with 1 when one did not, a mark was missed in a full run, or a seed lived two lives.
`;

export interface Options {
  readonly from: number;
  /** Null: as many as fit in the time. */
  readonly to: number | null;
  readonly seconds: number | null;
  readonly operations: number;
  readonly workers: number;
  readonly without: ReadonlySet<Fault>;
  readonly skipped: ReadonlySet<number>;
  /** Every seed is a life of renting; otherwise one of every few is, where nobody chose the seeds. */
  readonly isRenting: boolean;
  readonly isMixed: boolean;
  readonly mutant: string | null;
  readonly traceFile: string | null;
  readonly shrinkSeconds: number;
  readonly records: boolean;
  readonly livesCorpus: boolean;
  readonly livesCanaries: boolean;
  /** False when only the planted bugs or only the corpus were asked for. */
  readonly livesSeeds: boolean;
  /** A run of all there is: every mark must be hit. */
  readonly isFull: boolean;
  readonly isJson: boolean;
}

const OPERATIONS = 600;
const CI_SECONDS = 480;
/** Seeds that nobody chose come after those of every CI run. */
const CHOSEN_FROM = 1_000_000;

/** Null: help was asked for. Throws a sentence for what cannot be understood. */
export function readCommandLine(args: readonly string[], env: NodeJS.ProcessEnv, dice: number): Options | null {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: text,
      seeds: text,
      for: text,
      ops: text,
      workers: text,
      without: text,
      skip: text,
      mutant: text,
      renting: flag,
      trace: text,
      shrink: text,
      record: flag,
      corpus: flag,
      canaries: flag,
      ci: flag,
      json: flag,
      help: flag,
    },
  });
  if (values.help) return null;
  const range = rangeOf(values.seed, values.seeds, values.for !== undefined);
  const isCi = values.ci;
  const ciSeconds = wholeNumber(env['SIMULATE_SECONDS'] ?? String(CI_SECONDS));
  const isOpen = range === null || range.to === null;
  const seconds = values.for !== undefined ? secondsOf(values.for) : isCi ? ciSeconds : isOpen ? 60 : null;
  return {
    from: range?.from ?? (isCi ? 1 : CHOSEN_FROM + Math.floor(dice * 1_000_000_000)),
    to: range?.to ?? null,
    seconds,
    operations: wholeNumber(values.ops ?? String(OPERATIONS)),
    workers: wholeNumber(values.workers ?? String(availableParallelism())),
    without: new Set(partsOf(values.without).map(faultOf)),
    skipped: new Set(partsOf(values.skip).flatMap(span)),
    isRenting: values.renting,
    isMixed: range === null,
    mutant: values.mutant ?? null,
    traceFile: values.trace ?? null,
    shrinkSeconds: secondsOf(values.shrink ?? '90s'),
    records: values.record,
    livesCorpus: values.corpus || isCi,
    livesCanaries: values.canaries || isCi,
    livesSeeds: isCi || range !== null || values.for !== undefined || !values.canaries,
    isFull: isCi,
    isJson: values.json,
  };
}

function rangeOf(seed: string | undefined, seeds: string | undefined, isTimed: boolean) {
  if (seed !== undefined) {
    const from = wholeNumber(seed);
    return { from, to: isTimed ? null : from };
  }
  if (seeds === undefined) return null;
  const [from, to, ...more] = seeds.split('..').map(wholeNumber);
  if (from === undefined || to === undefined || more.length > 0 || to < from) {
    throw new RangeError(`--seeds is two numbers like 1..100, not "${seeds}"`);
  }
  return { from, to };
}

const partsOf = (list: string | undefined): string[] => (list ?? '').split(',').filter((part) => part !== '');

function wholeNumber(text: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new RangeError(`"${text}" is not a whole number`);
  return Number(text);
}

/** "20-35", or one number. */
function span(text: string): number[] {
  const [from = '', to = from, ...more] = text.split('-');
  const first = wholeNumber(from);
  const length = wholeNumber(to) - first + 1;
  if (more.length > 0 || length < 1) throw new RangeError(`"${text}" is neither a number nor two like 20-35`);
  return Array.from({ length }, (_, index) => first + index);
}

function spansOf(numbers: ReadonlySet<number>): string {
  const spans: { from: number; to: number }[] = [];
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const last = spans.at(-1);
    if (last?.to === number - 1) last.to = number;
    else spans.push({ from: number, to: number });
  }
  return spans.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}

function secondsOf(text: string): number {
  const [, count = '', unit = ''] = /^(\d+)([smh])$/.exec(text) ?? [];
  if (count === '') throw new RangeError(`a time is a number with s, m or h, like 10m, not "${text}"`);
  return Number(count) * { s: 1, m: 60, h: 3_600 }[unit as 's' | 'm' | 'h'];
}

function faultOf(name: string): Fault {
  const found = FAULTS.find((fault) => fault === name);
  if (found === undefined) throw new RangeError(`there is no fault "${name}"; there are ${FAULTS.join(', ')}`);
  return found;
}

/** The command that lives this seed again. */
export function commandOf(options: {
  readonly seed: number;
  readonly operations: number;
  readonly skipped?: ReadonlySet<number>;
  readonly without?: ReadonlySet<Fault>;
  readonly isRenting?: boolean;
  readonly mutant: string | null;
}): string {
  const { seed, operations, skipped = new Set(), without = new Set(), mutant } = options;
  return [
    `npm run simulate -- --seed ${seed} --ops ${operations}`,
    ...(skipped.size === 0 ? [] : [`--skip ${spansOf(skipped)}`]),
    ...(without.size === 0 ? [] : [`--without ${[...without].join(',')}`]),
    ...(options.isRenting === true ? ['--renting'] : []),
    ...(mutant === null ? [] : [`--mutant ${mutant}`]),
  ].join(' ');
}
