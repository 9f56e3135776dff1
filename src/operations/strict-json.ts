import type { InputError } from '../domain/refusal.ts';

/** Deeper than any input of ours by far; a body of 100,000 brackets ends here instead of on the stack. */
const DEPTH_MAX = 64;
/** What a double holds exactly whatever the digits are. Longer numbers would be rounded before a schema sees them. */
const DIGITS_MAX = 15;
/** Names through which a merge or a lookup somewhere below could reach a prototype. */
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
// oxlint-disable-next-line no-control-regex -- JSON forbids bare control characters in strings
const PLAIN_CHARACTERS = /[^"\\\u0000-\u001f]*/y;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** Characters by their codes: a text is read faster by numbers than by strings of one character. */
const TAB = 9;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const SPACE = 32;
const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const LETTER_F = 102;
const LETTER_N = 110;
const LETTER_T = 116;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;
const DELETE = 127;

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

export type StrictJson =
  | { readonly kind: 'value'; readonly value: JsonValue }
  /** Not JSON at all. */
  | { readonly kind: 'malformed'; readonly detail: string }
  /** JSON, but something in it that two readers could understand differently. */
  | { readonly kind: 'refused'; readonly error: InputError };

class Malformed extends Error {}
class Refused extends Error {}

/**
 * Reads JSON as one meaning only. `JSON.parse` silently keeps the last of two equal keys, rounds long numbers and lets through
 * characters that PostgreSQL cannot store; in a request that moves money each of these is a refusal.
 *
 * Refuses, with the place: equal keys · `__proto__`, `constructor`, `prototype` as keys · numbers of more than 15 digits,
 * with an exponent, or minus zero · NUL and lone surrogates in strings · more than 64 levels.
 */
export function parseStrictJson(text: string): StrictJson {
  const reader = new Reader(text);
  try {
    return { kind: 'value', value: reader.document() };
  } catch (error) {
    if (error instanceof Refused)
      return { kind: 'refused', error: { pointer: reader.pointer(), detail: error.message } };
    if (error instanceof Malformed)
      return { kind: 'malformed', detail: `${error.message} at character ${reader.position}` };
    throw error;
  }
}

/** Whether PostgreSQL can store the text and give it back unchanged. */
export const isStorableText = (text: string): boolean => !text.includes('\0') && text.isWellFormed();

class Reader {
  position = 0;
  readonly #text: string;
  readonly #path: (string | number)[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  pointer(): string {
    return `#${this.#path.map((step) => `/${String(step).toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')}`;
  }

  document(): JsonValue {
    const value = this.#value();
    if (this.position < this.#text.length) throw new Malformed('unexpected text after the value');
    return value;
  }

  #value(): JsonValue {
    this.#skipSpace();
    const value = this.#bareValue();
    this.#skipSpace();
    return value;
  }

  #bareValue(): JsonValue {
    switch (this.#text.charCodeAt(this.position)) {
      case OPEN_BRACE:
        return this.#object();
      case OPEN_BRACKET:
        return this.#array();
      case QUOTE:
        return this.#string();
      case LETTER_T:
        return this.#word('true', true);
      case LETTER_F:
        return this.#word('false', false);
      case LETTER_N:
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #object(): JsonValue {
    const members: { [key: string]: JsonValue } = {};
    this.#open();
    if (this.#take(CLOSE_BRACE)) return members;
    do {
      this.#skipSpace();
      const name = this.#string();
      this.#skipSpace();
      if (!this.#take(COLON)) throw new Malformed('a colon is missing');
      this.#path.push(name);
      if (FORBIDDEN_KEYS.has(name)) throw new Refused('is not an allowed name');
      if (Object.hasOwn(members, name)) throw new Refused('appears twice');
      members[name] = this.#value();
      this.#path.pop();
    } while (this.#take(COMMA));
    if (!this.#take(CLOSE_BRACE)) throw new Malformed('the object does not end');
    return members;
  }

  #array(): JsonValue {
    const items: JsonValue[] = [];
    this.#open();
    if (this.#take(CLOSE_BRACKET)) return items;
    do {
      this.#path.push(items.length);
      items.push(this.#value());
      this.#path.pop();
    } while (this.#take(COMMA));
    if (!this.#take(CLOSE_BRACKET)) throw new Malformed('the array does not end');
    return items;
  }

  #open(): void {
    this.position += 1;
    this.#skipSpace();
    // Every open bracket but the innermost has put one step on the path.
    if (this.#path.length < DEPTH_MAX) return;
    this.#path.length = 0;
    throw new Refused(`is nested more than ${DEPTH_MAX} levels deep`);
  }

  /** Nearly every string is ASCII without an escape: a slice of the text, found without a pattern and storable as it is. */
  #string(): string {
    const start = this.position + 1;
    if (!this.#take(QUOTE)) throw new Malformed('a string is missing');
    for (let at = start; ; at += 1) {
      const code = this.#text.charCodeAt(at);
      if (code === QUOTE) {
        this.position = at + 1;
        return this.#text.slice(start, at);
      }
      // Also at the end of the text, where there is no code.
      if (!(code >= SPACE && code < DELETE) || code === BACKSLASH) return this.#longWay();
    }
  }

  /** The rest of a string whose quote has been taken. */
  #longWay(): string {
    let text = this.#match(PLAIN_CHARACTERS);
    while (!this.#take(QUOTE)) {
      if (!this.#take(BACKSLASH)) throw new Malformed('the string does not end');
      text += this.#escape() + this.#match(PLAIN_CHARACTERS);
    }
    if (isStorableText(text)) return text;
    throw new Refused('contains a character that cannot be stored (NUL or half a surrogate pair)');
  }

  #escape(): string {
    const letter = this.#text[this.position] ?? '';
    this.position += 1;
    if (letter !== 'u') {
      const meaning = ESCAPES[letter];
      if (meaning === undefined) throw new Malformed('an unknown escape');
      return meaning;
    }
    const digits = this.#text.slice(this.position, this.position + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new Malformed('an incomplete escape');
    this.position += 4;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  #number(): number {
    const text = this.#match(NUMBER);
    if (text === '') throw new Malformed('a value is missing');
    const isExact = /^-?[0-9.]+$/.test(text) && text.replaceAll(/[^0-9]/g, '').length <= DIGITS_MAX;
    if (isExact && !Object.is(Number(text), -0)) return Number(text);
    throw new Refused(
      `must be a plain number of at most ${DIGITS_MAX} digits, without exponent; send longer ones as strings`,
    );
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.position)) throw new Malformed('an unknown word');
    this.position += word.length;
    return value;
  }

  #take(code: number): boolean {
    if (this.#text.charCodeAt(this.position) !== code) return false;
    this.position += 1;
    return true;
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.position);
      if (code !== SPACE && code !== TAB && code !== LINE_FEED && code !== CARRIAGE_RETURN) return;
      this.position += 1;
    }
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.position += found.length;
    return found;
  }
}
