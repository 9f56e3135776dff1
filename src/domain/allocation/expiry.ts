import type { ReleaseReason } from './state.ts';

/** What decides whether a VM goes because its time is over. */
export interface ExpiryFacts {
  /** The end of the paid period, or of the subscription where that came before. */
  readonly overAt: Date;
  readonly subscriptionState: 'active' | 'past_due' | 'ended';
  readonly isRenewing: boolean;
  readonly endReason: 'cancelled' | 'unpaid' | 'operator' | 'erased' | null;
}

/**
 * Whether a VM goes at `now`: strictly after its time, when nothing follows. A plan that is past due, or that renews and is only late, still
 * may go on.
 */
export function isOver({ overAt, subscriptionState, isRenewing }: ExpiryFacts, now: Date): boolean {
  if (now <= overAt) return false;
  return subscriptionState === 'ended' || (subscriptionState === 'active' && !isRenewing);
}

/** Why it goes. */
export function reasonOf({ endReason }: ExpiryFacts): ReleaseReason {
  return endReason === null || endReason === 'cancelled' ? 'expired' : endReason;
}
