/** From so many days of continuous use on, the list price is multiplied by so many ten-thousandths. */
export interface Rung {
  readonly afterDays: number;
  readonly multiplier: bigint;
}

/** One version of a category's rules. Never edited; a charge names the version it was made by. */
export interface Ladder {
  readonly category: string;
  readonly version: number;
  /** By rising days. */
  readonly rungs: readonly Rung[];
  /** Use is continuous while no gap is longer than this. */
  readonly graceDays: number;
  /** Whether a pass-through cost is a floor: no discount goes below what the provider charged. */
  readonly isFloorAtCost: boolean;
  readonly activeFrom: Date;
}

/** A run of continuous use: from its first record to its last. */
export interface Streak {
  readonly startedAt: Date;
  readonly lastAt: Date;
}

export const NO_DISCOUNT = 10_000n;
const DAY_MS = 86_400_000;

/**
 * The run of use with one more record in it.
 *
 * Pure, and the same for records in any order as long as each comes within the grace of those known: a late record widens the run
 * backwards. A record that is too far before the run belongs to an older one and changes nothing; one that is too far behind it
 * begins a new run.
 */
export function widen(streak: Streak | null, occurredAt: Date, { graceDays }: Pick<Ladder, 'graceDays'>): Streak {
  if (streak === null) return { startedAt: occurredAt, lastAt: occurredAt };
  const graceMs = graceDays * DAY_MS;
  const { startedAt, lastAt } = streak;
  if (occurredAt.getTime() - lastAt.getTime() > graceMs) return { startedAt: occurredAt, lastAt: occurredAt };
  if (occurredAt > lastAt) return { startedAt, lastAt: occurredAt };
  if (occurredAt < startedAt && startedAt.getTime() - occurredAt.getTime() <= graceMs)
    return { startedAt: occurredAt, lastAt };
  return streak;
}

/** What a record is multiplied by, in ten-thousandths: the last rung whose days of continuous use had passed when it happened. */
export function multiplierAt(ladder: Ladder, streak: Streak, occurredAt: Date): bigint {
  const days = (occurredAt.getTime() - streak.startedAt.getTime()) / DAY_MS;
  return ladder.rungs.findLast(({ afterDays }) => days >= afterDays)?.multiplier ?? NO_DISCOUNT;
}

/** The rung that comes after an instant, and when, if use goes on; null on the last one. */
export function nextRung(ladder: Ladder, streak: Streak, now: Date): { readonly rung: Rung; readonly at: Date } | null {
  const days = (now.getTime() - streak.startedAt.getTime()) / DAY_MS;
  const rung = ladder.rungs.find(({ afterDays }) => days < afterDays);
  return rung ? { rung, at: new Date(streak.startedAt.getTime() + rung.afterDays * DAY_MS) } : null;
}

/** Whether a run has ended by an instant: nothing came within the grace. */
export const hasEnded = (streak: Streak, now: Date, { graceDays }: Pick<Ladder, 'graceDays'>): boolean =>
  now.getTime() - streak.lastAt.getTime() > graceDays * DAY_MS;

/** The rules that were active at an instant; null for a category without any. */
export function ladderFor(ladders: readonly Ladder[], category: string, occurredAt: Date): Ladder | null {
  let best: Ladder | null = null;
  for (const ladder of ladders) {
    if (ladder.category !== category || ladder.activeFrom > occurredAt) continue;
    if (best === null || ladder.version > best.version) best = ladder;
  }
  return best;
}

/** Whether rules with rungs count for anything that happens at an instant or after it. */
export function hasRungsFrom(ladders: readonly Ladder[], category: string, from: Date): boolean {
  const changes = ladders.map(({ activeFrom }) => activeFrom).filter((at) => at > from);
  return [from, ...changes].some((at) => (ladderFor(ladders, category, at)?.rungs.length ?? 0) > 0);
}
