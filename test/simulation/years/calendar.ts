/** How long a plan's periods are, in the words of the documents. */
export interface Length {
  readonly unit: 'day' | 'month';
  readonly count: number;
}

const DAY_MS = 86_400_000;
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

interface Civil {
  readonly year: number;
  /** From 0. */
  readonly month: number;
  /** From 1. */
  readonly day: number;
}

/**
 * The instant at which the nth period begins, found by walking a calendar from day to day. Shares nothing with the product's arithmetic, nor
 * with the one of the language's dates, which it is held against.
 */
export function boundary(anchorMs: number, { unit, count }: Length, n: number): number {
  if (unit === 'day') {
    let atMs = anchorMs;
    for (let period = 0; period < n; period += 1) atMs += count * DAY_MS;
    return atMs;
  }
  const days = Math.floor(anchorMs / DAY_MS);
  const anchor = civilOf(days);
  let { year, month } = anchor;
  for (let step = 0; step < n * count; step += 1) {
    month += 1;
    if (month === 12) [year, month] = [year + 1, 0];
  }
  const day = Math.min(anchor.day, lengthOf(year, month));
  return daysTo({ year, month, day }) * DAY_MS + (anchorMs - days * DAY_MS);
}

const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
const lengthOf = (year: number, month: number): number => (month === 1 && isLeap(year) ? 29 : (DAYS[month] ?? 0));
const daysOf = (year: number): number => (isLeap(year) ? 366 : 365);

/** Days since the beginning of 1970. */
function civilOf(days: number): Civil {
  let [year, month, left] = [1970, 0, days];
  for (; left >= daysOf(year); year += 1) left -= daysOf(year);
  for (; left >= lengthOf(year, month); month += 1) left -= lengthOf(year, month);
  return { year, month, day: left + 1 };
}

function daysTo({ year, month, day }: Civil): number {
  let days = day - 1;
  for (let earlier = 1970; earlier < year; earlier += 1) days += daysOf(earlier);
  for (let earlier = 0; earlier < month; earlier += 1) days += lengthOf(year, earlier);
  return days;
}
