const HOUR_S = 3_600;
const DAY_S = 24 * HOUR_S;

/** "40 days", "6 hours": a distance as it is spoken of, rounded to its unit. */
export function distanceText(seconds: number): string {
  const [count, unit] =
    seconds >= 2 * DAY_S
      ? [Math.round(seconds / DAY_S), 'day']
      : seconds >= HOUR_S
        ? [Math.round(seconds / HOUR_S), 'hour']
        : [Math.max(1, Math.round(seconds / 60)), 'minute'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
