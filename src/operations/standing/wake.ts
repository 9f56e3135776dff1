import type { Tx } from '../../store/db.ts';
import { waitsForMoney } from '../../store/standing.ts';
import type { House } from '../house.ts';

/** Money has come in: a wallet that something is due of, or whose VMs are stopped, is looked at right after the commit, not at the next tick. */
export async function wakeStanding(
  tx: Tx,
  { jobs }: Pick<House, 'jobs'>,
  { wallet, walletSid }: { readonly wallet: bigint; readonly walletSid: string },
): Promise<void> {
  if (await waitsForMoney(tx, wallet)) await jobs.enqueue(tx, 'standing.watch', { sid: walletSid });
}
