import { claimDueInbox } from '../../store/inbox.ts';
import type { House } from '../house.ts';
import { ownCause } from '../payment/cause.ts';
import { applyWebhook } from './apply.ts';

const CLAIM_EVENTS_MAX = 50;
const LEASE_MS = 5 * 60_000;
const ROUNDS_MAX = 20;
/** The queue gets this long before the sweep takes an event for forgotten. */
export const QUEUE_IS_LATE_AFTER_MS = 10_000;

/** A line to look for when events are slow: the queue's workers have not taken what was due. */
const LATE = 'webhook events were not applied by the queue in time: the sweep does it';

/**
 * Applies the webhooks whose time came and that no job took: the queue is the quick way, this is the sure one.
 *
 * Shape: how many were tried. `lateByMs`: how long they must be overdue.
 */
export async function sweepWebhooks(house: House, lateByMs: number = QUEUE_IS_LATE_AFTER_MS): Promise<number> {
  let tried = 0;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const now = house.ports.clock.now().getTime();
    const claim = { now: new Date(now - lateByMs), leaseEndsAt: new Date(now + LEASE_MS), limit: CLAIM_EVENTS_MAX };
    const sids = await house.db.transaction('webhook.claim_due', (tx) => claimDueInbox(tx, claim));
    if (sids.length > 0) house.ports.log.warn({ events: sids.length, late_by_ms: lateByMs }, LATE);
    for (const sid of sids) await applyWebhook(house, sid, ownCause(house, 'webhook'));
    tried += sids.length;
    if (sids.length < CLAIM_EVENTS_MAX) break;
  }
  return tried;
}
