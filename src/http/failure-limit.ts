import type { Clock } from '../ports/ports.ts';

/** Addresses kept in mind at once; an attacker with more only makes us forget the oldest. */
const ADDRESSES_MAX = 10_000;
const WINDOW_MS = 60_000;

interface Window {
  readonly endsAtMs: number;
  failures: number;
}

/** Counts failures by address and says when an address has had enough of them. */
export class FailureLimit {
  readonly #clock: Clock;
  readonly #failuresMax: number;
  readonly #windows = new Map<string, Window>();

  constructor(clock: Clock, failuresMax: number) {
    this.#clock = clock;
    this.#failuresMax = failuresMax;
  }

  /** Seconds until the address may try again; 0 when it may now. */
  secondsBarred(address: string): number {
    const window = this.#live(address);
    if (!window || window.failures < this.#failuresMax) return 0;
    return Math.ceil((window.endsAtMs - this.#clock.monotonicMs()) / 1_000);
  }

  count(address: string): void {
    const window = this.#live(address);
    if (window) {
      window.failures += 1;
      return;
    }
    const [oldest] = this.#windows.keys();
    if (this.#windows.size >= ADDRESSES_MAX && oldest !== undefined) this.#windows.delete(oldest);
    this.#windows.set(address, { endsAtMs: this.#clock.monotonicMs() + WINDOW_MS, failures: 1 });
  }

  #live(address: string): Window | undefined {
    const window = this.#windows.get(address);
    if (window && window.endsAtMs > this.#clock.monotonicMs()) return window;
    this.#windows.delete(address);
    return undefined;
  }
}
