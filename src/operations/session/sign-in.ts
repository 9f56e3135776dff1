import type { OperatorRole } from '../../domain/identity/role.ts';
import { assert } from '../../domain/assert.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { grantRole } from '../../store/operator-role.ts';
import { ownAuthor, recordAudit } from '../audit/record.ts';
import type { House } from '../house.ts';
import { admit } from '../identity/admit.ts';
import { openSession, type Caller, type SignedIn } from './open.ts';

/**
 * Lets anybody in by a name they choose. For the sandbox only, where the money is play money; the caller checks the mode.
 *
 * The same name is the same user. `operator`: an admin without a name; another role is given to whoever has the name.
 */
export async function signInSandbox(
  house: House,
  asked: { readonly name: string; readonly role: 'user' | 'operator' | OperatorRole },
  caller: Caller,
): Promise<SignedIn> {
  const { role } = asked;
  if (role === 'operator')
    return signInAdmin(house, { secretId: 'sandbox', requestId: house.ports.ids.requestId() }, caller);
  const name = asked.name.trim();
  const proof = {
    kind: 'sandbox',
    issuer: 'sandbox',
    subject: name.toLowerCase(),
    label: name,
    displayName: name,
    claimedRole: null,
  } as const;
  return house.db.transaction('session.sign_in', async (tx) => {
    const author = { ...ownAuthor(house, 'sign-in'), house };
    const identity = await admit(tx, author, proof);
    assert(!isRefusal(identity), 'nobody bars people from the sandbox');
    const { userSid, sid: identitySid } = identity;
    if (role !== 'user')
      await grantRole(tx, { userSid, role, grantedBy: author.actor.id, grantedAt: house.ports.clock.now() });
    return openSession(tx, house, { userSid, identitySid, secretId: null }, caller);
  });
}

/** A session for somebody who has shown the admin secret of this id; the caller has checked it. */
export function signInAdmin(
  house: House,
  { secretId, requestId }: { readonly secretId: string; readonly requestId: string },
  caller: Caller,
): Promise<SignedIn> {
  return house.db.transaction('session.sign_in', async (tx) => {
    const session = await openSession(tx, house, { userSid: null, identitySid: null, secretId }, caller);
    await recordAudit(
      tx,
      { house, actor: { id: `admin:${secretId}` }, requestId },
      {
        action: 'admin-secret.sign-in',
        subject: secretId,
        after: { session_sid: session.sid, address: caller.address },
      },
    );
    return session;
  });
}
