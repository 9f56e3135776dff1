import type { EndReason } from '../../domain/plan/subscription.ts';
import { moveExpiry } from '../../store/allocation-expiry.ts';
import type { Tx } from '../../store/db.ts';
import { lockSubscriptionById, saveSubscriptions } from '../../store/subscription.ts';
import { emit } from '../event/emit.ts';
import type { House } from '../house.ts';
import { endedEvent } from './tell.ts';

/**
 * Ends a subscription, whatever was paid: its VMs live no longer than this instant, and are given back by the tick that looks for such.
 *
 * Shape: false when it had ended before. Safe to: repeat.
 */
export async function endSubscription(
  tx: Tx,
  house: Pick<House, 'ports'>,
  { subscription, reason, at }: { readonly subscription: bigint; readonly reason: EndReason; readonly at: Date },
): Promise<boolean> {
  const row = await lockSubscriptionById(tx, subscription);
  if (row === null || row.state === 'ended') return false;
  const ended = { ...row, state: 'ended', endedAt: at, endReason: reason, remindsAt: null, hasExcess: false } as const;
  await saveSubscriptions(tx, [ended]);
  // What is past due has expired already.
  if (at < row.periodEndsAt) await moveExpiry(tx, [{ subscription, endsAt: at }]);
  await emit(tx, house, endedEvent(ended));
  return true;
}
