import { assert } from '../../domain/assert.ts';
import type { Tx } from '../../store/db.ts';
import type { KeyRow } from '../../store/key.ts';
import { readWalletByUser } from '../../store/wallet.ts';
import { emit } from '../event/emit.ts';
import type { House } from '../house.ts';

/** Whoever did not do it themselves should hear of it before the key is used. */
export async function tellOwner(
  tx: Tx,
  house: Pick<House, 'ports'>,
  type: 'key.created' | 'key.rotated',
  key: KeyRow,
): Promise<void> {
  const wallet = await readWalletByUser(tx, key.ownerSid);
  assert(wallet !== null, 'who owns keys has a wallet');
  const of = { wallet: wallet.id, walletSid: wallet.sid, userSid: key.ownerSid };
  const facts = { key_sid: key.sid, key_id: key.keyId, name: key.name, scopes: key.scopes.join(', ') };
  await emit(tx, house, { type, of, facts });
}
