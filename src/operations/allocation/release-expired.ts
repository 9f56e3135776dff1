import { isOver, reasonOf } from '../../domain/allocation/expiry.ts';
import { listExpired, lockAllocation, lockExpiry, type ExpiryRow } from '../../store/allocation.ts';
import { saveAutoReleaseRun } from '../../store/auto-release-run.ts';
import { ownAuthor } from '../audit/record.ts';
import type { House } from '../house.ts';
import { converge } from './converge.ts';
import { beginRelease } from './steer.ts';

/** What one run came to. */
export interface ReleaseCounts {
  /** VMs whose paid time is over, and that have not been confirmed gone. */
  readonly examined: number;
  /** Of those: the ones that go, because their plan has ended or does not renew. */
  readonly expired: number;
  /** Of those: the ones that this run has taken back. */
  readonly released: number;
  /** Of those: the ones that somebody else, or an earlier run, has taken back. */
  readonly alreadyReleased: number;
  /** Of those: the ones of which the provisioner did not say that they go. They are asked again, by every run and by themselves. */
  readonly errors: number;
}

const PAGE = 200;

/**
 * Takes back the VMs whose time is over, strictly after it.
 *
 * A VM whose plan is past due, or only late in renewing, stays: what runs dry is suspended first.
 * Safe to: run twice, in several processes at once, and late: each is taken back by one of them.
 */
export async function releaseExpired(house: House, signal?: AbortSignal): Promise<ReleaseCounts> {
  const counts = { examined: 0, expired: 0, released: 0, alreadyReleased: 0, errors: 0 };
  let after = 0n;
  for (;;) {
    const now = house.ports.clock.now();
    const page = await listExpired(house.db, { now, after, limit: PAGE });
    for (const row of page) {
      if (signal?.aborted) return counts;
      counts.examined += 1;
      if (!isOver(row, now)) continue;
      counts.expired += 1;
      counts[await release(house, row)] += 1;
    }
    const last = page.at(-1);
    if (page.length < PAGE || last === undefined) break;
    after = last.id;
  }
  await saveAutoReleaseRun(house.db, { ...counts, ranAt: house.ports.clock.now() });
  if (counts.expired > 0) house.ports.log.info({ ...counts }, 'VMs whose time is over were looked at');
  return counts;
}

async function release(house: House, seen: ExpiryRow): Promise<'released' | 'alreadyReleased' | 'errors'> {
  const isFailing = seen.state === 'releasing' && seen.problem !== null;
  if (seen.state === 'releasing' && !isFailing) return 'alreadyReleased';
  const isBegun = isFailing || (await begin(house, seen.sid));
  if (!isBegun) return 'alreadyReleased';
  const row = await converge(house, seen.sid);
  const isGoing = row?.state === 'released' || (row?.state === 'releasing' && row.problem === null);
  return isGoing ? 'released' : 'errors';
}

/** Whether it goes now, and not for somebody else's sake: decided anew with its subscription locked. */
async function begin(house: House, sid: string): Promise<boolean> {
  return await house.db.transaction('allocation.expire', async (tx) => {
    const row = await lockExpiry(tx, sid);
    if (row === null || !isOver(row, house.ports.clock.now())) return false;
    const before = await lockAllocation(tx, sid);
    const going = await beginRelease(tx, ownAuthor(house, 'allocations'), sid, reasonOf(row));
    return going?.state === 'releasing' && before?.state !== 'releasing';
  });
}
