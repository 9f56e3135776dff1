import type { Ladder } from '../../surface.ts';
import { nowMs } from '../../ui/time.ts';

export type LadderState = 'active' | 'future' | 'replaced';

/** What has become of a version: as the server chooses, of those that are active the latest version counts. */
export function stateOf(ladder: Ladder, all: readonly Ladder[], now = nowMs()): LadderState {
  const from = new Date(ladder.active_from).getTime();
  const at = Math.max(from, now);
  const isReplaced = all.some(
    (other) =>
      other.category === ladder.category &&
      other.version > ladder.version &&
      new Date(other.active_from).getTime() <= at,
  );
  if (isReplaced) return 'replaced';
  return from > now ? 'future' : 'active';
}

interface RungFacts {
  readonly after_days: number;
  readonly multiplier: string;
}

export interface Stretch {
  readonly days: string;
  readonly multiplier: string;
}

/** A ladder as stretches of continuous use: "days 0 to 7: × 1", "from day 7: × 0.5". */
export function stretchesOf(rungs: readonly RungFacts[]): readonly Stretch[] {
  const [first] = rungs;
  if (!first) return [{ days: 'always', multiplier: '1' }];
  return [
    { days: `the first ${daysOf(first.after_days)}`, multiplier: '1' },
    ...rungs.map(({ after_days: after, multiplier }, index) => {
      const next = rungs[index + 1];
      return { days: next ? `day ${after} to ${next.after_days}` : `from day ${after} on`, multiplier };
    }),
  ];
}

export const daysOf = (count: number): string => (count === 1 ? '1 day' : `${count} days`);
