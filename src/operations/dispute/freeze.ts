import type { Tx } from '../../store/db.ts';
import { isFrozenByAnother, type DisputeRow } from '../../store/dispute.ts';
import { setFrozen } from '../../store/wallet.ts';
import type { House } from '../house.ts';

/**
 * Freezes the wallet of a dispute whose money is withheld, where the policy says so, and thaws it when the last such dispute is won.
 * A lost one keeps it frozen: whether somebody whose bank took money back may go on spending is for an operator to say.
 *
 * The caller holds the lock of the wallet's account.
 * Shape: whether the wallet is frozen because of this dispute. One that an operator has frozen is never thawed here, and one that an
 * operator has thawed is frozen again only by another dispute, or by this one when it is opened anew.
 */
export async function followFreeze(
  tx: Tx,
  house: House,
  dispute: Pick<DisputeRow, 'sid' | 'wallet' | 'state' | 'freezesWallet'>,
  opening: { readonly isNewlyTaken: boolean; readonly wasWalletFrozen: boolean },
): Promise<boolean> {
  const { sid, wallet, state, freezesWallet } = dispute;
  const isByAnother = () => isFrozenByAnother(tx, wallet, sid);
  if (state === 'open' || state === 'lost') {
    if (!opening.isNewlyTaken || house.settings.disputeFreeze !== 'wallet') return freezesWallet;
    if (opening.wasWalletFrozen) return freezesWallet || (await isByAnother());
    return await setFrozen(tx, wallet, true);
  }
  if (freezesWallet && !(await isByAnother())) await setFrozen(tx, wallet, false);
  return false;
}
