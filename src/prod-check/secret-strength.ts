/** 32 bytes as base64 are 43 characters without padding, as hexadecimal digits 64. */
const BASE64_LENGTH_MIN = 43;
const HEX_LENGTH_MIN = 64;
/** 32 random bytes show at least this many different characters but once in a million times. */
const DIFFERENT_MIN = 10;

/** Whether a text can hold 32 random bytes. A guess from its shape: what it cannot see is where it came from. */
export function isStrong(secret: string): boolean {
  const lengthMin = /^[0-9a-f]+$/i.test(secret) ? HEX_LENGTH_MIN : BASE64_LENGTH_MIN;
  return secret.length >= lengthMin && new Set(secret).size >= DIFFERENT_MIN && !repeatsItself(secret);
}

/** `abcdabcdabcd…`: long, and yet as easy to guess as its beginning. */
function repeatsItself(secret: string): boolean {
  return (secret + secret).indexOf(secret, 1) < secret.length;
}

const EXAMPLES =
  /change-?me|example|secret|password|letmein|admin|default|placeholder|0123456789|abcdefgh|qwerty|hunter2/i;

/** Whether it looks copied from a document. */
export const isExample = (secret: string | null): boolean => secret !== null && EXAMPLES.test(secret);
