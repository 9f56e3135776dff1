import { readHints } from './canary-hints.ts';
import { RENTING_MUTANTS } from './mutants-of-renting.ts';
import type { SeedOptions } from './run-seed.ts';
import { Worker } from './workers.ts';

/** Each planted bug must die in this many of so many seeds: a simulator that finds it by luck alone would miss its like. */
export const SEEDS_PER_MUTANT = 50;
export const KILLS_WANTED = 10;
/** `--ci` asks only whether a bug still dies: it does when so many of the seeds find it, the recorded ones tried first. */
const CONFIRMATIONS = 1;

export interface CanaryVerdict {
  readonly mutant: string;
  readonly kills: number;
  readonly seeds: number;
  /** The seeds that found it. */
  readonly killers: readonly number[];
  readonly verdict: 'killed' | 'survived' | 'undecided';
  /** The promises that it broke, the most often broken first. */
  readonly rules: readonly string[];
}

export interface CanaryOptions {
  readonly mutants: readonly string[];
  readonly workers: number;
  /** Asks for one find only, from the recorded seeds first, instead of a measurement. */
  readonly isConfirming: boolean;
  /** Whether, with so many begun, no more is begun. */
  readonly isEnough: (begun: number) => boolean;
  readonly optionsOf: (seed: number, isRenting: boolean) => SeedOptions;
  readonly onVerdict: (verdict: CanaryVerdict) => void;
}

/** Bugs that are looked for in lives of renting. */
const RENTING: ReadonlySet<string> = new Set(RENTING_MUTANTS.map(({ name }) => name));

/** One of those that judge at the same time. */
interface Lane extends CanaryOptions {
  readonly index: number;
}

/** Lives the seeds with each planted bug; no longer than its fate is open. */
export async function runCanaries(options: CanaryOptions): Promise<CanaryVerdict[]> {
  const waiting = [...options.mutants];
  const hints = readHints();
  const verdicts: CanaryVerdict[] = [];
  const next = (): string | undefined =>
    options.isEnough(options.mutants.length - waiting.length) ? undefined : waiting.shift();
  const lane = async (index: number): Promise<void> => {
    for (let mutant = next(); mutant !== undefined; mutant = next()) {
      const verdict = await judge(mutant, hints[mutant] ?? [], { ...options, index });
      verdicts.push(verdict);
      options.onVerdict(verdict);
    }
  };
  await Promise.all(Array.from({ length: options.workers }, (_, index) => lane(index)));
  return verdicts;
}

/** All the seeds that count, those that found it last time first. */
function seedsInOrder(hints: readonly number[]): number[] {
  const all = Array.from({ length: SEEDS_PER_MUTANT }, (_, index) => index + 1);
  return [...hints, ...all.filter((seed) => !hints.includes(seed))];
}

async function judge(mutant: string, hints: readonly number[], options: Lane): Promise<CanaryVerdict> {
  const wanted = options.isConfirming ? CONFIRMATIONS : KILLS_WANTED;
  const worker = new Worker(options.index, mutant);
  const rules = new Map<string, number>();
  const killers: number[] = [];
  let seeds = 0;
  const verdictSoFar = (): CanaryVerdict['verdict'] => {
    if (killers.length >= wanted) return 'killed';
    return seeds - killers.length > SEEDS_PER_MUTANT - wanted ? 'survived' : 'undecided';
  };
  try {
    for (const seed of seedsInOrder(hints)) {
      const { violations } = await worker.run(options.optionsOf(seed, RENTING.has(mutant)));
      const broken = violations.map(({ rule }) => rule);
      seeds += 1;
      if (broken.length > 0) killers.push(seed);
      for (const rule of new Set(broken)) rules.set(rule, (rules.get(rule) ?? 0) + 1);
      if (verdictSoFar() !== 'undecided') break;
    }
  } catch (error) {
    // A bug that does not fit its file, a dead worker or a lost database: the oracle has found nothing.
    const why = `the run fails: ${String(error).slice(0, 200)}`;
    return { mutant, kills: killers.length, seeds, killers, verdict: 'undecided', rules: [why] };
  } finally {
    worker.end();
  }
  const byCount = [...rules].sort(([, a], [, b]) => b - a).map(([rule]) => rule);
  return { mutant, kills: killers.length, seeds, killers, verdict: verdictSoFar(), rules: byCount };
}

export const lineOf = ({ mutant, kills, seeds, verdict, rules }: CanaryVerdict): string =>
  `  ${mutant.padEnd(40)} ${verdict.padEnd(9)} in ${kills} of ${seeds} seeds${rules[0] === undefined ? '' : ` · ${rules[0]}`}`;
