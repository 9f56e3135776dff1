import { assert } from '../../domain/assert.ts';
import type { Ports } from '../../ports/ports.ts';
import type { Tx } from '../../store/db.ts';
import { deleteIdentity, insertIdentity, type IdentityRow } from '../../store/identity.ts';
import { insertUser, readUser, type UserRow } from '../../store/user.ts';
import { insertWallet, readWalletByUser, type WalletRow } from '../../store/wallet.ts';

export interface NewUser {
  readonly displayName: string;
  readonly identities: readonly Pick<IdentityRow, 'kind' | 'issuer' | 'subject' | 'label'>[];
}

/** Adds a user with an empty USD wallet; null, and nothing is written, when another user already has one of the identities. */
export async function openUserWithWallet(
  tx: Tx,
  ports: Ports,
  asked: NewUser,
): Promise<{ user: UserRow; wallet: WalletRow } | null> {
  const createdAt = ports.clock.now();
  const sid = ports.ids.sid();
  if (!(await takeIdentities(tx, ports, asked.identities, { userSid: sid, linkedAt: createdAt }))) return null;
  await insertUser(tx, { sid, displayName: asked.displayName, createdAt });
  await insertWallet(tx, { sid: ports.ids.sid(), userSid: sid, currency: 'USD', createdAt });
  const [user, wallet] = [await readUser(tx, sid), await readWalletByUser(tx, sid)];
  assert(user !== null && wallet !== null, 'the user and the wallet were just added');
  return { user, wallet };
}

/** All of them or none. */
async function takeIdentities(
  tx: Tx,
  ports: Ports,
  wanted: NewUser['identities'],
  owner: Pick<IdentityRow, 'userSid' | 'linkedAt'>,
): Promise<boolean> {
  const taken: string[] = [];
  for (const { kind, issuer, subject, label } of wanted) {
    const row = { kind, issuer, subject, label, ...owner, sid: ports.ids.sid(), claimedRole: null, lastUsedAt: null };
    if (!(await insertIdentity(tx, row))) {
      for (const sid of taken) await deleteIdentity(tx, sid);
      return false;
    }
    taken.push(row.sid);
  }
  return true;
}
