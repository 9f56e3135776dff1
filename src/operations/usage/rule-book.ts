import type { SharedStatement } from '../../store/shared-statement.ts';

/** More keys than any house has; who invents new ones begins the list again. */
const KEYS_MAX = 1_000;

/**
 * Rules of one kind by their key, kept as long as the edition of the rule book is the one that they were read under.
 *
 * The database moves the edition in the transaction of each change. What is read after an edition was seen is at least as new as that
 * edition; so while nobody has seen a later one, it is as fresh as if it were read again. See docs/decisions/rule-book.md.
 */
export class RulePages<V> {
  readonly #shared: SharedStatement<string, readonly V[]>;
  #edition = 0n;
  readonly #byKey = new Map<string, readonly V[]>();

  constructor(shared: SharedStatement<string, readonly V[]>) {
    this.#shared = shared;
  }

  /** The rules under these keys, as they were at the edition or later. Rejects as the statement does. */
  async find(keys: readonly string[], edition: bigint): Promise<readonly V[]> {
    if (edition > this.#edition || this.#byKey.size > KEYS_MAX) this.#begin(edition);
    const missing = keys.filter((key) => !this.#byKey.has(key));
    if (missing.length === 0) return rulesUnder(keys, this.#byKey);
    const [current, pages] = [this.#edition, new Map(this.#byKey)];
    const found = await this.#shared.ask(missing);
    for (const key of missing) pages.set(key, found.get(key) ?? []);
    // When the edition has moved meanwhile nothing is kept: it may have been read before the change.
    if (this.#edition === current) for (const key of missing) this.#byKey.set(key, pages.get(key) ?? []);
    return rulesUnder(keys, pages);
  }

  #begin(edition: bigint): void {
    this.#edition = edition > this.#edition ? edition : this.#edition;
    this.#byKey.clear();
  }
}

function rulesUnder<V>(keys: readonly string[], pages: ReadonlyMap<string, readonly V[]>): readonly V[] {
  const [only] = keys;
  // Mostly a report is of one category.
  if (keys.length === 1 && only !== undefined) return pages.get(only) ?? [];
  return keys.flatMap((key) => pages.get(key) ?? []);
}
