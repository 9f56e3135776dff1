/** What answers from outside the simulator, given to it: a test hands in a clock that moves when told. */
export interface SandboxClock {
  now(): Date;
  /** Resolves after the time or at once when the signal aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface SandboxRandom {
  bytes(count: number): Uint8Array;
}

/** Without the letters that look alike, as BTCPay Server writes its ids. */
const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

export const idFrom = (random: SandboxRandom, length: number): string =>
  Array.from(random.bytes(length), (byte) => BASE58[byte % BASE58.length]).join('');

export const hexFrom = (random: SandboxRandom, bytes: number): string =>
  Buffer.from(random.bytes(bytes)).toString('hex');

export const unixSeconds = (at: Date): number => Math.floor(at.getTime() / 1000);
