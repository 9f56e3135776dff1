import type { SandboxRandom } from '../ports.ts';

/** Without the letters that look alike, as BTCPay Server writes its ids. */
const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

export const idFrom = (random: SandboxRandom, length: number): string =>
  Array.from(random.bytes(length), (byte) => BASE58[byte % BASE58.length]).join('');

export const hexFrom = (random: SandboxRandom, bytes: number): string =>
  Buffer.from(random.bytes(bytes)).toString('hex');

export const unixSeconds = (at: Date): number => Math.floor(at.getTime() / 1000);
