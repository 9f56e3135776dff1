import { micros, type Micros } from '../money.ts';
import { assert } from '../assert.ts';
import type { DisputeState } from './state.ts';

/** What a dispute has taken out of its wallet: set aside, and gone for good. */
export interface Standing {
  readonly frozen: bigint;
  readonly lost: bigint;
}

/** A dispute as the provider says it is. */
export interface DisputeClaim {
  readonly disputeRef: string;
  readonly amount: bigint;
  readonly state: DisputeState;
}

/** What a claim comes to: where it must stand, and what of it the payment does not hold any more. */
export interface Share extends Standing {
  readonly excess: bigint;
}

export type DisputeStepKind = 'dispute_open' | 'dispute_won' | 'dispute_lost';

/** One posting of a dispute. Positive, but for a loss that is taken back. */
export interface DisputeStep {
  readonly kind: DisputeStepKind;
  readonly amount: Micros;
}

/**
 * Shares what is left of a payment out among its disputes, so that refunds and disputes together never take more than was paid.
 *
 * Pure. In order of the provider's references, whatever order they were heard of in: the same truth always gives the same shares.
 * Shape: one share for each claim, by its reference. What does not fit is told as `excess`, never taken from the wallet.
 */
export function shareOut(claims: readonly DisputeClaim[], left: bigint): ReadonlyMap<string, Share> {
  const shares = new Map<string, Share>();
  let rest = left < 0n ? 0n : left;
  for (const claim of claims.toSorted((a, b) => (a.disputeRef < b.disputeRef ? -1 : 1))) {
    const isTaken = claim.state === 'open' || claim.state === 'lost';
    const wanted = isTaken ? claim.amount : 0n;
    const taken = wanted < rest ? wanted : rest;
    rest -= taken;
    shares.set(claim.disputeRef, {
      frozen: claim.state === 'open' ? taken : 0n,
      lost: claim.state === 'lost' ? taken : 0n,
      excess: wanted - taken,
    });
  }
  return shares;
}

/**
 * The postings that bring a dispute from where it stands to where it must stand; none when it is there.
 *
 * Pure. Whatever was missed is made up for in the order in which it must have happened: a dispute that is first heard of when it is lost
 * was opened before; one that was lost and is open again has its loss taken back first. So each step finds what it moves.
 */
export function stepsBetween(now: Standing, target: Standing): DisputeStep[] {
  const steps: DisputeStep[] = [];
  const backFromLost = now.lost > target.lost ? now.lost - target.lost : 0n;
  if (backFromLost > 0n) steps.push({ kind: 'dispute_lost', amount: micros(-backFromLost) });
  const change = target.frozen + target.lost - now.frozen - now.lost;
  if (change > 0n) steps.push({ kind: 'dispute_open', amount: micros(change) });
  if (change < 0n) steps.push({ kind: 'dispute_won', amount: micros(-change) });
  const toLost = target.lost > now.lost ? target.lost - now.lost : 0n;
  if (toLost > 0n) steps.push({ kind: 'dispute_lost', amount: micros(toLost) });
  assert(target.frozen >= 0n && target.lost >= 0n, 'a dispute cannot stand below nothing');
  return steps;
}
