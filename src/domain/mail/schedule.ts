const MINUTE_MS = 60_000;
/** Between one try and the next: a mail server is away for minutes, or for a night. */
const WAITS_MS = [1, 5, 30, 120, 480, 1_440].map((minutes) => minutes * MINUTE_MS);

/** When a mail that failed `tries` times is tried again; null: it is given up. */
export function nextMailTryAt(now: Date, tries: number): Date | null {
  const waitMs = WAITS_MS[tries - 1];
  return waitMs === undefined ? null : new Date(now.getTime() + waitMs);
}
