import { decideStanding } from '../../domain/standing/decide.ts';
import type { Standing } from '../../domain/standing/state.ts';
import {
  findDueLooks,
  findMovedWallets,
  findPastDueWallets,
  findWaitingWallets,
  readWalletFacts,
  type WalletFacts,
} from '../../store/standing-facts.ts';
import type { House } from '../house.ts';
import { factsFor, policyOf, settleStanding } from './settle.ts';

const WALLETS_MAX = 200;
/** Rounds of one look: a backlog is worked off over ticks, and a stop is not kept waiting. */
const ROUNDS_MAX = 50;

/**
 * Looks at every wallet: tells of those that have become low or empty since the last look, and goes on with what is due of them.
 *
 * It looks at the balances as they stand, so that no debit pays for it: who sinks and is filled up between two looks is not told of.
 * Shape: how many wallets were settled.
 * Safe to: run in several processes at once, and again after a crash; a standing is written with the events that tell of it.
 */
export async function watchStandings(house: House, signal?: AbortSignal): Promise<number> {
  const { lowBalance } = house.settings;
  const moved = await eachPage(
    house,
    (after) => findMovedWallets(house.db, { lowBalance, after, limit: WALLETS_MAX }),
    () => true,
    signal,
  );
  return moved + (await watchDue(house, signal));
}

/** The same for those alone that have something due, are stopped, or whose runway is to be looked at: few, and soon. */
export async function watchDue(house: House, signal?: AbortSignal): Promise<number> {
  const pastDue = await eachPage(
    house,
    (after) => findPastDueWallets(house.db, { after, limit: WALLETS_MAX }),
    () => true,
    signal,
  );
  const waiting = await eachPage(
    house,
    (after) => findWaitingWallets(house.db, { after, limit: WALLETS_MAX }),
    (facts) => hasChanged(house, facts),
    signal,
  );
  let looks = 0;
  for (const wallet of await findDueLooks(house.db, house.ports.clock.now(), WALLETS_MAX)) {
    if (signal?.aborted === true) break;
    await settleStanding(house, wallet);
    looks += 1;
  }
  return pastDue + waiting + looks;
}

async function eachPage(
  house: House,
  find: (after: bigint) => Promise<bigint[]>,
  isToSettle: (facts: WalletFacts) => boolean,
  signal: AbortSignal | undefined,
): Promise<number> {
  let settled = 0;
  let after = 0n;
  const isStopped = (): boolean => signal?.aborted === true;
  for (let round = 0; round < ROUNDS_MAX && !isStopped(); round += 1) {
    const wallets = await find(after);
    for (const facts of await readWalletFacts(house.db, wallets)) {
      if (isStopped() || !isToSettle(facts)) continue;
      await settleStanding(house, facts.wallet);
      settled += 1;
    }
    after = wallets.at(-1) ?? after;
    if (wallets.length < WALLETS_MAX) break;
  }
  return settled;
}

/** Whether a decision made now would change anything; thousands of wallets that wait are so passed by for one statement. */
function hasChanged(house: House, facts: WalletFacts): boolean {
  const now = house.ports.clock.now();
  const before = facts.standing;
  const { after, news } = decideStanding(before, factsFor(facts, house.settings), policyOf(house.settings), {
    now,
    noticeAt: now,
  });
  return news.length > 0 || !isSame(before, after);
}

const isSame = (a: Standing, b: Standing): boolean =>
  a.state === b.state &&
  a.reason === b.reason &&
  a.level === b.level &&
  a.deadlineAt?.getTime() === b.deadlineAt?.getTime() &&
  a.restoringSince?.getTime() === b.restoringSince?.getTime();
