import { assert } from '../assert.ts';
import { boundaryOf, isSameLength } from './period.ts';
import { planToRenew, type Plan } from './plan.ts';
import type { Standing } from './subscription.ts';

/** What follows the period that is over. */
export type Renewal = { readonly kind: 'end' } | NextPeriod;

/** The period to be paid next. */
export interface NextPeriod {
  readonly kind: 'renew';
  readonly plan: Plan;
  readonly number: number;
  readonly startsAt: Date;
  readonly endsAt: Date;
  readonly anchorAt: Date;
  readonly anchorNumber: number;
  /** How many periods that are over as a whole are left out. */
  readonly skipped: number;
}

/** Whether a period that is over as a whole before anybody could pay it is charged, or left out. */
export type MissedPeriods = 'charge' | 'skip';

/**
 * Whether missed periods of a subscription are charged: where the house says so, and unless its VMs stood still meanwhile because the wallet
 * was empty.
 */
export const chargesMissed = (
  policy: MissedPeriods,
  { state, vmsRunning }: Pick<Standing, 'state'> & { readonly vmsRunning: number },
): boolean => policy === 'charge' && (state !== 'past_due' || vmsRunning > 0);

/**
 * Decides what comes after the period that was paid last, which is over.
 *
 * Pure, and the same however late it is asked: a period begins where the one before ended and has the version of the plan that counted then.
 * One period at a time, the oldest first; missed ones are left out only where they are not charged.
 */
export function nextPeriodOf(
  standing: Standing,
  versions: readonly Plan[],
  { now, isMissedCharged }: { readonly now: Date; readonly isMissedCharged: boolean },
): Renewal {
  if (!standing.isRenewing) return { kind: 'end' };
  let next = following(standing, versions, 0);
  while (!isMissedCharged && next.endsAt <= now) next = following(afterOf(standing, next), versions, next.skipped + 1);
  return next;
}

function following(standing: Standing, versions: readonly Plan[], skipped: number): NextPeriod {
  const { periodEndsAt: startsAt, periodNumber } = standing;
  const plan = planToRenew(versions, standing.nextPlanCode ?? standing.planCode, startsAt);
  assert(plan !== null, 'what somebody has was for sale when they bought it');
  const number = periodNumber + 1;
  const isAnchored = isSameLength(plan.period, standing.plan.period);
  const anchorAt = isAnchored ? standing.anchorAt : startsAt;
  const anchorNumber = isAnchored ? standing.anchorNumber : number;
  const endsAt = boundaryOf(anchorAt, plan.period, number + 1 - anchorNumber);
  return { kind: 'renew', plan, number, startsAt, endsAt, anchorAt, anchorNumber, skipped };
}

/** As if the period had been paid. */
const afterOf = (standing: Standing, period: NextPeriod): Standing => ({
  ...standing,
  planCode: period.plan.code,
  nextPlanCode: null,
  anchorAt: period.anchorAt,
  anchorNumber: period.anchorNumber,
  periodNumber: period.number,
  periodStartsAt: period.startsAt,
  periodEndsAt: period.endsAt,
  plan: period.plan,
});
