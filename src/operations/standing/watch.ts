import { changesNothing, decideStanding } from '../../domain/standing/decide.ts';
import {
  findDueLooks,
  findMovedWallets,
  findPastDueWallets,
  findWaitingWallets,
  readWalletFacts,
} from '../../store/standing-facts.ts';
import { markLooked } from '../../store/standing.ts';
import type { House } from '../house.ts';
import { factsFor, judge, lookAt, nextLook, policyOf } from './look.ts';
import { settleStanding } from './settle.ts';

/** Of one page: enough that a wallet costs little, few enough that hardly one of them pays between the reading and the mark. */
const WALLETS_MAX = 500;
/** Pages of one look: a backlog is worked off over ticks, and a stop is not kept waiting. */
const PAGES_MAX = 50;
/** What changes costs a transaction each: after so many of them those that something is due of are looked at first. */
const CHANGES_MAX = 200;

/**
 * Looks at every wallet: tells of those that have become low or empty since the last look, and goes on with what is due of them.
 *
 * It looks at the balances as they stand, so that no debit pays for it: who sinks and is filled up between two looks is not told of.
 * Shape: how many wallets were looked at or settled.
 * Safe to: run in several processes at once, and again after a crash; a standing is written with the events that tell of it.
 */
export async function watchStandings(house: House, signal?: AbortSignal): Promise<number> {
  const { lowBalance } = house.settings;
  const moved = await eachPage(
    (after) => findMovedWallets(house.db, { lowBalance, after, limit: WALLETS_MAX }),
    async (wallets) => {
      const { changed, marked } = await lookAtPage(house, wallets);
      return marked + (await settleAll(house, changed, signal));
    },
    signal,
  );
  return moved + (await watchDue(house, signal));
}

/** The same for those alone that have something due, are stopped, or whose runway is to be looked at: soon. */
export async function watchDue(house: House, signal?: AbortSignal): Promise<number> {
  const pastDue = await eachPage(
    (after) => findPastDueWallets(house.db, { after, limit: WALLETS_MAX }),
    (wallets) => settleAll(house, wallets, signal),
    signal,
  );
  const waiting = await eachPage(
    (after) => findWaitingWallets(house.db, { after, limit: WALLETS_MAX }),
    async (wallets) => settleAll(house, await findChanged(house, wallets), signal),
    signal,
  );
  return pastDue + waiting + (await watchRunways(house, signal));
}

/** Who has paid while a page was read is still due, and is in the next one: that is smaller, and sooner written down. */
async function watchRunways(house: House, signal: AbortSignal | undefined): Promise<number> {
  let looked = 0;
  let settled = 0;
  for (let page = 0; page < PAGES_MAX && settled < CHANGES_MAX && signal?.aborted !== true; page += 1) {
    const wallets = await findDueLooks(house.db, house.ports.clock.now(), WALLETS_MAX);
    if (wallets.length === 0) break;
    const { changed, marked } = await lookAtPage(house, wallets);
    const now = await settleAll(house, changed.slice(0, CHANGES_MAX - settled), signal);
    settled += now;
    looked += marked + now;
    // Another process looks at the same ones, or they pay all the time: the next tick finds what is left.
    if (marked + now === 0) break;
  }
  return looked;
}

async function eachPage(
  find: (after: bigint) => Promise<bigint[]>,
  lookAtAll: (wallets: readonly bigint[]) => Promise<number>,
  signal: AbortSignal | undefined,
): Promise<number> {
  let looked = 0;
  let after = 0n;
  for (let page = 0; page < PAGES_MAX && signal?.aborted !== true; page += 1) {
    const wallets = await find(after);
    looked += await lookAtAll(wallets);
    after = wallets.at(-1) ?? after;
    if (wallets.length < WALLETS_MAX) break;
  }
  return looked;
}

async function settleAll(house: House, wallets: readonly bigint[], signal: AbortSignal | undefined): Promise<number> {
  let settled = 0;
  for (const wallet of wallets) {
    if (signal?.aborted === true) break;
    await settleStanding(house, wallet);
    settled += 1;
  }
  return settled;
}

interface Looked {
  /** Whose standing is to be settled: what was seen without a lock is no reason to write, only to look again with it. */
  readonly changed: readonly bigint[];
  /** How many were written down as looked at: what was seen of them changes nothing. */
  readonly marked: number;
}

/** Reads and judges wallets together. */
async function lookAtPage({ db, ports, settings }: House, wallets: readonly bigint[]): Promise<Looked> {
  const now = ports.clock.now();
  const looks = await lookAt(db, wallets, now);
  const isSame = looks.map((look) =>
    changesNothing(look.facts.standing, judge(look, settings, { now, noticeAt: now })),
  );
  const same = looks.filter((_, index) => isSame[index]);
  const marked = await markLooked(
    db,
    same.map((look) => ({
      wallet: look.facts.wallet,
      seq: look.facts.seq,
      lookAtBefore: look.facts.lookAt,
      lookAt: nextLook(look, settings, now),
    })),
  );
  return { changed: looks.filter((_, index) => !isSame[index]).map(({ facts }) => facts.wallet), marked };
}

/** Those of whom a decision made now would change something, their runway aside: thousands that wait are so passed by for one statement. */
async function findChanged({ db, ports, settings }: House, wallets: readonly bigint[]): Promise<bigint[]> {
  const now = ports.clock.now();
  return (await readWalletFacts(db, wallets))
    .filter((facts) => {
      const decision = decideStanding(facts.standing, factsFor(facts, settings), policyOf(settings), {
        now,
        noticeAt: now,
      });
      return !changesNothing(facts.standing, decision);
    })
    .map(({ wallet }) => wallet);
}
