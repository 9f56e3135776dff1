import { describe, expect, it } from 'vitest';
import { boundaryOf, type PeriodLength } from '../../src/domain/plan/period.ts';
import { propertySeed } from '../support/property-seed.ts';

/** A calendar of our own, made of nothing but the rule of leap years: days are counted one month after another. */
const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
const daysIn = (year: number, month: number): number =>
  [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month] ?? 0;
const DAY_MS = 86_400_000;
const FIRST_YEAR = 1970;
const YEARS = 400;
/** By months since 1970: how many days were before. */
const daysBefore: number[] = [];
{
  let days = 0;
  for (let month = 0; month < YEARS * 12; month += 1) {
    daysBefore.push(days);
    days += daysIn(FIRST_YEAR + Math.floor(month / 12), month % 12);
  }
}

interface Civil {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly ms: number;
}
const toMs = ({ year, month, day, ms }: Civil): number =>
  ((daysBefore[(year - FIRST_YEAR) * 12 + month] ?? 0) + day - 1) * DAY_MS + ms;

/** The nth month after, on the anchor's day or the last one that there is. */
function monthsAfter(anchor: Civil, months: number): Civil {
  let { year, month } = anchor;
  for (let left = months; left > 0; left -= 1) {
    month += 1;
    if (month === 12) [year, month] = [year + 1, 0];
  }
  return { year, month, day: Math.min(anchor.day, daysIn(year, month)), ms: anchor.ms };
}

describe('periods against a calendar of their own', () => {
  it('H02 agree for 100,000 random anchors, and follow one another without a gap', () => {
    const seed = propertySeed('plan period');
    let state = seed >>> 0;
    const below = (limit: number): number => {
      // A linear congruential generator (Numerical Recipes): the seed is printed, and gives the same anchors again.
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
    const wrong: string[] = [];
    for (let round = 0; round < 100_000; round += 1) {
      const [year, month] = [2000 + below(100), below(12)];
      // Every other one on one of the last days, where months differ.
      const last = daysIn(year, month);
      const day = below(2) === 0 ? 1 + below(last) : last - below(3);
      const anchor: Civil = { year, month, day, ms: below(DAY_MS) };
      const length: PeriodLength = { unit: below(4) === 0 ? 'day' : 'month', count: 1 + below(13) };
      const n = below(60);
      const at = new Date(toMs(anchor));
      const expected =
        length.unit === 'day' ? toMs(anchor) + n * length.count * DAY_MS : toMs(monthsAfter(anchor, n * length.count));
      const [begins, ends] = [boundaryOf(at, length, n), boundaryOf(at, length, n + 1)];
      if (begins.getTime() !== expected || ends <= begins) {
        wrong.push(`${at.toISOString()} + ${n} × ${length.count} ${length.unit}: ${begins.toISOString()}`);
      }
    }
    expect(wrong, `seed ${seed}`).toEqual([]);
  });

  it('H02 the 31st comes back after February, in a leap year and in others', () => {
    const month = { unit: 'month', count: 1 } as const;
    const days = (anchor: string, count: number) =>
      Array.from({ length: count }, (_, n) => boundaryOf(new Date(anchor), month, n).toISOString().slice(0, 10));
    expect(days('2027-12-31T23:59:59.999Z', 5)).toEqual([
      '2027-12-31',
      '2028-01-31',
      '2028-02-29',
      '2028-03-31',
      '2028-04-30',
    ]);
    expect(days('2026-01-30T00:00:00Z', 3)).toEqual(['2026-01-30', '2026-02-28', '2026-03-30']);
    expect(boundaryOf(new Date('2028-02-29T12:00:00Z'), { unit: 'month', count: 12 }, 1).toISOString()).toBe(
      '2029-02-28T12:00:00.000Z',
    );
  });

  it('H03 a day has 24 hours and a month its own length, whatever clocks do where somebody reads', () => {
    // Europe/Berlin goes from 02:00 to 03:00 on 28 March 2027 and from 03:00 to 02:00 on 25 October 2026.
    for (const anchor of ['2027-02-28T01:30:00Z', '2026-09-25T01:30:00Z']) {
      const at = new Date(anchor);
      expect(boundaryOf(at, { unit: 'day', count: 30 }, 1).getTime() - at.getTime()).toBe(30 * DAY_MS);
      expect(boundaryOf(at, { unit: 'month', count: 1 }, 1).toISOString().slice(11)).toBe('01:30:00.000Z');
    }
  });
});
