import { createHash } from 'node:crypto';

/**
 * A reference sid is a sid of which the first 18 characters tell the rest: 48 bits of time, 40 random ones, and eight characters that
 * are a digest of those.
 *
 * A provider whose references hold at most 20 characters cannot be given 26. From what it is given the whole sid is made again, so
 * that its lists and events lead to our rows without a table between the two.
 */
export const REFERENCE_HEAD_LENGTH = 18;

/** Crockford's base 32: digits and capitals without I, L, O and U. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TAIL_LENGTH = 8;

/** The whole sid that begins so. Any head has one; whether we ever gave it out is for the store to say. */
export function sidOfHead(head: string): string {
  const [...bytes] = createHash('sha256').update(head).digest().subarray(0, TAIL_LENGTH);
  return head + bytes.map((byte) => ALPHABET.charAt(byte % ALPHABET.length)).join('');
}

export const headOf = (sid: string): string => sid.slice(0, REFERENCE_HEAD_LENGTH);

/** Whether the sid was made so that its head tells it. */
export const isReferenceSid = (sid: string): boolean => sidOfHead(headOf(sid)) === sid;
