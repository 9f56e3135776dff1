/** How many letters and digits a code has. Shorter ones are guessed, longer ones are not typed. */
export const CODE_LETTERS_MIN = 6;
export const CODE_LETTERS_MAX = 32;
/** What is typed may have spaces and hyphens between; what is longer was not typed. */
export const CODE_TYPED_MAX = 100;

export interface CodeForm {
  /** As it is shown and printed: `WELCOME-2026`. */
  readonly word: string;
  /** As it is compared: without what stands between, and with a letter that looks like a digit as that digit. */
  readonly letters: string;
}

/**
 * What somebody has typed, as a code. Null: no code can look like this.
 *
 * Upper or lower case, wide letters, spaces, hyphens, dots and underscores make no difference, and neither do O for 0, and I or L for 1:
 * a code is read from paper, and typed on a telephone.
 */
export function readCode(typed: string): CodeForm | null {
  const word = typed.normalize('NFKC').toUpperCase().replaceAll(BETWEEN, '-').replaceAll(/^-|-$/g, '');
  if (!WORD.test(word)) return null;
  const letters = word.replaceAll('-', '').replaceAll('O', '0').replaceAll(/[IL]/g, '1');
  const { length } = letters;
  return length < CODE_LETTERS_MIN || length > CODE_LETTERS_MAX ? null : { word, letters };
}

const BETWEEN = /[\s._\-\u2010-\u2015]+/gu;
const WORD = /^[0-9A-Z]+(-[0-9A-Z]+)*$/;

/** Crockford's base 32: 0 and 1 are in it, and the letters that look like them are not; neither is U, which makes words of some. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const GROUPS = 3;
const GROUP_LETTERS = 4;
/** Twelve letters of five bits: 60 bits, of which nobody guesses one in a lifetime of ten tries an hour. */
export const NEW_CODE_BYTES = GROUPS * GROUP_LETTERS;

/** A code that nobody has thought of, of {@link NEW_CODE_BYTES} random bytes: `7K2M-QX4R-0ZTB`. */
export function newCodeWord(random: Uint8Array): string {
  const letters = [...random.subarray(0, NEW_CODE_BYTES)].map((byte) => ALPHABET[byte % ALPHABET.length] ?? '');
  return Array.from({ length: GROUPS }, (_, group) =>
    letters.slice(group * GROUP_LETTERS, (group + 1) * GROUP_LETTERS).join(''),
  ).join('-');
}
