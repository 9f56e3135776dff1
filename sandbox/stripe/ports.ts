import type { SandboxRandom } from '../ports.ts';

export type { SandboxClock, SandboxRandom } from '../ports.ts';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** An id in Stripe's fashion: a prefix and letters and digits. */
export const idFrom = (random: SandboxRandom, prefix: string, length: number): string =>
  prefix + Array.from(random.bytes(length), (byte) => LETTERS[byte % LETTERS.length]).join('');

export const unixSeconds = (at: Date): number => Math.floor(at.getTime() / 1000);
