import { after, DEEDS, keyOf, UNTOUCHED, type Books, type Deed } from './bank-deeds.ts';
import type { Looks } from './look-tree.ts';

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
 * Every step of the land once, as a tree of looks. Any place can be the first that is read of a payment, when all news before it was
 * lost; so each is a first look, and what can be read next follows on it.
 */
export function everyStep({ places, next }: Land): Looks {
  const stepsFrom = (here: string, then: (key: string) => Looks): Looks => {
    const steps: Looks = new Map();
    for (const key of next.get(here) ?? []) {
      const books = places.get(key);
      if (books) steps.set(key, { books, next: then(key) });
    }
    return steps;
  };
  return stepsFrom(keyOf(UNTOUCHED), (key) => stepsFrom(key, () => new Map()));
}
