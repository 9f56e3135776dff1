import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import { readWalletByUser } from '../../store/wallet.ts';
import type { Call } from '../operation.ts';
import { ownRowsOf, visibleWallet } from '../visible.ts';

/** The wallet whose rows are listed; `id` is null for all of them, which only an operator may ask for. */
export async function listedWallet(
  call: Call,
  walletSid: string | undefined,
): Promise<{ readonly id: bigint | null } | Refusal> {
  const { actor, house } = call;
  if (walletSid !== undefined) {
    const wallet = await visibleWallet(house.db, actor, walletSid);
    return isRefusal(wallet) ? wallet : { id: wallet.id };
  }
  const userSid = ownRowsOf(actor);
  if (userSid === null) return { id: null };
  const own = await readWalletByUser(house.db, userSid);
  return own ? { id: own.id } : refuse('not_found', 'You have no wallet.');
}
