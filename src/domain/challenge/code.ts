import { createHash } from 'node:crypto';

/** Crockford's base 32: no letter that is taken for a digit. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** 60 bits: five guesses at it are nothing, and neither is a search of the stored hash within its five minutes. */
const CODE_LETTERS = 12;
/** Random bytes that a challenge takes: a letter each for the code, two for the number. */
export const CHALLENGE_BYTES = CODE_LETTERS + 2;

export interface Secrets {
  /** What the node is sent: `K7QM-2F9D-XW3T`. */
  readonly code: string;
  /** What only the one who signs in is shown: four digits. A reply that lacks it was not made by them. */
  readonly number: string;
}

/** The two halves of a challenge from random bytes. */
export function secretsOf(bytes: Uint8Array): Secrets {
  const letters = Array.from(bytes.subarray(0, CODE_LETTERS), (byte) => ALPHABET.charAt(byte % ALPHABET.length));
  const [high = 0, low = 0] = bytes.subarray(CODE_LETTERS);
  // 65,536 is no multiple of 10,000: some numbers are a little likelier, which helps nobody who has one try.
  const number = String((high * 256 + low) % 10_000).padStart(4, '0');
  return { code: letters.join('').replaceAll(/(.{4})(?=.)/g, '$1-'), number };
}

/** A code as people type and copy it: without the dashes, in small letters, O for 0. Null: it cannot be one. */
export function readCode(given: string): string | null {
  const letters = given.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1');
  return letters.length === CODE_LETTERS && [...letters].every((letter) => ALPHABET.includes(letter)) ? letters : null;
}

/** The code and, after it, the number: what a node replies. Null: it is something else, such as our own message sent back. */
export function readReply(given: string): Secrets | null {
  const [, first = '', number = ''] = /^(.+)[\s,;+]+(\d{4})$/.exec(given.slice(0, REPLY_LETTERS_MAX).trim()) ?? [];
  const code = readCode(first);
  return code === null ? null : { code, number };
}

const REPLY_LETTERS_MAX = 100;

/** What is stored instead of the code. The challenge's own sid is in it, so that equal codes have unequal hashes. */
export const codeHash = (challengeSid: string, code: string): Uint8Array =>
  createHash('sha256')
    .update(`challenge ${challengeSid} ${readCode(code) ?? ''}`)
    .digest();
