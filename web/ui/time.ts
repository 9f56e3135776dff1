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

/** "14:05:09", for the steps of something that happens while one watches. */
export const formatClock = (instant: string): string => minute.format(new Date(instant));

/** "2026-11-23 14:05:09 UTC" */
export const formatUtc = (instant: string): string =>
  `${new Date(instant).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

export const isPast = (instant: string): boolean => new Date(instant).getTime() <= Date.now();
