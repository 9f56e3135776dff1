import { levelOf, newsOf } from '../../domain/event/level.ts';
import { formatDecimal, micros } from '../../domain/money.ts';
import type { Tx } from '../../store/db.ts';
import { findMovedWallets, lockLevel, setLevel, type MovedWallet } from '../../store/wallet-level.ts';
import type { House } from '../house.ts';
import { emit } from './emit.ts';

const WALLETS_MAX = 200;
const ROUNDS_MAX = 50;

/**
 * Tells of wallets that have become low or empty since the last look.
 *
 * It looks at the balances as they stand, so that no debit pays for it: who sinks and is filled up between two looks is not told of.
 * Shape: how many wallets were at another level.
 * Safe to: run in several processes at once, and again after a crash; a level is written with the event that tells of it.
 */
export async function watchBalances(house: House): Promise<number> {
  const { lowBalance } = house.settings;
  let moved = 0;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const wallets = await findMovedWallets(house.db, { lowBalance, limit: WALLETS_MAX });
    for (const wallet of wallets) {
      await house.db.transaction('wallet_level.tell', (tx) => tell(tx, house, wallet));
    }
    moved += wallets.length;
    if (wallets.length < WALLETS_MAX) break;
  }
  return moved;
}

async function tell(tx: Tx, house: House, wallet: MovedWallet): Promise<void> {
  const now = house.ports.clock.now();
  const { lowBalance } = house.settings;
  const before = await lockLevel(tx, wallet.wallet, now);
  const after = levelOf({ held: wallet.balance + wallet.reserved, lowBalance });
  if (before === after) return;
  await setLevel(tx, wallet.wallet, after, now);
  const news = newsOf(before, after);
  for (const type of news) {
    await emit(tx, house, {
      type,
      of: wallet,
      isMailed: type === news.at(-1),
      facts: {
        balance: formatDecimal(wallet.balance),
        reserved: formatDecimal(wallet.reserved),
        limit: formatDecimal(micros(lowBalance)),
        currency: 'USD',
      },
    });
  }
}
