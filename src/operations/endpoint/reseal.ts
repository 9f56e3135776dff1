import { isSealedWith, sealKeyId } from '../../domain/seal.ts';
import type { Tx } from '../../store/db.ts';
import { findOldSeals, lockEndpoint, updateEndpoint } from '../../store/endpoint.ts';
import type { House } from '../house.ts';
import { openSecret, sealSecret } from './secret.ts';

const ENDPOINTS_MAX = 100;

/**
 * Seals anew what the encryption key before the present one sealed, so that it can be taken out of the configuration.
 *
 * Shape: how many endpoints were changed. Safe to: run again, in several processes.
 * A secret that no key opens is left as it is, and the log says so: its endpoint needs a new secret.
 */
export async function resealSecrets(house: House): Promise<number> {
  const [key] = house.settings.encryptionKeys;
  if (key === undefined) return 0;
  const found = await findOldSeals(house.db, `v1.${sealKeyId(key)}.`, ENDPOINTS_MAX);
  let changed = 0;
  for (const { sid } of found) {
    if (await house.db.transaction('endpoint.reseal', (tx) => resealOne(tx, house, sid, key))) changed += 1;
    else house.ports.log.warn({ endpoint_sid: sid }, 'no encryption key opens the secret of an endpoint: rotate it');
  }
  return changed;
}

async function resealOne(tx: Tx, house: House, sid: string, key: string): Promise<boolean> {
  const row = await lockEndpoint(tx, sid);
  if (!row || row.state === 'removed') return true;
  const again = (sealed: string): string | null => {
    if (isSealedWith(key, sealed)) return sealed;
    const text = openSecret(house, sid, sealed);
    return text === null ? null : sealSecret(house, sid, text);
  };
  const secret = again(row.secret);
  const previousSecret = row.previousSecret === null ? null : again(row.previousSecret);
  const isLost = secret === null || (row.previousSecret !== null && previousSecret === null);
  if (isLost) return false;
  await updateEndpoint(tx, { ...row, secret, previousSecret });
  return true;
}
