/**
 * Reads a decimal number without sign or exponent as a whole number of its smallest parts: `parseScaled("0.25", 6)` is 250000n.
 *
 * Shape: null when the text is of another form, has more than `decimals` decimals or more than 12 digits before the point.
 */
export function parseScaled(text: string, decimals: number): bigint | null {
  if (!isScaled(text, decimals)) return null;
  const point = text.indexOf('.');
  if (point < 0) return BigInt(text) * powerOfTen(decimals);
  return BigInt(text.slice(0, point) + text.slice(point + 1)) * powerOfTen(decimals - (text.length - point - 1));
}

const FORM = /^(?:0|[1-9][0-9]{0,11})(?:\.[0-9]+)?$/;
const POWERS_OF_TEN = Array.from({ length: 19 }, (_, exponent) => 10n ** BigInt(exponent));
const powerOfTen = (exponent: number): bigint => POWERS_OF_TEN[exponent] ?? 10n ** BigInt(exponent);

/** Whether {@link parseScaled} reads the text: cheaper than to read it. */
export function isScaled(text: string, decimals: number): boolean {
  if (!FORM.test(text)) return false;
  const point = text.indexOf('.');
  return point < 0 || text.length - point - 1 <= decimals;
}

/** The other way, with no more decimals than needed: `formatScaled(250000n, 6)` is "0.25". */
export function formatScaled(value: bigint, decimals: number): string {
  const sign = value < 0n ? '-' : '';
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, '0');
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '');
  return `${sign}${digits.slice(0, digits.length - decimals)}${fraction === '' ? '' : `.${fraction}`}`;
}

/** Decimals of a quantity: of hours, seconds, tokens, calls. */
export const QUANTITY_DECIMALS = 6;
/** Decimals of a price or a cost in dollars: pico-dollars. A token may cost $0.00000015. */
export const PRICE_DECIMALS = 12;
/** Margins and discounts are ten-thousandths. */
export const TEN_THOUSAND = 10_000n;
