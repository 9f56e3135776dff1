import { hashText, type Chance } from './random.ts';

/** A process of the world, as far as time is concerned: what is parked for a dead one never goes on. */
export interface Life {
  readonly name: string;
  isDead: boolean;
  /** Nothing of it runs before this instant: the process is stopped, not dead. */
  pausedUntilMs: number;
}

/** Somebody who outlives every process: clients, the provider, the weather. */
export const outside = (name: string): Life => ({ name, isDead: false, pausedUntilMs: 0 });

interface Parked {
  atMs: number;
  readonly tie: number;
  readonly order: number;
  readonly life: Life;
  readonly label: string;
  readonly resume: () => void;
  /** It went on before its time: when that comes, nothing happens, and that is no step. */
  isOver: boolean;
}

const TURNS_OF_A_STREAM = 6;

/**
 * Virtual time. Everything that waits is parked here, and exactly one continuation runs at a time: the earliest, ties drawn by the
 * seed. The next one is picked when the world is still: no statement is under way and no promise is left to run.
 */
export class Scheduler {
  nowMs: number;
  steps = 0;
  /** Of every pick and of everything noted: the same seed must give the same. */
  traceHash = 0x811c9dc5;
  readonly #chance: Chance;
  readonly #heap: Parked[] = [];
  #order = 0;
  #io = 0;
  #turns = 0;
  #whenStill: (() => void) | null = null;
  #trace: string[] | null = null;

  constructor(startMs: number, chance: Chance) {
    this.nowMs = startMs;
    this.#chance = chance;
  }

  /** Waits `ms` of virtual time; also for 0 others may go first. Never resolves for a dead life. */
  park(life: Life, ms: number, label: string): Promise<void> {
    if (life.isDead) return never();
    return new Promise((resolve) => this.#push(life, Math.max(0, ms), label, resolve));
  }

  /** As {@link park}, and at once when the signal aborts. */
  sleep(life: Life, ms: number, signal?: AbortSignal): Promise<void> {
    if (life.isDead) return never();
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      // A life's signal outlives thousands of sleeps: each takes its listener away with it.
      const wake = (): void => {
        signal?.removeEventListener('abort', wake);
        parked.isOver = true;
        resolve();
      };
      signal?.addEventListener('abort', wake);
      const parked = this.#push(life, Math.max(0, ms), 'sleep', wake);
    });
  }

  /** Real work on the database: the world is not still until it is over. */
  async io<T>(work: () => Promise<T>): Promise<T> {
    this.#io += 1;
    try {
      return await work();
    } finally {
      this.#io -= 1;
      if (this.#io === 0) this.#whenStill?.();
    }
  }

  note(fact: string): void {
    this.traceHash = hashText(fact, this.traceHash);
    this.#trace?.push(`${this.nowMs} ${fact}`);
  }

  /** Keeps the notes as text from here on; for showing what led to a failure. */
  recordTrace(): string[] {
    this.#trace ??= [];
    return this.#trace;
  }

  /** Runs until `isOver` or nothing is parked. */
  async run(isOver: () => boolean): Promise<void> {
    await this.#stillness();
    while (!isOver()) {
      const next = this.#pop();
      if (!next) return;
      if (next.life.isDead || next.isOver) continue;
      if (next.life.pausedUntilMs > Math.max(this.nowMs, next.atMs)) {
        next.atMs = next.life.pausedUntilMs;
        this.#insert(next);
        continue;
      }
      this.nowMs = Math.max(this.nowMs, next.atMs);
      this.steps += 1;
      this.note(`${next.life.name}:${next.label}`);
      next.resume();
      await this.#stillness();
    }
  }

  /** A body is being read somewhere: streams need a few turns of the event loop that are not ours to count. */
  streams(): void {
    this.#turns = TURNS_OF_A_STREAM;
  }

  async #stillness(): Promise<void> {
    do {
      if (this.#io > 0) {
        await new Promise<void>((resolve) => (this.#whenStill = resolve));
        this.#whenStill = null;
      }
      // All promises that can go on have gone on when the event loop comes round.
      await new Promise((resolve) => setImmediate(resolve));
      this.#turns -= 1;
    } while (this.#io > 0 || this.#turns > 0);
    this.#turns = 0;
  }

  #push(life: Life, ms: number, label: string, resume: () => void): Parked {
    this.#order += 1;
    const order = this.#order;
    const parked = { atMs: this.nowMs + ms, tie: this.#chance.next(), order, life, label, resume, isOver: false };
    this.#insert(parked);
    return parked;
  }

  #insert(parked: Parked): void {
    const heap = this.#heap;
    heap.push(parked);
    for (let at = heap.length - 1; at > 0;) {
      const above = (at - 1) >> 1;
      if (!isEarlier(parked, heap[above])) break;
      heap[at] = heap[above] ?? parked;
      heap[above] = parked;
      at = above;
    }
  }

  #pop(): Parked | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (!last || !first || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      const child = isEarlier(heap[right], heap[left]) ? right : left;
      const below = heap[child];
      if (!below || !isEarlier(below, last)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

export const never = (): Promise<never> => new Promise(() => undefined);

function isEarlier(a: Parked | undefined, b: Parked | undefined): boolean {
  if (!a) return false;
  if (!b) return true;
  return a.atMs < b.atMs || (a.atMs === b.atMs && (a.tie < b.tie || (a.tie === b.tie && a.order < b.order)));
}
