import { createHmac } from 'node:crypto';

type Json = Readonly<Record<string, unknown>>;

/** As ClickPesa's documentation writes it: sort the keys at every level, `JSON.stringify`, HMAC-SHA256. */
export const canonicalChecksum = (key: string, payload: object): string =>
  mac(key, JSON.stringify(sorted(withoutChecksum(payload))));

/** As it was before 2026: the values of the sorted keys, joined by nothing. */
export function legacyChecksum(key: string, payload: object): string {
  const plain = withoutChecksum(payload);
  const values = Object.keys(plain)
    .toSorted()
    .map((name) => (typeof plain[name] === 'string' ? plain[name] : JSON.stringify(plain[name])));
  return mac(key, values.join(''));
}

const mac = (key: string, text: string): string => createHmac('sha256', key).update(text, 'utf8').digest('hex');

function withoutChecksum(payload: object): Json {
  const { checksum: _checksum, checksumMethod: _method, ...plain } = payload as Record<string, unknown>;
  return plain;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const object = value as Json;
  return Object.fromEntries(
    Object.keys(object)
      .toSorted()
      .map((key) => [key, sorted(object[key])]),
  );
}
