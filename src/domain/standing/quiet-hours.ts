/** When somebody does not want to be written to: minutes of the day by the clock of a zone, from (included) until (not). */
export interface QuietHours {
  readonly from: number;
  readonly until: number;
  /** A name of the IANA time zone database. */
  readonly zone: string;
}

/** Someone who is never to be written to wants no notices; some hours of each day are left. */
export const QUIET_MINUTES_MAX = 18 * 60;
const MINUTES_A_DAY = 24 * 60;
const MINUTE_MS = 60_000;
/** Less than the hours that are never quiet, so that no step misses them. */
const STEP_MINUTES = 60;

/** How long they are, where the clock does not change. */
export const quietMinutes = ({ from, until }: Omit<QuietHours, 'zone'>): number =>
  (until - from + MINUTES_A_DAY) % MINUTES_A_DAY;

export function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/**
 * The first moment that is not quiet: now, or the end of the quiet hours that it lies in.
 *
 * It looks at the zone's clock rather than reckon with it, so an hour that is left out or comes twice is as long as it is.
 */
export function afterQuietHours(quiet: QuietHours | null, now: Date): Date {
  if (quiet === null) return now;
  const clock = new Intl.DateTimeFormat('en-GB', {
    timeZone: quiet.zone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const isQuiet = (at: number): boolean => {
    const [hour = 0, minute = 0] = clock.format(at).split(':').map(Number);
    const sinceFrom = (hour * 60 + minute - quiet.from + MINUTES_A_DAY) % MINUTES_A_DAY;
    return sinceFrom < quietMinutes(quiet);
  };
  if (!isQuiet(now.getTime())) return now;
  const start = Math.floor(now.getTime() / MINUTE_MS) * MINUTE_MS;
  let late = start + STEP_MINUTES * MINUTE_MS;
  for (let steps = 0; isQuiet(late) && steps < MINUTES_A_DAY / STEP_MINUTES; steps += 1)
    late += STEP_MINUTES * MINUTE_MS;
  let end = late;
  while (end - MINUTE_MS > start && !isQuiet(end - MINUTE_MS)) end -= MINUTE_MS;
  return new Date(end);
}
