import type { SeedOptions } from './run-seed.ts';
import { Worker } from './workers.ts';

/** Each planted bug must die in this many of so many seeds: a simulator that finds it by luck alone would miss its like. */
export const SEEDS_PER_MUTANT = 50;
export const KILLS_WANTED = 10;

export interface CanaryVerdict {
  readonly mutant: string;
  readonly kills: number;
  readonly seeds: number;
  readonly verdict: 'killed' | 'survived' | 'undecided';
  /** The promises that it broke, the most often broken first. */
  readonly rules: readonly string[];
}

export interface CanaryOptions {
  readonly mutants: readonly string[];
  readonly workers: number;
  readonly optionsOf: (seed: number) => SeedOptions;
  readonly isTimeOver: () => boolean;
  readonly onVerdict: (verdict: CanaryVerdict) => void;
}

/** Lives the seeds with each planted bug; no longer than its fate is open. */
export async function runCanaries(options: CanaryOptions): Promise<CanaryVerdict[]> {
  const waiting = [...options.mutants];
  const verdicts: CanaryVerdict[] = [];
  const lane = async (): Promise<void> => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const verdict = await judge(mutant, options);
      verdicts.push(verdict);
      options.onVerdict(verdict);
    }
  };
  await Promise.all(Array.from({ length: options.workers }, lane));
  return verdicts;
}

async function judge(mutant: string, { optionsOf, isTimeOver }: CanaryOptions): Promise<CanaryVerdict> {
  const worker = new Worker(mutant);
  const rules = new Map<string, number>();
  let kills = 0;
  let seeds = 0;
  const isOpen = (): boolean => kills < KILLS_WANTED && seeds - kills <= SEEDS_PER_MUTANT - KILLS_WANTED;
  try {
    while (isOpen() && !isTimeOver()) {
      const { violations } = await worker.run(optionsOf(seeds + 1));
      const broken = violations.map(({ rule }) => rule);
      seeds += 1;
      if (broken.length > 0) kills += 1;
      for (const rule of new Set(broken)) rules.set(rule, (rules.get(rule) ?? 0) + 1);
    }
  } catch (error) {
    // A bug that does not fit its file, a dead worker or a lost database: the oracle has found nothing.
    return { mutant, kills, seeds, verdict: 'undecided', rules: [`the run fails: ${String(error).slice(0, 200)}`] };
  } finally {
    worker.end();
  }
  const verdict = kills >= KILLS_WANTED ? 'killed' : isOpen() ? 'undecided' : 'survived';
  return { mutant, kills, seeds, verdict, rules: [...rules].sort(([, a], [, b]) => b - a).map(([rule]) => rule) };
}

export const lineOf = ({ mutant, kills, seeds, verdict, rules }: CanaryVerdict): string =>
  `  ${mutant.padEnd(40)} ${verdict.padEnd(9)} in ${kills} of ${seeds} seeds${rules[0] === undefined ? '' : ` · ${rules[0]}`}`;
