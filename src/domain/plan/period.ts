/** How long a plan's periods are: so many days of 24 hours, or so many months of the calendar. In UTC, whatever a reader's zone. */
export interface PeriodLength {
  readonly unit: 'day' | 'month';
  readonly count: number;
}

export const PERIOD_UNITS = ['day', 'month'] as const satisfies readonly PeriodLength['unit'][];

const DAY_MS = 86_400_000;

export const isSameLength = (a: PeriodLength, b: PeriodLength): boolean => a.unit === b.unit && a.count === b.count;

/**
 * Where the nth period begins, counted from the anchor; the 0th begins at the anchor itself.
 *
 * Always counted from the anchor and never from the boundary before, so that what was bought on the 31st ends on the last day of a shorter
 * month and on the 31st again after it.
 */
export function boundaryOf(anchor: Date, { unit, count }: PeriodLength, n: number): Date {
  if (unit === 'day') return new Date(anchor.getTime() + n * count * DAY_MS);
  const month = anchor.getUTCMonth() + n * count;
  const dayOfMonth = Math.min(anchor.getUTCDate(), daysIn(anchor.getUTCFullYear(), month));
  const midnight = Date.UTC(anchor.getUTCFullYear(), month, dayOfMonth);
  return new Date(midnight + msOfDay(anchor));
}

/** The length of a month that may lie beyond its year: day 0 of a month is the last one of the month before. */
const daysIn = (year: number, month: number): number => new Date(Date.UTC(year, month + 1, 0)).getUTCDate();

const msOfDay = (at: Date): number => ((at.getTime() % DAY_MS) + DAY_MS) % DAY_MS;
