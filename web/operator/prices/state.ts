import type { Price } from '../../surface.ts';
import { nowMs } from '../../ui/time.ts';

export type PriceState = 'active' | 'future' | 'past';

export interface StatedPrice {
  readonly price: Price;
  readonly state: PriceState;
}

const ORDER: Readonly<Record<PriceState, number>> = { active: 0, future: 1, past: 2 };

/**
 * All prices of a category with what has become of them, as the server chooses: of those for the same resource the latest that is
 * active. Shape: by resource, the category's own first; active, then future ones, then the past from new to old.
 */
export function stated(prices: readonly Price[], now = nowMs()): readonly StatedPrice[] {
  const active = new Map<string | null, number>();
  for (const { resource_kind: resource, active_from: from } of prices) {
    const at = new Date(from).getTime();
    if (at <= now && at > (active.get(resource) ?? Number.NEGATIVE_INFINITY)) active.set(resource, at);
  }
  return prices
    .map((price) => ({ price, state: stateOf(price, active.get(price.resource_kind) ?? null, now) }))
    .toSorted(
      (one, other) =>
        ORDER[one.state] - ORDER[other.state] ||
        inOrder(one.price.resource_kind ?? '', other.price.resource_kind ?? '') ||
        other.price.active_from.localeCompare(one.price.active_from),
    );
}

/** model-2 comes before model-10. */
const inOrder = (one: string, other: string): number => one.localeCompare(other, 'en', { numeric: true });

function stateOf(price: Price, activeAt: number | null, now: number): PriceState {
  const at = new Date(price.active_from).getTime();
  if (at > now) return 'future';
  return at === activeAt ? 'active' : 'past';
}

/** Categories in the order of the alphabet, each with its prices. */
export function byCategory(prices: readonly Price[]): readonly (readonly [string, readonly Price[]])[] {
  const groups = Map.groupBy(prices, (price) => price.category);
  return [...groups].toSorted(([one], [other]) => inOrder(one, other));
}
