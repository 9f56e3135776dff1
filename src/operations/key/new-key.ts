import { KEY_ID_BYTES, newKey, SECRET_BYTES, type KeyKind, type StoredKey } from '../../domain/key/form.ts';
import type { House } from '../house.ts';

/** A new key: told once as `text`; of the secret only the hash is kept. */
export function makeKey({ ports }: Pick<House, 'ports'>, kind: KeyKind): StoredKey & { readonly text: string } {
  const { random } = ports;
  return newKey(kind, { id: random.bytes(KEY_ID_BYTES), secret: random.bytes(SECRET_BYTES) });
}
