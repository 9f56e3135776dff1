import { isUnanswered, type RefundState } from './state.ts';

/** Seconds to the first question after an answer that was lost, doubled with each one that brought nothing new. */
const FIRST_LOOK_MS = 15_000;
const LOOK_INTERVAL_MAX_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** A bank may send money back days after it took it; after a month none does. */
const AFTER_SUCCESS_MS = [DAY_MS, 7 * DAY_MS, 30 * DAY_MS];
/** How long a refund waits for a second operator. Its money is set aside meanwhile, and must not lie there for ever. */
export const APPROVAL_WAIT_MS = 7 * DAY_MS;

/**
 * When the provider is asked next about a refund; null: no more.
 *
 * Shape: what is not known 15 s, 30 s, 1 min … 1 h after `now`, for ever; what is under way every hour at most; what has left after a
 * day, a week and a month, for it may come back. What waits for an operator: when it has waited long enough.
 */
export function nextLookAt(facts: {
  readonly now: Date;
  readonly state: RefundState;
  readonly checks: number;
}): Date | null {
  const { now, state, checks } = facts;
  if (state === 'awaiting_approval') return new Date(now.getTime() + APPROVAL_WAIT_MS);
  if (isUnanswered(state) || state === 'pending') return new Date(now.getTime() + backOffMs(checks));
  const wait = state === 'succeeded' ? AFTER_SUCCESS_MS[checks] : undefined;
  return wait === undefined ? null : new Date(now.getTime() + wait);
}

const backOffMs = (checks: number): number => Math.min(FIRST_LOOK_MS * 2 ** Math.min(checks, 20), LOOK_INTERVAL_MAX_MS);
