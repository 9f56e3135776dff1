import { lockSubscriptionById } from '../../store/subscription.ts';
import { clearExcess, findExcessVms, listExcess } from '../../store/plan-excess.ts';
import type { House } from '../house.ts';

const SUBSCRIPTIONS_PER_TICK = 100;

/**
 * Gives back the VMs that a plan does not include any more since it became smaller, in the order in which their user would have them stopped.
 *
 * `release` takes one VM back by its sid; asking twice must be asking once.
 * Shape: how many were asked to go. Safe to: run in several processes at once, and to die anywhere: who died is looked at again.
 */
export async function releaseExcess(house: House, release: (sid: string) => Promise<unknown>): Promise<number> {
  const { db } = house;
  let released = 0;
  for (const subscription of await listExcess(db, SUBSCRIPTIONS_PER_TICK)) {
    for (const sid of await findExcessVms(db, subscription)) {
      await release(sid);
      released += 1;
    }
    await db.transaction('plan.clear_excess', async (tx) => {
      await lockSubscriptionById(tx, subscription);
      if ((await findExcessVms(tx, subscription)).length === 0) await clearExcess(tx, subscription);
    });
  }
  return released;
}
