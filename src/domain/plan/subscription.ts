import type { Plan } from './plan.ts';

export const SUBSCRIPTION_STATES = ['active', 'past_due', 'ended'] as const;
export type SubscriptionState = (typeof SUBSCRIPTION_STATES)[number];

export const END_REASONS = ['cancelled', 'unpaid', 'operator', 'erased'] as const;
export type EndReason = (typeof END_REASONS)[number];

/** What the rules need to know of a subscription: where it stands, and the version by which its present period was paid. */
export interface Standing {
  readonly planCode: string;
  readonly nextPlanCode: string | null;
  readonly state: SubscriptionState;
  readonly isRenewing: boolean;
  readonly anchorAt: Date;
  readonly anchorNumber: number;
  readonly periodNumber: number;
  /** Of the part of the present period that its present plan paid. */
  readonly periodStartsAt: Date;
  readonly periodEndsAt: Date;
  readonly plan: Plan;
}

/** When its user is told of a renewal that comes: long enough before to top up. */
const REMINDED_BEFORE_MS = 3 * 86_400_000;

/** Null: the period is so short that whoever has it knows. */
export function remindsAt(period: { readonly startsAt: Date; readonly endsAt: Date }): Date | null {
  const lastsMs = period.endsAt.getTime() - period.startsAt.getTime();
  return lastsMs < 2 * REMINDED_BEFORE_MS ? null : new Date(period.endsAt.getTime() - REMINDED_BEFORE_MS);
}
