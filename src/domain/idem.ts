import { hash } from 'node:crypto';

/**
 * The identity of a posting: a UUID made of what the operation is about, never of chance, so that a repetition finds the first.
 *
 * Each part is written with its length before it, so that ("ab","c") and ("a","bc") differ. The last hex digit is 0: the ledger
 * keeps the number of the leg there.
 */
export function deriveIdem(...parts: readonly string[]): string {
  return `${uuidOf(parts).slice(0, -1)}0`;
}

/** What a request said, as a UUID: the same key with another fingerprint is another request. */
export function fingerprintOf(value: unknown): string {
  return uuidOf([canonicalJson(value)]);
}

/** JSON text with sorted keys and no white space: equal for requests that differ only in key order and layout. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined);
    fields.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

function uuidOf(parts: readonly string[]): string {
  const hex = hash('sha256', parts.map((part) => `${Buffer.byteLength(part)}:${part}`).join(''), 'hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
