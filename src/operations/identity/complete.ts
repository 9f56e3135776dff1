import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import type { IdentityRow } from '../../store/identity.ts';
import { revokeSessionsOf } from '../../store/session.ts';
import type { Author } from '../audit/record.ts';
import type { House } from '../house.ts';
import { openSession, type Caller, type SignedIn } from '../session/open.ts';
import { admit, findProven, link } from './admit.ts';
import type { Proof } from './proof.ts';

/**
 * What a proof was asked for: to come in · to add an identity to the account of the one who is signed in · to show once more, with an identity
 * of that account, who they are.
 */
export type Purpose =
  | { readonly kind: 'sign_in' }
  | { readonly kind: 'link' | 'prove'; readonly userSid: string; readonly sessionSid: string };

/**
 * Ends every way to sign in: the proof holds; gives the session that follows from it. Always a new one, and the one before is over.
 *
 * Refuses forbidden (account closed; proof of another account's identity) and state_conflict (identity of another account).
 */
export async function complete(
  house: House,
  asked: { readonly proof: Proof; readonly purpose: Purpose; readonly caller: Caller; readonly author: Author },
): Promise<SignedIn | Refusal> {
  const { proof, purpose, caller } = asked;
  const author = { ...asked.author, house };
  return house.db.transaction('identity.complete', async (tx) => {
    const identity = await identityFor(tx, author, purpose, proof);
    if (isRefusal(identity)) return identity;
    const { userSid, sid: identitySid } = identity;
    if (purpose.kind !== 'sign_in')
      await revokeSessionsOf(tx, userSid, { only: purpose.sessionSid }, house.ports.clock.now());
    return openSession(tx, house, { userSid, identitySid, secretId: null }, caller);
  });
}

async function identityFor(
  tx: Tx,
  author: Author & { readonly house: House },
  purpose: Purpose,
  proof: Proof,
): Promise<IdentityRow | Refusal> {
  if (purpose.kind === 'link') return link(tx, author, purpose.userSid, proof);
  if (purpose.kind === 'prove' && (await findProven(tx, proof))?.userSid !== purpose.userSid)
    return refuse('forbidden', 'That is no identity of this account. Show who you are with one that is.');
  return admit(tx, author, proof);
}
