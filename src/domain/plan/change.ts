import { micros, ZERO, type Micros } from '../money.ts';
import { boundaryOf, isSameLength } from './period.ts';
import type { Plan } from './plan.ts';
import { shareOf, type Share } from './prorate.ts';
import type { Standing } from './subscription.ts';

/** One line of a quote: what for, how much, for when. Negative: given back. */
export interface QuoteLine {
  readonly what: 'period' | 'unused' | 'rest';
  readonly plan: Plan;
  readonly amount: Micros;
  readonly from: Date;
  readonly until: Date;
  /** How a part of a period was computed; null: the whole price. */
  readonly share: Share | null;
}

/** What a change of plan comes to: at once, for what is left of the period, or at its end, for nothing now. */
export interface PlanChange {
  readonly kind: 'at_once' | 'at_period_end';
  readonly plan: Plan;
  readonly effectiveAt: Date;
  readonly lines: readonly QuoteLine[];
  readonly total: Micros;
}

export const totalOf = (lines: readonly QuoteLine[]): Micros =>
  micros(lines.reduce((sum, { amount }) => sum + amount, 0n));

/**
 * Decides what a change to another plan means at an instant within the present period.
 *
 * More for more money is had at once: the unused rest of what was paid is given back, the rest of the period is charged at the new price, and
 * the period keeps its end. Everything else waits for the end of the period, because nothing that was paid is paid out.
 */
export function planChange(standing: Standing, plan: Plan, at: Date): PlanChange {
  const startsAt = boundaryOf(standing.anchorAt, standing.plan.period, standing.periodNumber - standing.anchorNumber);
  const endsAt = standing.periodEndsAt;
  if (at >= endsAt || !isMore(standing.plan, plan))
    return { kind: 'at_period_end', plan, effectiveAt: endsAt, lines: [], total: ZERO };
  // A clock that was set back does not make more of a period than there is.
  const from = at < standing.periodStartsAt ? standing.periodStartsAt : at;
  const part = { from, startsAt, endsAt };
  const [unused, rest] = [shareOf(standing.plan.price, part, 'up'), shareOf(plan.price, part, 'down')];
  // In the last milliseconds the roundings would leave a micro-dollar to pay out: no more is given back than the rest costs.
  const givenBack = unused.amount > rest.amount ? rest.amount : unused.amount;
  const lines: readonly QuoteLine[] = [
    { what: 'unused', plan: standing.plan, amount: micros(-givenBack), from, until: endsAt, share: unused },
    { what: 'rest', plan, amount: rest.amount, from, until: endsAt, share: rest },
  ];
  return { kind: 'at_once', plan, effectiveAt: from, lines, total: totalOf(lines) };
}

const isMore = (present: Plan, wanted: Plan): boolean =>
  isSameLength(present.period, wanted.period) &&
  present.vmSize === wanted.vmSize &&
  wanted.price >= present.price &&
  wanted.vmCount >= present.vmCount;

/** What somebody pays who has no plan and buys one. */
export function purchaseOf(plan: Plan, at: Date): { readonly lines: readonly QuoteLine[]; readonly endsAt: Date } {
  const endsAt = boundaryOf(at, plan.period, 1);
  return { lines: [{ what: 'period', plan, amount: plan.price, from: at, until: endsAt, share: null }], endsAt };
}
