import { assert } from '../../domain/assert.ts';
import type { Ports } from '../../ports/ports.ts';
import type { Tx } from '../../store/db.ts';
import { insertUser, type UserRow } from '../../store/user.ts';
import { insertWallet, readWalletByUser, type WalletRow } from '../../store/wallet.ts';

export type NewUser = Pick<UserRow, 'displayName' | 'forgeId' | 'myceliumAddress'>;

/** Adds a user with an empty USD wallet; null when another user already has one of the identities. */
export async function openUserWithWallet(
  tx: Tx,
  ports: Ports,
  asked: NewUser,
): Promise<{ user: UserRow; wallet: WalletRow } | null> {
  const createdAt = ports.clock.now();
  const user = { ...asked, sid: ports.ids.sid(), email: null, language: 'en', createdAt } as const;
  if (!(await insertUser(tx, user))) return null;
  await insertWallet(tx, { sid: ports.ids.sid(), userSid: user.sid, currency: 'USD', createdAt });
  const wallet = await readWalletByUser(tx, user.sid);
  assert(wallet !== null, 'the wallet was just opened');
  return { user, wallet };
}
