import { claimDueAllocations } from '../../store/allocation.ts';
import type { House } from '../house.ts';
import { converge } from './converge.ts';
import { ASK_LEASE_MS } from './request.ts';

const CLAIM_MAX = 20;
/** One tick's work; what is left is due at the next one. */
const ROUNDS_MAX = 10;

/**
 * Asks provisioners about every VM of which something is not known: one that is asked for, that is to stop, to run again or to go, and has
 * not been said to.
 *
 * Shape: how many were asked about. Safe to: run in several processes at once, and late: each is claimed by one.
 */
export async function checkAllocations(house: House, signal?: AbortSignal): Promise<number> {
  let asked = 0;
  for (let round = 0; round < ROUNDS_MAX && signal?.aborted !== true; round += 1) {
    const now = house.ports.clock.now();
    const claim = { now, leaseEndsAt: new Date(now.getTime() + ASK_LEASE_MS), limit: CLAIM_MAX };
    const sids = await house.db.transaction('allocation.claim_due', (tx) => claimDueAllocations(tx, claim));
    for (const sid of sids) await converge(house, sid);
    asked += sids.length;
    if (sids.length < CLAIM_MAX) break;
  }
  return asked;
}
