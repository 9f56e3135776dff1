let aheadMs = 0;

/** How far the server's clock is ahead of the machine's: of a sandbox, whose time can be moved. */
export function keepAhead(seconds: number): void {
  aheadMs = seconds * 1_000;
}

/** What time it is for the service. */
export const nowMs = (): number => Date.now() + aheadMs;

/** The one formatter of time in the pages: the reader's own zone, and the exact instant in UTC on hover. */
const dayAndMinute = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
});
const minute = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** "23 Nov 2026, 14:05" */
export const formatTime = (instant: string): string => dayAndMinute.format(new Date(instant));

const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });

/** "23 Nov 2026", of a day that was counted in UTC: 2026-11-23. */
export const formatDay = (date: string): string => day.format(new Date(`${date}T00:00:00Z`));

const DAY_MS = 86_400_000;

/** The days of UTC from so many before today until today, as YYYY-MM-DD. */
export const lastDays = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) =>
    new Date(nowMs() - (count - 1 - index) * DAY_MS).toISOString().slice(0, 10),
  );

/** The instant that somebody chose in their own zone; null when it is none. */
export function instantOf(local: string): string | null {
  const at = new Date(local);
  return local === '' || Number.isNaN(at.getTime()) ? null : at.toISOString();
}

/** "14:05:09", for the steps of something that happens while one watches. */
export const formatClock = (instant: string): string => minute.format(new Date(instant));

/** "2026-11-23 14:05:09 UTC" */
export const formatUtc = (instant: string): string =>
  `${new Date(instant).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

export const isPast = (instant: string): boolean => new Date(instant).getTime() <= nowMs();
