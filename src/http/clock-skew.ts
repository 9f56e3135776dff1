import type { AppContext, Site } from './context.ts';

/** What a caller may say of its own clock; `Date` is taken as well. */
export const SENT_AT_HEADER = 'x-hero-onboarding-sent-at';
/** What it is told: by how many seconds its clock is ahead of ours, negative when it is behind. */
export const CLOCK_SKEW_HEADER = 'x-hero-onboarding-clock-skew';

/** The seconds by which the caller's clock is ahead of ours; null when it does not say what time it has. */
export function clockSkewOf({ house }: Site, c: AppContext): string | null {
  const said = c.req.header(SENT_AT_HEADER) ?? c.req.header('date');
  const saidMs = said === undefined ? Number.NaN : Date.parse(said);
  if (!Number.isFinite(saidMs)) return null;
  return String(Math.round((saidMs - house.ports.clock.now().getTime()) / 1_000));
}
