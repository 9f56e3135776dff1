import { refuse, type Refusal } from '../domain/refusal.ts';
import type { Tx } from '../store/db.ts';
import { readWalletBySid, type WalletRow } from '../store/wallet.ts';
import type { Actor } from './operation.ts';

/** Whether an actor reaches, by the operation that runs, what belongs to a user or an organisation. */
export const maySee = (actor: Actor, ownerSid: string): boolean =>
  actor.kind === 'operator' ||
  actor.kind === 'system' ||
  (actor.kind === 'user' && (actor.userSid === ownerSid || actor.memberships?.has(ownerSid) === true));

/** The user whose rows alone an actor may list; null for an operator, who sees all. */
export const ownRowsOf = (actor: Actor): string | null => (actor.kind === 'user' ? actor.userSid : null);

/** A wallet the actor may see. What is not theirs answers exactly as what is not there. */
export async function visibleWallet(tx: Tx, actor: Actor, sid: string): Promise<WalletRow | Refusal> {
  const wallet = await readWalletBySid(tx, sid);
  return wallet && maySee(actor, wallet.userSid) ? wallet : refuse('not_found', 'There is no wallet with this sid.');
}
