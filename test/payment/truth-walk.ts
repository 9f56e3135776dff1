import { after, DEEDS, keyOf, UNTOUCHED, type Books, type Deed } from './bank-deeds.ts';

/** Everything that can be in the bank's books of one payment, and which of it can come after which: deeds in between may go unheard. */
export interface Land {
  readonly places: ReadonlyMap<string, Books>;
  /** By key: the places that can be read next, when news of any deeds in between was lost. */
  readonly next: ReadonlyMap<string, ReadonlySet<string>>;
}

export function explore(deeds: readonly Deed[] = DEEDS): Land {
  const places = new Map([[keyOf(UNTOUCHED), UNTOUCHED]]);
  // A Map may grow while it is walked: every place is visited once.
  for (const books of places.values()) {
    for (const deed of deeds) {
      const then = after(books, deed);
      if (!places.has(keyOf(then))) places.set(keyOf(then), then);
    }
  }
  const next = new Map<string, Set<string>>();
  for (const [key, books] of places) {
    const seen = new Map<string, Books>();
    const walk = [books];
    for (const here of walk) {
      for (const deed of deeds) {
        const then = after(here, deed);
        if (keyOf(then) === key || seen.has(keyOf(then))) continue;
        seen.set(keyOf(then), then);
        walk.push(then);
      }
    }
    next.set(key, new Set(seen.keys()));
  }
  return { places, next };
}

/**
 * Walks that together take every step of the land at least once. Each begins with a payment of its own, of which nothing was read yet.
 *
 * The least refunded step is taken first: money that went back does not come again, so what needs it comes last.
 */
export function walksOf({ places, next }: Land): Books[][] {
  const start = keyOf(UNTOUCHED);
  const open = new Map([...next].map(([from, to]) => [from, new Set(to)]));
  const refunds = (key: string): number => places.get(key)?.refunds.size ?? 0;
  const least = (keys: Iterable<string>): string | undefined =>
    [...keys].toSorted((a, b) => refunds(a) - refunds(b))[0];
  const walks: Books[][] = [];
  while ([...open.values()].some((to) => to.size > 0)) {
    const walk: Books[] = [];
    let here = start;
    for (;;) {
      const fresh = least(open.get(here) ?? []);
      // No step is left here: on to somewhere that still has one.
      const step = fresh ?? least([...(next.get(here) ?? [])].filter((key) => (open.get(key)?.size ?? 0) > 0));
      if (step === undefined) break;
      open.get(here)?.delete(step);
      here = step;
      const books = places.get(here);
      if (books) walk.push(books);
    }
    walks.push(walk);
  }
  return walks;
}
