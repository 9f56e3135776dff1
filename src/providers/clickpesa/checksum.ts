import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** `legacy` is what ClickPesa documented before 2026. Two different payloads can have the same legacy text, so it proves little. */
export type ChecksumMethod = 'canonical' | 'legacy';

export type Payload = Readonly<Record<string, unknown>>;

/** Not part of what they protect. */
const OUTSIDE: ReadonlySet<string> = new Set(['checksum', 'checksumMethod']);
/** ClickPesa's payloads are three levels deep; a deeper one is an attempt to exhaust the stack. */
const DEPTH_MAX = 20;

/** HMAC-SHA256 in lower-case hex. Throws RangeError for a payload that is nested too deeply. */
export function checksumOf(method: ChecksumMethod, key: string, payload: Payload): string {
  const text = method === 'canonical' ? canonicalText(payload) : legacyText(payload);
  return createHmac('sha256', key).update(text).digest('hex');
}

/** Compact JSON as JavaScript writes it, with the keys of every object sorted; arrays keep their order. */
export const canonicalText = (payload: Payload): string => canonical(protectedPart(payload), 0);

/** The values of the sorted top-level keys, one after the other. */
export const legacyText = (payload: Payload): string =>
  Object.entries(protectedPart(payload))
    .toSorted(byKey)
    .map(([, value]) => (typeof value === 'string' ? value : JSON.stringify(value)))
    .join('');

const protectedPart = (payload: Payload): Payload =>
  Object.fromEntries(Object.entries(payload).filter(([key, value]) => !OUTSIDE.has(key) && value !== undefined));

function canonical(value: unknown, depth: number): string {
  if (depth > DEPTH_MAX) throw new RangeError('the payload is nested too deeply');
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, depth + 1)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .toSorted(byKey)
    .map(([key, field]) => `${JSON.stringify(key)}:${canonical(field, depth + 1)}`);
  return `{${fields.join(',')}}`;
}

/** By code unit, as JavaScript's own sort does. */
const byKey = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number =>
  one < other ? -1 : one > other ? 1 : 0;

/** Hashed first: `timingSafeEqual` throws on different lengths, and the hashes have one length. */
export function isSameChecksum(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
