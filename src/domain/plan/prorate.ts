import { assert } from '../assert.ts';
import { micros, type Micros } from '../money.ts';

/** A part of a price, by time. */
export interface Share {
  readonly amount: Micros;
  /** What the rounding took off or added, in parts of a micro-dollar: `remainder / wholeMs`. Never negative. */
  readonly remainder: bigint;
  readonly leftMs: bigint;
  readonly wholeMs: bigint;
}

/**
 * The part of a period's price that belongs to what is left of the period, exact to the millisecond.
 *
 * Rounding: to a whole micro-dollar, in the direction that is named. What is given back is rounded up and what is charged is rounded down, so
 * that the customer never pays for it.
 */
export function shareOf(
  price: Micros,
  part: { readonly from: Date; readonly startsAt: Date; readonly endsAt: Date },
  rounding: 'up' | 'down',
): Share {
  const wholeMs = BigInt(part.endsAt.getTime() - part.startsAt.getTime());
  const leftMs = BigInt(part.endsAt.getTime() - part.from.getTime());
  assert(leftMs >= 0n && leftMs <= wholeMs && wholeMs > 0n, 'what is left of a period is a part of it');
  const exact = price * leftMs;
  const [down, rest] = [exact / wholeMs, exact % wholeMs];
  if (rounding === 'down' || rest === 0n) return { amount: micros(down), remainder: rest, leftMs, wholeMs };
  return { amount: micros(down + 1n), remainder: wholeMs - rest, leftMs, wholeMs };
}
