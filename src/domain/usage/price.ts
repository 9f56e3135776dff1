import { TEN_THOUSAND } from './decimal.ts';

/**
 * `per_hour` is a price per hour for a duration in hours or seconds; `cost_plus` is what the provider charged plus a margin. `tiered`
 * and `package` count what a wallet used in a month, see volume-price.ts.
 */
export const PRICE_KINDS = ['per_unit', 'per_hour', 'cost_plus', 'tiered', 'package'] as const;
export type PriceKind = (typeof PRICE_KINDS)[number];

/** Where a part of a month's volume ends, and what a unit of that part costs. */
export interface Tier {
  /** Millionths of the unit; null: no end. */
  readonly upTo: bigint | null;
  /** Pico-dollars a unit, before the margin. */
  readonly amount: bigint;
}

/** A dated price. Never edited: a new price is a new row from a later instant. */
export interface Price {
  readonly sid: string;
  readonly category: string;
  /** Null: for every resource of the category that has no price of its own. */
  readonly resourceKind: string | null;
  readonly kind: PriceKind;
  readonly unit: string;
  /** Pico-dollars a unit, or a package, before the margin. Zero for `cost_plus` and `tiered`. */
  readonly amount: bigint;
  /** By rising `upTo`, the last one without end; none unless it is `tiered`. */
  readonly tiers: readonly Tier[];
  /** Millionths of the unit; null unless it is a `package`. */
  readonly packageSize: bigint | null;
  /** Ten-thousandths on top: 1000 is 10 %. */
  readonly margin: bigint;
  readonly activeFrom: Date;
}

/** Whether a price looks at the month: what was used of it before decides what is paid. */
export const countsVolume = ({ kind }: Pick<Price, 'kind'>): boolean => kind === 'tiered' || kind === 'package';

/** The price of one unit, or one package, with its margin, in pico-dollars; null when it is not a whole number of them. */
export function unitPriceOf({ amount, margin }: Pick<Price, 'amount' | 'margin'>): bigint | null {
  const scaled = amount * (TEN_THOUSAND + margin);
  return scaled % TEN_THOUSAND === 0n ? scaled / TEN_THOUSAND : null;
}

/**
 * The price that counts for what happened at an instant: the latest that was active, the one for its resource before the category's. Of
 * two from the same instant the one that was made later: it was made to put the other right.
 */
export function priceFor(
  prices: readonly Price[],
  about: { readonly category: string; readonly resourceKind: string; readonly occurredAt: Date },
): Price | null {
  let best: Price | null = null;
  for (const price of prices) {
    if (price.category !== about.category || price.activeFrom > about.occurredAt) continue;
    if (price.resourceKind !== null && price.resourceKind !== about.resourceKind) continue;
    if (best === null || isBefore(best, price)) best = price;
  }
  return best;
}

function isBefore(one: Price, other: Price): boolean {
  if ((one.resourceKind === null) !== (other.resourceKind === null)) return one.resourceKind === null;
  if (one.activeFrom.getTime() === other.activeFrom.getTime()) return one.sid < other.sid;
  return one.activeFrom < other.activeFrom;
}
