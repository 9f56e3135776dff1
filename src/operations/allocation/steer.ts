import { takeBack, want } from '../../domain/allocation/decide.ts';
import type { ReleaseReason, Wanted } from '../../domain/allocation/state.ts';
import { lockAllocation, updateAllocation, type AllocationRow } from '../../store/allocation.ts';
import type { Tx } from '../../store/db.ts';
import { ownAuthor, recordAudit, type Author } from '../audit/record.ts';
import type { House } from '../house.ts';
import { converge } from './converge.ts';
import { ASK_LEASE_MS } from './request.ts';

/**
 * Stops a VM and keeps its disk. `why` is kept in the audit row.
 *
 * Shape: the allocation as it is now, `suspended` when the provisioner has said so and on its way there otherwise; null when there is none.
 * One that is over, or goes, stays as it is. Safe to: repeat, after a crash at any moment, concurrently, and against its opposite: what was
 * wanted last counts.
 */
export const suspendVm = (house: House, sid: string, why: string, author?: Author): Promise<AllocationRow | null> =>
  steer(house, sid, { wanted: 'stopped', why }, author ?? ownAuthor(house, 'allocations'));

/** Lets a VM run again that was stopped; as {@link suspendVm}. */
export const resumeVm = (house: House, sid: string, author?: Author): Promise<AllocationRow | null> =>
  steer(house, sid, { wanted: 'running', why: null }, author ?? ownAuthor(house, 'allocations'));

/**
 * Takes a VM back.
 *
 * Shape: the allocation as it is now, `released` when its place is confirmed clean and `releasing` until then; null when there is none.
 * Safe to: repeat, after a crash at any moment, and concurrently; the first reason stays.
 */
export async function releaseVm(
  house: House,
  sid: string,
  reason: ReleaseReason,
  author?: Author,
): Promise<AllocationRow | null> {
  const by = author ?? ownAuthor(house, 'allocations');
  const row = await house.db.transaction('allocation.release', (tx) => beginRelease(tx, by, sid, reason));
  return row?.state === 'releasing' ? await converge(house, sid) : row;
}

/** The intent of it, in the caller's transaction. */
export async function beginRelease(
  tx: Tx,
  author: Author,
  sid: string,
  reason: ReleaseReason,
): Promise<AllocationRow | null> {
  const row = await lockAllocation(tx, sid);
  if (row === null) return null;
  const now = author.house.ports.clock.now();
  const after = takeBack(row, reason, now);
  if (after === row) return row;
  const going = { ...row, ...after, checkAt: new Date(now.getTime() + ASK_LEASE_MS) };
  await updateAllocation(tx, going);
  await recordAudit(tx, author, {
    action: 'allocation.release',
    subject: sid,
    reason,
    before: { state: row.state },
    after: { state: going.state },
  });
  return going;
}

interface Steering {
  readonly wanted: Wanted;
  readonly why: string | null;
}

async function steer(
  house: House,
  sid: string,
  { wanted, why }: Steering,
  author: Author,
): Promise<AllocationRow | null> {
  const row = await house.db.transaction('allocation.steer', async (tx) => {
    const now = house.ports.clock.now();
    const before = await lockAllocation(tx, sid);
    const after = before && want(before, wanted, now);
    if (before === null || after === null || after === before) return before;
    // One that is asked for is stopped once it is there.
    const isThere = before.state !== 'requested';
    const steered = { ...before, ...after, checkAt: isThere ? new Date(now.getTime() + ASK_LEASE_MS) : before.checkAt };
    await updateAllocation(tx, steered);
    const action = wanted === 'stopped' ? 'allocation.suspend' : 'allocation.resume';
    await recordAudit(tx, author, { action, subject: sid, reason: why, after: { wanted } });
    return steered;
  });
  const isLiving = row?.state === 'active' || row?.state === 'suspended';
  // Where nothing is to be asked it is what was wanted, and has been said to be.
  return isLiving && row.checkAt !== null ? await converge(house, sid) : row;
}
