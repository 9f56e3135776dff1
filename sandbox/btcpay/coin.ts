/**
 * Amounts of this simulated coin are whole numbers of its smallest unit (a hundred-millionth, "sats"), amounts of dollars
 * whole cents, rates cents for one coin. All are far below 2^53; products are computed as bigint.
 */
const UNITS_PER_COIN = 100_000_000n;

/** What an amount of dollars costs: rounded up, so that paying exactly this is paying in full. */
export const satsFor = (cents: number, rateCents: number): number =>
  Number((BigInt(cents) * UNITS_PER_COIN + BigInt(rateCents) - 1n) / BigInt(rateCents));

/** What an amount of coin is worth, to the nearest cent. */
export const centsFor = (sats: number, rateCents: number): number =>
  Number((2n * BigInt(sats) * BigInt(rateCents) + UNITS_PER_COIN) / (2n * UNITS_PER_COIN));

export const coinText = (sats: number): string => decimal(BigInt(sats), 8);
export const centsText = (cents: number): string => decimal(BigInt(cents), 2);

/** Without needless zeros, as .NET writes a decimal that was normalised. */
function decimal(units: bigint, places: number): string {
  const digits = String(units < 0n ? -units : units).padStart(places + 1, '0');
  const fraction = digits.slice(-places).replace(/0+$/, '');
  return `${units < 0n ? '-' : ''}${digits.slice(0, -places)}${fraction === '' ? '' : `.${fraction}`}`;
}

/** Null: not a decimal number that fits. More places than there are is what BTCPay Server would round, and we refuse. */
function parseDecimal(text: unknown, places: number): number | null {
  if (typeof text !== 'string' && typeof text !== 'number') return null;
  const match = /^([0-9]{1,9})(?:\.([0-9]+))?$/.exec(String(text));
  const fraction = (match?.[2] ?? '').replace(/0+$/, '');
  if (match === null || fraction.length > places) return null;
  return Number(`${match[1]}${fraction.padEnd(places, '0')}`);
}

export const parseCents = (text: unknown): number | null => parseDecimal(text, 2);
export const parseSats = (text: unknown): number | null => parseDecimal(text, 8);
