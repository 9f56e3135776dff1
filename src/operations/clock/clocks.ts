import { aheadOf, CLOCKS_APART_MAX_MS } from '../../domain/clock/apart.ts';
import type { MovableClock } from '../../ports/movable-clock.ts';
import type { Clock } from '../../ports/ports.ts';

/**
 * The clock of this process and the database's, and whether they agree. See docs/decisions/clocks.md.
 *
 * Of a sandbox its machine's clock is meant, not the one that an operator moves. Between two comparisons a step of the clock is seen by the time
 * that has passed meanwhile, so asking costs nothing and is never out of date. As long as nobody has compared them they are taken to agree.
 */
export class Clocks {
  readonly #clock: Clock;
  readonly #movable: MovableClock | null;
  /** How far ours was ahead when they were compared, less how far it was ahead of the time that passes. Null: nobody has compared them. */
  #apartFromPassingMs: number | null = null;
  #wereApart = false;

  constructor(clock: Clock, movable: MovableClock | null) {
    this.#clock = clock;
    this.#movable = movable;
  }

  /** How far ours is ahead, negative when it is behind; 0 where nobody has compared them. */
  get aheadMs(): number {
    return this.#apartFromPassingMs === null ? 0 : this.#apartFromPassingMs + this.#aheadOfPassingMs();
  }

  /** Whether they are so far apart that nothing is done because an instant has passed. */
  get areApart(): boolean {
    return Math.abs(this.aheadMs) > CLOCKS_APART_MAX_MS;
  }

  /**
   * `read` answers what the database says. What it throws is thrown, and what was known stays.
   *
   * Shape: whether it is otherwise than by the comparison before; the first one is held against clocks that agree.
   */
  async compare(read: () => Promise<Date>): Promise<{ readonly isNews: boolean }> {
    const aheadOfPassingMs = this.#aheadOfPassingMs();
    const passedMs = this.#clock.monotonicMs();
    const theirs = await read();
    const look = { beforeMs: aheadOfPassingMs + passedMs, tookMs: this.#clock.monotonicMs() - passedMs };
    this.#apartFromPassingMs = aheadOf(theirs.getTime(), look) - aheadOfPassingMs;
    const wereApart = this.#wereApart;
    this.#wereApart = this.areApart;
    return { isNews: this.#wereApart !== wereApart };
  }

  #aheadOfPassingMs(): number {
    return this.#clock.now().getTime() - (this.#movable?.aheadMs ?? 0) - this.#clock.monotonicMs();
  }
}
