import { TEN_THOUSAND } from './decimal.ts';

/** `per_hour` is a price per hour for a duration in hours or seconds; `cost_plus` is what the provider charged plus a margin. */
export const PRICE_KINDS = ['per_unit', 'per_hour', 'cost_plus'] as const;
export type PriceKind = (typeof PRICE_KINDS)[number];

/** A dated price. Never edited: a new price is a new row from a later instant. */
export interface Price {
  readonly sid: string;
  readonly category: string;
  /** Null: for every resource of the category that has no price of its own. */
  readonly resourceKind: string | null;
  readonly kind: PriceKind;
  readonly unit: string;
  /** Pico-dollars a unit, before the margin. Zero for `cost_plus`. */
  readonly amount: bigint;
  /** Ten-thousandths on top: 1000 is 10 %. */
  readonly margin: bigint;
  readonly activeFrom: Date;
}

/** The price of one unit with its margin, in pico-dollars; null when it is not a whole number of them. */
export function unitPriceOf({ amount, margin }: Pick<Price, 'amount' | 'margin'>): bigint | null {
  const scaled = amount * (TEN_THOUSAND + margin);
  return scaled % TEN_THOUSAND === 0n ? scaled / TEN_THOUSAND : null;
}

/** The price that counts for what happened at an instant: the latest that was active, the one for its resource before the category's. */
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
  return one.activeFrom < other.activeFrom;
}
