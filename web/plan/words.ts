import type { Plan, PlanQuote, Subscription } from '../surface.ts';

/** "every 30 days", "every month" */
export function everyPeriod({
  period_unit: unit,
  period_count: count,
}: Pick<Plan, 'period_unit' | 'period_count'>): string {
  return count === 1 ? `every ${unit}` : `every ${count} ${unit}s`;
}

/** "5 VMs of size small" */
export const vmsOf = (count: number, size: string): string => `${count} ${count === 1 ? 'VM' : 'VMs'} of size ${size}`;

type State = Pick<Subscription, 'state' | 'is_renewing'>;

/** What is said of a subscription at a glance, and how it is coloured. */
export function stateOf({
  state,
  is_renewing: isRenewing,
}: State): readonly ['good' | 'warn' | 'bad' | 'calm', string] {
  if (state === 'ended') return ['calm', 'Ended'];
  if (state === 'past_due') return ['bad', 'Past due'];
  return isRenewing ? ['good', 'Active'] : ['warn', 'Ends soon'];
}

export const END_REASONS: Readonly<Record<NonNullable<Subscription['end_reason']>, string>> = {
  cancelled: 'cancelled',
  unpaid: 'was not paid',
  operator: 'ended by the service',
  erased: 'the account was deleted',
};

/** What the button says that does what was quoted. */
export const DEEDS: Readonly<Record<PlanQuote['kind'], string>> = {
  buy: 'Buy for',
  change_at_once: 'Change now for',
  change_at_period_end: 'Change at the end of the period',
};

/** A line of a quote, as a person would say it. */
export function lineText(line: PlanQuote['lines'][number]): string {
  if (line.what === 'period') return `${line.plan_name}, one period`;
  const days = daysOf(line.ms_left);
  return line.what === 'unused'
    ? `${line.plan_name}: ${days} not used, given back`
    : `${line.plan_name}: the same ${days}`;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** "19.9 days", "7 hours": enough to see that the sum is right; the exact figures are in the quote. */
function daysOf(ms: number | null): string {
  if (ms === null) return 'time';
  const [size, unit] = ms >= 2 * DAY_MS ? [DAY_MS, 'days'] : [HOUR_MS, 'hours'];
  return `${Number((ms / size).toFixed(1))} ${unit}`;
}
