import { liveAccount, type Budget } from '../ledger/posting.ts';
import { MICROS_MAX, micros, type Micros } from '../money.ts';

/** Who spends of an organisation's wallet. */
export interface Spender {
  /** The membership's number. */
  readonly membership: bigint;
  readonly userSid: string;
  /** Null: no limit. What is spent is counted all the same. */
  readonly monthlyCap: Micros | null;
}

/** What a posting carries when a member spends or gives back: the budget that it counts in, and who and when for its text. */
export interface CapMark {
  readonly budget: Budget;
  readonly about: { readonly member_sid: string; readonly member_month: string };
}

export const monthStartOf = (at: Date): Date => new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), 1));

export const monthEndOf = (monthStart: Date): Date =>
  new Date(Date.UTC(monthStart.getUTCFullYear(), monthStart.getUTCMonth() + 1, 1));

/** In posting_budget memberships have the numbers below zero. */
const ownerOf = (membership: bigint): bigint => -membership;

/**
 * What a member takes out of the wallet at an instant, counted in its month and refused over the cap.
 *
 * What leaves the wallet's own account counts, what comes back to it counts less: so money that is set aside counts at once and what a hold
 * returns is free again.
 */
export const capOf = (spender: Spender, wallet: bigint, at: Date): CapMark =>
  markOf(spender, wallet, at, spender.monthlyCap ?? micros(MICROS_MAX));

/** The same for what is never refused: money that comes back, and work that was done under a hold. `at`: when it was set aside. */
export const countOf = (spender: Pick<Spender, 'membership' | 'userSid'>, wallet: bigint, at: Date): CapMark =>
  markOf(spender, wallet, at, micros(MICROS_MAX));

function markOf(
  { membership, userSid }: Pick<Spender, 'membership' | 'userSid'>,
  wallet: bigint,
  at: Date,
  limit: Micros,
): CapMark {
  const windowStart = monthStartOf(at);
  return {
    budget: { owner: ownerOf(membership), windowStart, limit, account: liveAccount(wallet, 'wallet') },
    about: { member_sid: userSid, member_month: windowStart.toISOString().slice(0, 7) },
  };
}
