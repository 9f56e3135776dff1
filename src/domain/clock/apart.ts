/**
 * How far our clock and the database's may be apart. By NTP it is milliseconds; a machine that has slept, or begins without a network, is right
 * again within a minute or is off by hours. And of a period of a month, or the last hours before VMs go, nobody misses two minutes.
 */
export const CLOCKS_APART_MAX_MS = 2 * 60_000;

/** What our clock showed before another one was read, and how long that took. */
export interface Look {
  readonly beforeMs: number;
  readonly tookMs: number;
}

/**
 * How far our clock is ahead of the other one, at the least: when within the time that the answer took the other was read, nobody knows.
 *
 * Shape: milliseconds, negative when ours is behind.
 */
export function aheadOf(theirsMs: number, { beforeMs, tookMs }: Look): number {
  const afterMs = beforeMs + tookMs;
  if (theirsMs < beforeMs) return beforeMs - theirsMs;
  return theirsMs > afterMs ? afterMs - theirsMs : 0;
}
