import type { Fault } from './faults.ts';
import type { SeedOptions, SeedReport } from './run-seed.ts';

export interface Shrunk {
  readonly options: SeedOptions;
  /** Operations and kinds of fault that are left. */
  readonly operations: number;
  readonly faults: readonly Fault[];
  readonly lives: number;
  /** Whether it stopped because its time was over and not because nothing more could be left out. */
  readonly isOutOfTime: boolean;
}

export interface ShrinkOptions {
  readonly failed: SeedReport;
  readonly options: SeedOptions;
  readonly live: (options: SeedOptions) => Promise<SeedReport>;
  readonly isTimeOver: () => boolean;
}

/**
 * The least that still breaks the same promise: first fewer operations from the end, then without whatever can be left out in
 * between, then without whole kinds of fault. Each operation and each fault has its own stream of chance, so that leaving one out
 * leaves the others what they were.
 */
export async function shrink({ failed, options, live, isTimeOver }: ShrinkOptions): Promise<Shrunk> {
  const rules = new Set(failed.violations.map(({ rule }) => rule));
  let best = options;
  let lives = 0;
  const breaks = async (candidate: SeedOptions): Promise<boolean> => {
    if (isTimeOver()) return false;
    lives += 1;
    const report = await live(candidate).catch(() => null);
    const isSame = report?.violations.some(({ rule }) => rules.has(rule)) === true;
    if (isSame) best = candidate;
    return isSame;
  };

  for (const count of shorterLives(failed, options.operations)) {
    if (await breaks({ ...best, operations: count })) break;
  }
  const already = [...(best.skipped ?? [])];
  const numbers = Array.from({ length: best.operations }, (_, number) => number).filter(
    (one) => !already.includes(one),
  );
  const needed = await minimise(numbers, (kept) => {
    const skipped = new Set([...already, ...numbers.filter((one) => !kept.includes(one))]);
    return breaks({ ...best, skipped });
  });
  const before = [...(best.without ?? [])];
  const struck = [...failed.faults.keys()];
  const faults = await minimise(struck, (kept) => {
    const without = new Set([...before, ...struck.filter((one) => !kept.includes(one))]);
    return breaks({ ...best, without });
  });
  return { options: best, operations: needed.length, faults, lives, isOutOfTime: isTimeOver() };
}

/** Lives that end soon after the violation, the shortest first; a broken promise may show only later, at the end. */
function shorterLives(failed: SeedReport, operations: number): number[] {
  const begun = failed.begunOperations;
  return [begun, begun + 10, ...[8, 4, 2].map((part) => Math.ceil(operations / part))]
    .filter((count) => count > 0 && count < operations)
    .sort((a, b) => a - b);
}

/** Delta debugging: leaves out ever smaller parts while what is left still fails. */
export async function minimise<T>(items: readonly T[], fails: (kept: readonly T[]) => Promise<boolean>): Promise<T[]> {
  let kept = [...items];
  for (let size = Math.ceil(kept.length / 2); size >= 1 && kept.length > 0;) {
    let hasShrunk = false;
    for (let from = 0; from < kept.length;) {
      const fewer = [...kept.slice(0, from), ...kept.slice(from + size)];
      if (await fails(fewer)) {
        kept = fewer;
        hasShrunk = true;
      } else from += size;
    }
    if (size === 1 && !hasShrunk) break;
    size = size === 1 ? 1 : Math.ceil(size / 2);
  }
  return kept;
}
