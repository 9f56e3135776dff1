import { createHash } from 'node:crypto';
import { assert } from '../../domain/assert.ts';
import type { Tx } from '../../store/db.ts';
import { insertSession, readLiveSession, revokeSession } from '../../store/session.ts';
import { readUserByForgeId } from '../../store/user.ts';
import { readWalletByUser } from '../../store/wallet.ts';
import type { House } from '../house.ts';
import type { Actor } from '../operation.ts';
import { openUserWithWallet } from '../user/open-wallet.ts';

/** What a new session is told, once: only the hash of the token is kept. */
export interface SignedIn {
  readonly token: string;
  readonly role: 'user' | 'operator';
  readonly userSid: string | null;
  readonly walletSid: string | null;
  readonly expiresAt: Date;
}

/**
 * Lets anybody in by a name they choose. For the sandbox only, where the money is play money; the caller checks the mode.
 *
 * The same name is the same user. An operator of the sandbox needs no wallet.
 */
export async function signInSandbox(
  house: House,
  asked: { readonly name: string; readonly role: 'user' | 'operator'; readonly address: string | null },
): Promise<SignedIn> {
  const { address } = asked;
  if (asked.role === 'operator')
    return openSession(house, { role: 'operator', userSid: null, walletSid: null, address });
  return house.db.transaction('session.sign_in', async (tx) => {
    const forgeId = `sandbox:${asked.name.trim().toLowerCase()}`;
    const isNew = (await readUserByForgeId(tx, forgeId)) === null;
    if (isNew) {
      await openUserWithWallet(tx, house.ports, { displayName: asked.name.trim(), forgeId, myceliumAddress: null });
    }
    const user = await readUserByForgeId(tx, forgeId);
    assert(user !== null, 'the user is there or was just added, here or by whoever was faster');
    const wallet = await readWalletByUser(tx, user.sid);
    const who = { role: 'user', userSid: user.sid, walletSid: wallet?.sid ?? null, address } as const;
    return openSession(house, who, tx);
  });
}

/** A session for somebody who has shown the admin secret; the caller has checked it. */
export function signInAdmin(house: House, address: string | null): Promise<SignedIn> {
  return openSession(house, { role: 'operator', userSid: null, walletSid: null, address });
}

/** Whose session a token is; null when it is nobody's any more. */
export async function readSession(house: House, token: string): Promise<Actor | null> {
  const session = await readLiveSession(house.db, hashOf(token), house.ports.clock.now());
  if (!session) return null;
  if (session.role === 'operator') return { kind: 'operator', id: 'admin:session' };
  assert(session.userSid !== null, 'session__user_has_a_sid');
  return { kind: 'user', id: `user:${session.userSid}`, userSid: session.userSid };
}

/** Safe to call twice, and with a token that never was. */
export async function signOut(house: House, token: string): Promise<void> {
  await revokeSession(house.db, hashOf(token), house.ports.clock.now());
}

async function openSession(
  house: House,
  { address, ...who }: Pick<SignedIn, 'role' | 'userSid' | 'walletSid'> & { readonly address: string | null },
  tx: Tx = house.db,
): Promise<SignedIn> {
  const { clock, random } = house.ports;
  const token = Buffer.from(random.bytes(32)).toString('base64url');
  const createdAt = clock.now();
  const expiresAt = new Date(createdAt.getTime() + house.settings.sessionHours * 3_600_000);
  const { userSid, role } = who;
  await insertSession(tx, { tokenHash: hashOf(token), userSid, role, createdAt, expiresAt, address });
  return { ...who, token, expiresAt };
}

const hashOf = (token: string): Uint8Array => createHash('sha256').update(token).digest();
