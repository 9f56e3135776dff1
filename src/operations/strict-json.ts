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
const SPACE = /[ \t\n\r]*/y;
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
    this.#match(SPACE);
    const value = this.#bareValue();
    this.#match(SPACE);
    return value;
  }

  #bareValue(): JsonValue {
    switch (this.#text.charAt(this.position)) {
      case '{':
        return this.#object();
      case '[':
        return this.#array();
      case '"':
        return this.#storableString();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #object(): JsonValue {
    const members: { [key: string]: JsonValue } = {};
    const names = new Set<string>();
    this.#open();
    if (this.#take('}')) return members;
    do {
      this.#match(SPACE);
      const name = this.#storableString();
      this.#match(SPACE);
      if (!this.#take(':')) throw new Malformed('a colon is missing');
      this.#path.push(name);
      if (FORBIDDEN_KEYS.has(name)) throw new Refused('is not an allowed name');
      if (names.has(name)) throw new Refused('appears twice');
      names.add(name);
      members[name] = this.#value();
      this.#path.pop();
    } while (this.#take(','));
    if (!this.#take('}')) throw new Malformed('the object does not end');
    return members;
  }

  #array(): JsonValue {
    const items: JsonValue[] = [];
    this.#open();
    if (this.#take(']')) return items;
    do {
      this.#path.push(items.length);
      items.push(this.#value());
      this.#path.pop();
    } while (this.#take(','));
    if (!this.#take(']')) throw new Malformed('the array does not end');
    return items;
  }

  #open(): void {
    this.position += 1;
    this.#match(SPACE);
    // Every open bracket but the innermost has put one step on the path.
    if (this.#path.length < DEPTH_MAX) return;
    this.#path.length = 0;
    throw new Refused(`is nested more than ${DEPTH_MAX} levels deep`);
  }

  #storableString(): string {
    const text = this.#string();
    if (!isStorableText(text))
      throw new Refused('contains a character that cannot be stored (NUL or half a surrogate pair)');
    return text;
  }

  #string(): string {
    if (!this.#take('"')) throw new Malformed('a string is missing');
    let text = this.#match(PLAIN_CHARACTERS);
    while (!this.#take('"')) {
      if (!this.#take('\\')) throw new Malformed('the string does not end');
      text += this.#escape() + this.#match(PLAIN_CHARACTERS);
    }
    return text;
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

  #take(character: string): boolean {
    if (this.#text[this.position] !== character) return false;
    this.position += 1;
    return true;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.position += found.length;
    return found;
  }
}

/** One text for one meaning: members sorted by name, no white space. Two requests are the same when this is. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}
