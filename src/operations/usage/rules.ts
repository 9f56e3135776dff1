import type { Ladder, Streak } from '../../domain/discount/ladder.ts';
import type { Price } from '../../domain/usage/price.ts';
import type { ModelPrice } from '../../domain/usage/model-price.ts';
import type { Tx } from '../../store/db.ts';
import { listLadders, readStreaks } from '../../store/ladder.ts';
import { ensureSystemAccount } from '../../store/ledger.ts';
import { listModelPricesFor } from '../../store/model-price.ts';
import { listPricesFor } from '../../store/price.ts';
import { findChargedWallets, findSystemAccounts, type ChargedWallet } from '../../store/usage.ts';

/** Everything that charging some records needs to know, read once for all of them. */
export interface Rules {
  readonly prices: readonly Price[];
  /** Of the models whose tokens are to be priced. */
  readonly modelPrices: readonly ModelPrice[];
  readonly ladders: readonly Ladder[];
  readonly wallets: ReadonlyMap<string, ChargedWallet>;
  /** By wallet and category, see {@link streakKey}. */
  readonly streaks: ReadonlyMap<string, Streak>;
}

export const streakKey = (wallet: bigint, category: string): string => `${wallet}/${category}`;

export async function readRules(
  tx: Tx,
  about: {
    readonly userSids: readonly string[];
    readonly categories: readonly string[];
    /** Models whose tokens the table prices; mostly none, and then it is not asked. */
    readonly models: readonly string[];
  },
): Promise<Rules> {
  const [wallets, prices, ladders, modelPrices] = await Promise.all([
    findChargedWallets(tx, about.userSids),
    listPricesFor(tx, about.categories),
    listLadders(tx, about.categories),
    about.models.length === 0 ? [] : listModelPricesFor(tx, about.models),
  ]);
  const hasLadder = ladders.length > 0 && wallets.length > 0;
  const streaks = hasLadder
    ? await readStreaks(
        tx,
        wallets.map(({ wallet }) => wallet),
      )
    : [];
  return {
    prices,
    modelPrices,
    ladders,
    wallets: new Map(wallets.map((wallet) => [wallet.userSid, wallet])),
    streaks: new Map(streaks.map((streak) => [streakKey(streak.wallet, streak.category), streak])),
  };
}

/** The ids of system accounts by code, opened where they are new. */
export async function systemAccounts(tx: Tx, codes: readonly string[], currency: string): Promise<Map<string, bigint>> {
  const found = await findSystemAccounts(tx, codes, currency);
  for (const code of codes) {
    if (!found.has(code)) found.set(code, await ensureSystemAccount(tx, code, currency));
  }
  return found;
}
