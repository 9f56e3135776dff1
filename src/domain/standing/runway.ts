import { HOUR_MS } from './state.ts';

/** What uses a wallet up. */
export interface Burn {
  /** What can be spent. */
  readonly available: bigint;
  /** What usage has cost over the last {@link WINDOW_HOURS}. */
  readonly dayCharge: bigint;
  /** The next period of its plan; null: it has none, or does not renew. */
  readonly renewal: Renewal | null;
}

export interface Renewal {
  readonly at: Date;
  readonly price: bigint;
  /** From one period to the next; of months the mean, which is near enough to say for how many hours. */
  readonly everyMs: number;
}

export interface Runway {
  /** Until nothing is left or a period cannot be paid; null: at this rate never, or past {@link RUNWAY_HOURS_MAX}. */
  readonly msLeft: number | null;
  /** What it ends by. */
  readonly endsBy: 'usage' | 'plan' | null;
}

/** A day smooths over the hours of the night. */
export const WINDOW_HOURS = 24n;
/** Past ten years nobody plans. */
export const RUNWAY_HOURS_MAX = 87_600;
const WINDOW_MS = WINDOW_HOURS * BigInt(HOUR_MS);

/**
 * How long a wallet lasts: usage goes on at the rate of the last day, and each period of the plan costs its price when it begins.
 *
 * Rounded down to milliseconds, and never negative. Pure.
 */
export function runwayOf({ available, dayCharge, renewal }: Burn, now: Date): Runway {
  const maxMs = RUNWAY_HOURS_MAX * HOUR_MS;
  let left = available > 0n ? available : 0n;
  let passedMs = 0;
  let nextMs = renewal === null || renewal.price <= 0n ? maxMs : Math.max(0, renewal.at.getTime() - now.getTime());
  while (passedMs < maxMs) {
    const untilMs = Math.min(nextMs, maxMs);
    // A day's charge lasts a day: what is left lasts in proportion.
    const usageMs = dayCharge > 0n ? (left * WINDOW_MS) / dayCharge : null;
    if (usageMs !== null && usageMs < BigInt(untilMs - passedMs)) {
      return { msLeft: passedMs + Number(usageMs), endsBy: 'usage' };
    }
    if (nextMs >= maxMs || renewal === null) break;
    left -= (dayCharge * BigInt(untilMs - passedMs)) / WINDOW_MS;
    passedMs = untilMs;
    if (left < renewal.price) return { msLeft: passedMs, endsBy: 'plan' };
    left -= renewal.price;
    nextMs = passedMs + renewal.everyMs;
  }
  return { msLeft: null, endsBy: null };
}

/** Of several days that a wallet lasts the look at its middle is soon enough; who uses something may use more within the hour. */
const LOOK_MS = { least: 5 * 60_000, withUsage: HOUR_MS, withPlan: 12 * HOUR_MS };

/** When a runway is to be looked at again, so that no warning is late by much; null: nothing uses the wallet up. */
export function nextLookAt(
  { msLeft }: Runway,
  { dayCharge, renewal }: Pick<Burn, 'dayCharge' | 'renewal'>,
  warningHours: readonly number[],
  now: Date,
): Date | null {
  if (dayCharge <= 0n && renewal === null) return null;
  const most = dayCharge > 0n ? LOOK_MS.withUsage : LOOK_MS.withPlan;
  const leadMs = msLeft === null ? null : (warningHours.find((hours) => hours * HOUR_MS < msLeft) ?? 0) * HOUR_MS;
  const waitMs = msLeft === null || leadMs === null ? most : Math.min(msLeft - leadMs, most);
  return new Date(now.getTime() + Math.max(waitMs, LOOK_MS.least));
}

/** What an hour of a period costs each of so many VMs, rounded up to micro-dollars. */
export function hourlyShare(price: bigint, periodMs: number, vms: number): bigint {
  const hours = BigInt(Math.max(1, Math.round(periodMs / HOUR_MS))) * BigInt(Math.max(1, vms));
  return (price + hours - 1n) / hours;
}

export function runwayText({ msLeft }: Runway, hasBurn: boolean): string {
  if (!hasBurn) return 'no usage in the last 24 hours';
  if (msLeft === null) return 'more than ten years at the present rate';
  const hours = Math.floor(msLeft / HOUR_MS);
  if (hours === 0) return 'less than an hour at the present rate';
  const [days, rest] = [Math.floor(hours / 24), hours % 24];
  return `${days > 0 ? `${days} d ` : ''}${rest} h at the present rate`;
}
