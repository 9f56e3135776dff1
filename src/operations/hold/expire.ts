import { lockHold, listDueHolds } from '../../store/hold.ts';
import type { House } from '../house.ts';
import { returnHold } from './return-hold.ts';

/** How many holds one tick returns at most; the next tick takes the rest. */
const HOLDS_PER_TICK = 500;

/**
 * Returns the money of holds whose time is over.
 *
 * Shape: how many were due and how many this run returned. Safe to: run twice, concurrently, and late.
 */
export async function expireHolds(house: House): Promise<{ readonly due: number; readonly expired: number }> {
  const { db, ports } = house;
  const due = await listDueHolds(db, ports.clock.now(), HOLDS_PER_TICK);
  let expired = 0;
  for (const sid of due) {
    const isExpired = await db.transaction('hold.expire', async (tx) => {
      const hold = await lockHold(tx, sid);
      // Captured or released between the look and the lock.
      if (hold?.state !== 'open' || hold.expiresAt > ports.clock.now()) return false;
      await returnHold(tx, ports, hold, 'expired');
      return true;
    });
    if (isExpired) expired += 1;
  }
  if (due.length > 0) ports.log.info({ due: due.length, expired }, 'holds expired');
  return { due: due.length, expired };
}
