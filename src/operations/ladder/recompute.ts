import { lastWallet, listLadders, provedStreaks, widenStreaks } from '../../store/ladder.ts';
import { ladderFor, type Ladder } from '../../domain/discount/ladder.ts';
import type { House } from '../house.ts';

/** Wallets whose entries are read by one statement. */
const WALLETS_PER_STEP = 500n;

/**
 * Proves the runs of use from the ledger's entries, and mends those that the summary has too short: after a crash between a charge and
 * its run, or a restore.
 *
 * Shape: how many wallets were looked at and how many runs were mended. Safe to: run twice, concurrently, after a crash; it only widens.
 */
export async function recomputeLadders(house: House): Promise<{ readonly wallets: number; readonly mended: number }> {
  const { db, ports } = house;
  const all = await listLadders(db, null);
  const now = ports.clock.now();
  const present = [...new Set(all.map(({ category }) => category))]
    .map((category) => ladderFor(all, category, now))
    .filter((ladder): ladder is Ladder => ladder !== null);
  const last = await lastWallet(db);
  let mended = 0;
  for (let from = 1n; from <= last && present.length > 0; from += WALLETS_PER_STEP) {
    const streaks = await provedStreaks(db, { from, until: from + WALLETS_PER_STEP }, present);
    for (const ladder of present) {
      const own = streaks.filter(({ category }) => category === ladder.category);
      await widenStreaks(db, own, ladder);
    }
    mended += streaks.length;
  }
  if (mended > 0) ports.log.info({ wallets: last, mended }, 'runs of use were mended from the ledger');
  return { wallets: Number(last), mended };
}
