import { readWalletBySid } from '../../store/wallet.ts';
import type { House } from '../house.ts';
import { renewWallet } from '../subscription/renew.ts';
import { settleStanding } from './settle.ts';

/**
 * What money that has come into a wallet brings at once: a period that was due is paid, the wallet is in order again, its VMs are started.
 *
 * Safe to: run at any time and twice; the ticks do the same, a little later.
 */
export async function followMoney(house: House, walletSid: string): Promise<void> {
  const wallet = await readWalletBySid(house.db, walletSid);
  if (wallet === null) return;
  await renewWallet(house, wallet.id);
  await settleStanding(house, wallet.id);
}
