import { after, keyOf, UNTOUCHED, type Books, type Deed } from './bank-deeds.ts';
import type { Looks } from './look-tree.ts';

/** What is read of the bank's books, one look after the other, each different from the one before. */
export type Readings = readonly Books[];

export interface Readable {
  /** Stories of deeds that the bank really does: each of them changes its books. */
  readonly stories: number;
  /** Ways in which the looks can fall among the deeds of all of these stories. */
  readonly timings: number;
  /** The first looks. What was read on the way to a look is all that distinguishes it. */
  readonly first: Looks;
}

/**
 * Everything that can be read of a payment in up to `deedsMax` of these deeds of the bank, in whatever order the news of them is delivered.
 *
 * News is a hint: whichever arrives, the books are read as they stand at that moment. So of all orders of delivery only this remains: at
 * which points of the story somebody looked at all. News of a deed can come right after it or after any later deed, and the last deed's
 * only after all; so the points are any set that has the last one in it, and each set is the outcome of some order. Two orders with
 * the same set, and two stories that read alike, put the same questions and get the same answers: they are one here, and nothing is lost.
 * A second delivery is a look at books that have not changed. Readings that begin alike are a tree: each of its looks is the end of a story.
 */
export function readingsWithin(deedsMax: number, deeds: readonly Deed[]): Readable {
  const first: Looks = new Map();
  let stories = 0;
  let timings = 0;
  const tell = (story: Readings, books: Books): void => {
    if (story.length > 0) {
      const readings = timingsOf(story);
      stories += 1;
      timings += readings.length;
      for (const one of readings) grow(first, one);
    }
    if (story.length === deedsMax) return;
    for (const deed of deeds) {
      const then = after(books, deed);
      if (keyOf(then) !== keyOf(books)) tell([...story, then], then);
    }
  };
  tell([], UNTOUCHED);
  return { stories, timings, first };
}

/** One for each set of points at which the books are read; the last is in every set. */
function timingsOf(story: Readings): Readings[] {
  const last = story.length - 1;
  return Array.from({ length: 2 ** last }, (_, points) =>
    story.filter((_books, point) => point === last || ((points >> point) & 1) === 1),
  );
}

/** Books that have come back to what was read before are no news. */
function grow(first: Looks, readings: Readings): void {
  let next = first;
  let before = '';
  for (const books of readings) {
    const key = keyOf(books);
    if (key === before) continue;
    const look = next.get(key) ?? { books, next: new Map() };
    next.set(key, look);
    next = look.next;
    before = key;
  }
}
