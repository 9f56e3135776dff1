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

/** Of the way from one instant to another, in whole percent. */
export function percentOfWay({ from, now, goal }: { from: string; now: string; goal: string }): number {
  const [start, here, end] = [Date.parse(from), Date.parse(now), Date.parse(goal)];
  return end <= start ? 100 : Math.min(100, Math.max(0, Math.floor(((here - start) * 100) / (end - start))));
}
