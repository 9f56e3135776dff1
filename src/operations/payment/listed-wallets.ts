import { isRefusal, type Refusal } from '../../domain/refusal.ts';
import { listWalletIdsOf } from '../../store/wallet.ts';
import type { Call } from '../operation.ts';
import { ownRowsOf, visibleWallet } from '../visible.ts';

/** The wallets whose rows are listed: the one that is named, or all that the caller reaches; null for all of them, which only operators do. */
export async function listedWallets(
  { actor, house }: Call,
  walletSid: string | undefined,
): Promise<readonly bigint[] | null | Refusal> {
  if (walletSid !== undefined) {
    const wallet = await visibleWallet(house.db, actor, walletSid);
    return isRefusal(wallet) ? wallet : [wallet.id];
  }
  const owners = ownRowsOf(actor);
  return owners && (await listWalletIdsOf(house.db, owners));
}
