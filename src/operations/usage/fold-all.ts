import { foldUsage, listUnfolded } from '../../store/usage-day.ts';
import type { House } from '../house.ts';

const WALLETS_PER_STEP = 500;

/** Folds every wallet's usage into its days. Safe to: run concurrently, and again after a crash. */
export async function foldAll(house: House): Promise<void> {
  const { db } = house;
  let after = 0n;
  for (;;) {
    const wallets = await listUnfolded(db, after, WALLETS_PER_STEP);
    for (const wallet of wallets) {
      while (await db.transaction('usage.fold', (tx) => foldUsage(tx, wallet)));
      after = wallet;
    }
    if (wallets.length < WALLETS_PER_STEP) return;
  }
}
