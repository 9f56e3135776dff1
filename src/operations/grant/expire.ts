import { WARNED_AHEAD_MS } from '../../domain/grant/grant.ts';
import { liveAccount } from '../../domain/ledger/posting.ts';
import { formatDecimal } from '../../domain/money.ts';
import { listDueGrants, listExpiringGrants, markWarned, readGrant } from '../../store/grant.ts';
import { lockAhead } from '../../store/ledger.ts';
import { emit } from '../event/emit.ts';
import type { House } from '../house.ts';
import { endGrant } from './end.ts';

const GRANTS_PER_STEP = 500;

/**
 * Takes back what is left of grants whose time is over, closes those that are used up, and tells users of grants that end soon.
 *
 * Each grant in a transaction of its own, under its wallet's lock: what was spent before that commit is spent, and only the rest is taken back.
 * Shape: how many ended and how many users were told. Safe to: run twice, in several processes at once, and late.
 */
export async function expireGrants(
  house: House,
  signal?: AbortSignal,
): Promise<{ readonly ended: number; readonly told: number }> {
  const { db, ports } = house;
  let [ended, after] = [0, 0n];
  for (;;) {
    const due = await listDueGrants(db, { now: ports.clock.now(), after, limit: GRANTS_PER_STEP });
    for (const { sid } of due) {
      if (signal?.aborted) return { ended, told: 0 };
      if (await endOne(house, sid)) ended += 1;
    }
    after = due.at(-1)?.id ?? after;
    if (due.length < GRANTS_PER_STEP) break;
  }
  const told = await tellOfEnds(house);
  if (ended + told > 0) ports.log.info({ ended, told }, 'grants ended, or end soon');
  return { ended, told };
}

async function endOne({ db, ports }: House, sid: string): Promise<boolean> {
  return await db.transaction('grant.expire', async (tx) => {
    const found = await readGrant(tx, sid);
    if (!found) return false;
    await lockAhead(tx, [liveAccount(found.wallet, 'wallet')]);
    // Only now: whoever held the wallet before may have spent of it.
    const grant = await readGrant(tx, sid);
    return grant !== null && (await endGrant(tx, { ports }, grant)) !== null;
  });
}

async function tellOfEnds({ db, ports }: House): Promise<number> {
  const now = ports.clock.now();
  const until = new Date(now.getTime() + WARNED_AHEAD_MS);
  let told = 0;
  for (const sid of await listExpiringGrants(db, { now, until, limit: GRANTS_PER_STEP })) {
    const isTold = await db.transaction('grant.warn', async (tx) => {
      if (!(await markWarned(tx, sid, now))) return false;
      const grant = await readGrant(tx, sid);
      if (!grant || grant.left === 0n) return false;
      const facts = {
        grant_sid: sid,
        amount: formatDecimal(grant.left),
        expires_at: grant.expiresAt?.toISOString() ?? null,
        reason: grant.reason,
      };
      await emit(tx, { ports }, { type: 'grant.expiring', of: grant, facts });
      return true;
    });
    if (isTold) told += 1;
  }
  return told;
}
