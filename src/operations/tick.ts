import type { House } from './house.ts';

/** Something the house does by the clock. Every process runs it; each is safe to run in several at once. */
export interface Tick {
  readonly name: string;
  /** How long after `now` it runs next. */
  readonly waitMs: (now: Date) => number;
  /** How long at most, by what the house has to do; asked before each wait. Left out: as long as `waitMs` says. */
  readonly dueInMs?: (house: House, now: Date) => Promise<number>;
  /** The signal says that the process stops: what takes long begins nothing more. */
  readonly run: (house: House, signal?: AbortSignal) => Promise<unknown>;
  /** Whether it runs at the start as well: for what was missed while nothing ran. */
  readonly isDueAtStart?: boolean;
  /** Whether running once after a long time does all that running many times would have: when time is skipped it runs at the end only. */
  readonly catchesUp?: boolean;
  /**
   * Whether it takes money, or something else that is not given back, because an instant has passed: left out while the clocks of this process
   * and of the database are apart.
   */
  readonly isByDate?: boolean;
  /** While time is skipped, how long after its last run, or the beginning, it runs next: of what asks others, who live in our seconds. */
  readonly whileMovedMs?: number;
}
