/**
 * Decimal text finer than money: prices to 12 decimals, quantities to 6, the steps of an explanation to 24. Exact: text in, text
 * out, integers in between.
 */
const FORM = /^(-?)(\d{1,30})(?:\.(\d{1,24}))?$/;

/** Parts of 10^-decimals; null for what is no such number or finer. */
export function partsOf(text: string, decimals: number): bigint | null {
  const [, sign, whole, fraction = ''] = FORM.exec(text.trim()) ?? [];
  if (whole === undefined || fraction.length > decimals) return null;
  const size = BigInt(whole + fraction.padEnd(decimals, '0'));
  return sign ? -size : size;
}

/** The opposite of {@link partsOf}, without needless zeros. */
export function textOf(parts: bigint, decimals: number): string {
  const size = (parts < 0n ? -parts : parts).toString().padStart(decimals + 1, '0');
  const whole = size.slice(0, size.length - decimals);
  const fraction = size.slice(size.length - decimals).replace(/0+$/, '');
  return `${parts < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

/** "1204.50" is "1,204.5". What is no decimal stays as it is. */
export function formatQuantity(text: string): string {
  const [, sign, whole, fraction = ''] = FORM.exec(text) ?? [];
  if (whole === undefined) return text;
  const rest = fraction.replace(/0+$/, '');
  return `${sign ? '\u2212' : ''}${group(whole)}${rest === '' ? '' : `.${rest}`}`;
}

/** "0.000000165" is "$0.000000165", with at least two decimals. */
export function formatDollars(text: string): string {
  const [, sign, whole, fraction = ''] = FORM.exec(text) ?? [];
  if (whole === undefined) return text;
  return `${sign ? '\u2212' : ''}$${group(whole)}.${fraction.replace(/0+$/, '').padEnd(2, '0')}`;
}

const group = (whole: string): string => whole.replace(/^0+(?=\d)/, '').replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
