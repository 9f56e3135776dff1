/** How far ahead of our clock a record may lie: two clocks are never quite the same. */
export const FUTURE_MAX_MS = 5 * 60_000;

/**
 * How far ahead the clock is that dated a report, when all of its records lie in the future; null when they do not tell.
 *
 * Shape: milliseconds, of the latest record: it was written just before the report was sent.
 */
export function clockAheadMs(occurredAt: readonly Date[], now: Date): number | null {
  const ahead = occurredAt.map((instant) => instant.getTime() - now.getTime());
  if (ahead.length === 0 || ahead.some((ms) => ms <= FUTURE_MAX_MS)) return null;
  return ahead.reduce((most, ms) => Math.max(most, ms));
}

/** `1 d 0 h`, `3 h 20 min`, `7 min 5 s`: the two largest units, rounded down. */
export function spanOf(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor(seconds / 3_600) % 24;
  const minutes = Math.floor(seconds / 60) % 60;
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return `${minutes} min ${seconds % 60} s`;
}
