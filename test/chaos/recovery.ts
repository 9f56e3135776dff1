/** What one request met. */
export interface Met {
  readonly server: number;
  readonly isServed: boolean;
  readonly ms: number;
}

/** A kill that nobody noticed by then was none to the served. */
const NOTICED_WITHIN_MS = 10_000;

interface Watch {
  readonly server: number | null;
  readonly killedAtMs: number;
  refusedAtMs: number | null;
}

/** How long the served stood before closed doors after each kill: from the first request refused to the next one served. */
export class Recovery {
  readonly #watches = new Set<Watch>();
  readonly #times: number[] = [];
  #slowestMs = 0;

  /** A server by its number, or null for the database behind all of them. */
  killed(server: number | null): void {
    this.#watches.add({ server, killedAtMs: performance.now(), refusedAtMs: null });
  }

  met({ server, isServed, ms }: Met): void {
    this.#slowestMs = Math.max(this.#slowestMs, ms);
    for (const watch of this.#watches) {
      if (watch.server !== null && watch.server !== server) continue;
      const nowMs = performance.now();
      if (watch.refusedAtMs === null && nowMs - watch.killedAtMs > NOTICED_WITHIN_MS) this.#watches.delete(watch);
      else if (!isServed) watch.refusedAtMs ??= nowMs;
      else if (watch.refusedAtMs !== null) {
        this.#times.push(nowMs - watch.refusedAtMs);
        this.#watches.delete(watch);
      }
    }
  }

  /** Another harm to the same server: what it takes from now on says nothing about the kill. */
  interfered(server: number): void {
    for (const watch of this.#watches) if (watch.server === server) this.#watches.delete(watch);
  }

  isRecovering(server: number): boolean {
    return [...this.#watches].some((watch) => watch.server === server);
  }

  get slowestMs(): number {
    return this.#slowestMs;
  }

  /** In milliseconds; zeros when nothing was killed. */
  summary(): { readonly count: number; readonly p50: number; readonly p99: number; readonly max: number } {
    const sorted = this.#times.toSorted((one, other) => one - other);
    const at = (share: number): number => Math.round(sorted[Math.ceil(sorted.length * share) - 1] ?? 0);
    return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
  }
}
