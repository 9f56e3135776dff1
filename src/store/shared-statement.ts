import type { Clock } from '../ports/ports.ts';

interface Gathering<K, V> {
  readonly keys: Set<K>;
  readonly found: Promise<ReadonlyMap<K, V>>;
}

/** While so many are under way the next ones gather: under load one statement serves many callers. */
const UNDER_WAY_MAX = 2;

/**
 * Statements that many callers want at the same moment, made as one for all of them.
 *
 * A caller's statement begins after it has asked, never before: what it reads is as fresh as if it had asked alone, what it writes is
 * written when it is answered, and nothing is kept.
 */
export class SharedStatement<K, V> {
  readonly #clock: Clock;
  readonly #run: (keys: readonly K[]) => Promise<ReadonlyMap<K, V>>;
  readonly #underWay = new Set<Promise<unknown>>();
  #gathering: Gathering<K, V> | null = null;

  constructor(clock: Clock, run: (keys: readonly K[]) => Promise<ReadonlyMap<K, V>>) {
    this.#clock = clock;
    this.#run = run;
  }

  /**
   * Shape: by key, of these keys and of others that were asked for at the same time.
   * Rejects as the statement does, for everybody who shares it.
   */
  ask(keys: readonly K[]): Promise<ReadonlyMap<K, V>> {
    this.#gathering ??= this.#gather();
    for (const key of keys) this.#gathering.keys.add(key);
    return this.#gathering.found;
  }

  #gather(): Gathering<K, V> {
    const keys = new Set<K>();
    return { keys, found: this.#runWhenFree(keys) };
  }

  async #runWhenFree(keys: ReadonlySet<K>): Promise<ReadonlyMap<K, V>> {
    // Callers that were answered together come back together, as in the lanes of the ledger: a turn lets them share.
    await this.#clock.turn();
    while (this.#underWay.size >= UNDER_WAY_MAX) await Promise.race(this.#underWay);
    this.#gathering = null;
    const running = this.#run([...keys]);
    const end = (): void => void this.#underWay.delete(over);
    const over: Promise<void> = running.then(end, end);
    this.#underWay.add(over);
    return await running;
  }
}
