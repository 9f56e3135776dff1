/** What answers from outside the simulator, given to it: a test hands in a clock that moves when told. */
export interface SandboxClock {
  now(): Date;
  /** Resolves after the time or at once when the signal aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface SandboxRandom {
  bytes(count: number): Uint8Array;
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** An id in Stripe's fashion: a prefix and letters and digits. */
export const idFrom = (random: SandboxRandom, prefix: string, length: number): string =>
  prefix + Array.from(random.bytes(length), (byte) => LETTERS[byte % LETTERS.length]).join('');

export const unixSeconds = (at: Date): number => Math.floor(at.getTime() / 1000);
