import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasEnded, multiplierAt, nextRung, widen, type Ladder, type Streak } from '../../src/domain/discount/ladder.ts';
import { propertySeed } from '../support/property-seed.ts';

const seed = propertySeed('ladder');
const LADDER: Ladder = {
  category: 'llm',
  version: 1,
  rungs: [
    { afterDays: 7, multiplier: 5_000n },
    { afterDays: 30, multiplier: 2_500n },
  ],
  graceDays: 7,
  isFloorAtCost: true,
  activeFrom: new Date(0),
};
const DAY = 86_400_000;
const day = (days: number): Date => new Date(Date.UTC(2026, 0, 1) + days * DAY);
const run = (from: number, to: number): Streak => ({ startedAt: day(from), lastAt: day(to) });

describe('the ladder', () => {
  it('halves the price after 7 days of continuous use, to the millisecond, and again after 30', () => {
    const at = (days: number, ms = 0): bigint => multiplierAt(LADDER, run(0, days), new Date(day(days).getTime() + ms));
    expect([at(0), at(7, -1), at(7), at(30, -1), at(30), at(4_000)]).toEqual([
      10_000n,
      10_000n,
      5_000n,
      5_000n,
      2_500n,
      2_500n,
    ]);
  });

  it('begins again when a gap is longer than the grace, and not when it is as long', () => {
    expect(widen(run(0, 10), day(17), LADDER)).toEqual(run(0, 17));
    expect(widen(run(0, 10), new Date(day(17).getTime() + 1), LADDER).startedAt.getTime()).toBe(day(17).getTime() + 1);
  });

  it('is widened backwards by what comes late, if it is near, and not changed by what is far before', () => {
    expect(widen(run(10, 20), day(5), LADDER)).toEqual(run(5, 20));
    expect(widen(run(10, 20), day(2), LADDER)).toEqual(run(10, 20));
    expect(widen(run(10, 20), day(15), LADDER)).toEqual(run(10, 20));
  });

  it('says which rung comes next and when, and nothing on the last', () => {
    expect(nextRung(LADDER, run(0, 3), day(3))).toEqual({ rung: LADDER.rungs[0], at: day(7) });
    expect(nextRung(LADDER, run(0, 12), day(12))).toEqual({ rung: LADDER.rungs[1], at: day(30) });
    expect(nextRung(LADDER, run(0, 31), day(31))).toBeNull();
    expect([hasEnded(run(0, 1), day(8), LADDER), hasEnded(run(0, 1), day(8.5), LADDER)]).toEqual([false, true]);
  });

  it('has the same run in the end, in whatever order records within the grace arrive', () => {
    const days = fc.uniqueArray(fc.integer({ min: 0, max: 7 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(days, (all) => {
        const ended = all.reduce<Streak | null>((streak, one) => widen(streak, day(one), LADDER), null);
        expect(ended).toEqual(run(Math.min(...all), Math.max(...all)));
      }),
      { seed, numRuns: 200 },
    );
  });
});
