/**
 * Money is an integer number of micro-dollars.
 *
 * Units: 1 USD = 1,000,000 µ$ and 1 cent = 10,000 µ$. LLM calls cost fractions of a cent, and a float
 * or a `* 100` is how peers charged a hundred times too much; so there is one type, one parser and one
 * formatter, and every division names its rounding.
 */
export type Micros = bigint & { readonly __unit: 'micro-dollar' };

export const MICROS_PER_USD = 1_000_000n;
export const MICROS_PER_CENT = 10_000n;
const DECIMALS = 6;

/** The range of PostgreSQL's int8. A sum outside it is refused before it is written. */
export const MICROS_MAX = (1n << 63n) - 1n;
export const MICROS_MIN = -(1n << 63n);

export const micros = (value: bigint): Micros => value as Micros;
export const ZERO = micros(0n);

/** The one grammar of a decimal amount: no sign, no exponent, no leading zero, no space, ASCII digits. */
export const DECIMAL_PATTERN = /^(0|[1-9][0-9]{0,15})(\.[0-9]{1,6})?$/;

/**
 * Reads a decimal number of dollars such as `"25"` or `"12.340125"`.
 *
 * Shape: `null` when the text is not of {@link DECIMAL_PATTERN}; never throws, never goes through a float.
 */
export function parseDecimal(text: string): Micros | null {
  const match = DECIMAL_PATTERN.exec(text);
  if (!match) return null;
  const [whole = '', fraction = ''] = text.split('.');
  return micros(BigInt(whole) * MICROS_PER_USD + BigInt(fraction.padEnd(DECIMALS, '0')));
}

/** Writes dollars with at least two decimals and no more than needed: `"25.00"`, `"-0.000123"`. */
export function formatDecimal(amount: bigint): string {
  const sign = amount < 0n ? '-' : '';
  const size = amount < 0n ? -amount : amount;
  const fraction = (size % MICROS_PER_USD)
    .toString()
    .padStart(DECIMALS, '0')
    .replace(/0{1,4}$/, '');
  return `${sign}${size / MICROS_PER_USD}.${fraction}`;
}

/** Cents as an exact amount. Throws `RangeError` for anything but a safe integer (a bug: parse at the edge). */
export function fromCents(cents: number): Micros {
  if (!Number.isSafeInteger(cents)) throw new RangeError('cents must be a safe integer');
  return micros(BigInt(cents) * MICROS_PER_CENT);
}

/**
 * Whole cents, rounded toward minus infinity: a balance never shows more than there is.
 *
 * Throws `RangeError` past 2^53 cents (90 trillion dollars), where a JSON number stops being exact.
 */
export function toCentsFloor(amount: bigint): number {
  const quotient = amount / MICROS_PER_CENT;
  const cents = amount < 0n && amount % MICROS_PER_CENT !== 0n ? quotient - 1n : quotient;
  const number = Number(cents);
  if (!Number.isSafeInteger(number)) throw new RangeError('amount does not fit in a JSON number of cents');
  return number;
}

/** Whether an amount is a whole number of cents; providers of card money take nothing finer. */
export const isWholeCents = (amount: bigint): boolean => amount % MICROS_PER_CENT === 0n;
