/**
 * The one formatter of money in the pages.
 *
 * Amounts come from the server as decimal strings ("12.340125") and stay exact: grouping is done by Intl on the text
 * itself and comparisons on integers of a millionth of a dollar. No value ever becomes a float.
 */
const DECIMAL = /^(-?)(\d{1,13})(?:\.(\d{1,6}))?$/;
const MICROS_PER_CENT = 10_000n;

/** Exact millionths of a dollar. Throws on text that is not an amount: the server never sends such. */
export function microsOf(amount: string): bigint {
  const match = DECIMAL.exec(amount);
  if (!match) throw new RangeError(`not an amount: ${amount}`);
  const [, sign, whole = '0', fraction = ''] = match;
  const size = BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, '0'));
  return sign ? -size : size;
}

export function decimalOf(micros: bigint): string {
  const size = micros < 0n ? -micros : micros;
  const fraction = (size % 1_000_000n)
    .toString()
    .padStart(6, '0')
    .replace(/0{1,4}$/, '');
  return `${micros < 0n ? '-' : ''}${size / 1_000_000n}.${fraction}`;
}

/** Cents, as the server counts them in `*_cents` fields, as a decimal amount. */
export const fromCents = (cents: number): string => decimalOf(BigInt(cents) * MICROS_PER_CENT);

/** Whole cents of an amount, or `null` where it is finer than a cent. */
export function toCents(amount: string): number | null {
  const micros = microsOf(amount);
  return micros % MICROS_PER_CENT === 0n ? Number(micros / MICROS_PER_CENT) : null;
}

export const isZero = (amount: string): boolean => microsOf(amount) === 0n;
export const isNegative = (amount: string): boolean => microsOf(amount) < 0n;
export const isFinerThanCents = (amount: string): boolean => microsOf(amount) % MICROS_PER_CENT !== 0n;
export const isSame = (one: string, other: string): boolean => microsOf(one) === microsOf(other);

/** Whole cents toward minus infinity: a balance never shows more than there is. */
export function floorToCents(amount: string): string {
  const micros = microsOf(amount);
  const rest = ((micros % MICROS_PER_CENT) + MICROS_PER_CENT) % MICROS_PER_CENT;
  return decimalOf(micros - rest);
}

const formats = new Map<string, Intl.NumberFormat>();

function formatOf(currency: string): Intl.NumberFormat {
  const known = formats.get(currency);
  if (known) return known;
  const made = new Intl.NumberFormat('en-US', {
    style: 'currency',
    currency,
    minimumFractionDigits: 2,
    maximumFractionDigits: 6,
  });
  formats.set(currency, made);
  return made;
}

/** "$1,234.50", "−$0.000123" (with a true minus sign); `plus` marks money that came in: "+$25.00". */
export function formatMoney(
  amount: string,
  options: { readonly currency?: string; readonly plus?: boolean } = {},
): string {
  const size = amount.replace(/^-/, '');
  const text = formatOf(options.currency ?? 'USD').format(size as Intl.StringNumericLiteral);
  if (isNegative(amount)) return `\u2212${text}`;
  return options.plus && !isZero(amount) ? `+${text}` : text;
}

/** The same, as a screen reader should say it: a minus sign is often skipped, the word is not. */
export function sayMoney(amount: string, options: { readonly currency?: string } = {}): string {
  const said = formatMoney(amount.replace(/^-/, ''), options);
  return isNegative(amount) ? `minus ${said}` : said;
}

export interface Limits {
  readonly min: string;
  readonly max: string;
}

/**
 * Reads what a person typed as an amount of whole cents ("25", "25.5", "$25.00").
 *
 * Shape: the canonical decimal, or a sentence saying what to change. A comma is refused, not guessed: "1,000" is a
 * thousand to some and one to others.
 */
export function readAmount(text: string, limits?: Limits): { readonly amount: string } | { readonly error: string } {
  const typed = text
    .trim()
    .replace(/^(-?)\s*\$\s*/, '$1')
    .replace(/^\u2212/, '-');
  if (typed === '') return { error: 'Enter an amount.' };
  if (typed.includes(',')) return { error: 'Write the amount without commas, for example 1250.50.' };
  if (!/^-?(0|[1-9]\d*)(\.\d+)?$/.test(typed))
    return { error: 'Write the amount in dollars, for example 25 or 25.50.' };
  if (!/^-?\d{1,13}(\.\d{1,2})?$/.test(typed)) return { error: 'Use whole cents: at most two digits after the point.' };
  const amount = decimalOf(microsOf(typed));
  if (limits && microsOf(amount) < microsOf(limits.min))
    return { error: `The smallest amount is ${formatMoney(limits.min)}.` };
  if (limits && microsOf(amount) > microsOf(limits.max))
    return { error: `The largest amount is ${formatMoney(limits.max)}.` };
  return { amount };
}
