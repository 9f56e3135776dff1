import { MICROS_MAX, micros, MICROS_PER_USD, type Micros } from '../../domain/money.ts';

/** A decimal number without loss: `units` divided by ten to the power of `scale`. */
export interface Exact {
  readonly units: bigint;
  readonly scale: number;
}

/** Coins have up to 18 decimals, rates up to 28 digits; no sign where a sign makes no sense, never an exponent. */
const DECIMAL = /^(0|[1-9][0-9]{0,17})(\.[0-9]{1,28})?$/;

/** Null: not a plain decimal number. Never goes through a float. */
export function parseExact(text: string): Exact | null {
  if (!DECIMAL.test(text)) return null;
  const [whole = '', fraction = ''] = text.split('.');
  return { units: BigInt(whole + fraction), scale: fraction.length };
}

/** A hundred-millionth: the finest that Bitcoin's chain can send. What is finer (Lightning) asks for less than that. */
const SMALLEST_UNIT: Exact = { units: 1n, scale: 8 };

/**
 * What coins are worth at a rate, in micro-dollars, rounded down: never more than was paid.
 *
 * `asked` is what the invoice is about. A customer can only send whole units of the coin, so the least that pays an invoice is worth up
 * to one unit more than it. Exactly that much is taken as the amount asked for; the rest is under a cent and stays with the coins.
 * The result depends on nothing that can change later, so every reading of a payment finds the same amount.
 */
export function worthOf(coins: Exact, rate: Exact, asked: Micros): Micros {
  const worth = toMicrosDown(coins, rate);
  const isLeastThatPays = worth >= asked && toMicrosDown(minus(coins, SMALLEST_UNIT), rate) < asked;
  return isLeastThatPays ? asked : worth;
}

function toMicrosDown(coins: Exact, rate: Exact): Micros {
  const worth = (coins.units * rate.units * MICROS_PER_USD) / 10n ** BigInt(coins.scale + rate.scale);
  return micros(worth > MICROS_MAX ? MICROS_MAX : worth);
}

/** The difference, and zero where it would be negative. */
export function minus(a: Exact, b: Exact): Exact {
  const scale = Math.max(a.scale, b.scale);
  const units = a.units * 10n ** BigInt(scale - a.scale) - b.units * 10n ** BigInt(scale - b.scale);
  return { units: units > 0n ? units : 0n, scale };
}

/** An amount that is already in dollars, rounded down to micro-dollars. */
export const toMicros = (amount: Exact): Micros => toMicrosDown(amount, { units: 1n, scale: 0 });
