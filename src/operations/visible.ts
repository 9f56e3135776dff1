import { isRefusal, refuse, type Refusal } from '../domain/refusal.ts';
import type { Tx } from '../store/db.ts';
import { readWalletBySid, type WalletRow } from '../store/wallet.ts';
import type { Actor } from './operation.ts';
import { sidField } from './schema.ts';

/** Whether an actor reaches, by the operation that runs, what belongs to a user or an organisation. */
export const maySee = (actor: Actor, ownerSid: string): boolean =>
  actor.kind === 'operator' ||
  actor.kind === 'system' ||
  (actor.kind === 'user' && (actor.userSid === ownerSid || actor.memberships?.has(ownerSid) === true));

/** Whether a person is the actor themself, or the actor may act for them. What members share of an organisation is no person's own. */
export const actsFor = (actor: Actor, userSid: string): boolean =>
  actor.kind === 'user' ? actor.userSid === userSid : maySee(actor, userSid);

/** Whose rows alone an actor may list: their own and their organisations'; null for an operator, who sees all. */
export const ownRowsOf = (actor: Actor): readonly string[] | null =>
  actor.kind === 'user' ? [actor.userSid, ...(actor.memberships?.keys() ?? [])] : null;

export const ownerField = sidField
  .optional()
  .describe("Only what belongs to this wallet's owner; when left out, all that the caller reaches.");

/** Whose rows are listed: of the wallet that is named, or of all that the actor reaches. Refuses not_found for a wallet that they do not. */
export async function ownersListed(
  tx: Tx,
  actor: Actor,
  walletSid: string | undefined,
): Promise<readonly string[] | null | Refusal> {
  if (walletSid === undefined) return ownRowsOf(actor);
  const wallet = await visibleWallet(tx, actor, walletSid);
  return isRefusal(wallet) ? wallet : [wallet.userSid];
}

/** A wallet the actor may see. What is not theirs answers exactly as what is not there. */
export async function visibleWallet(tx: Tx, actor: Actor, sid: string): Promise<WalletRow | Refusal> {
  const wallet = await readWalletBySid(tx, sid);
  return wallet && maySee(actor, wallet.userSid) ? wallet : refuse('not_found', 'There is no wallet with this sid.');
}
