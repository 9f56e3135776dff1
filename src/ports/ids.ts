import { sidOfHead } from '../domain/reference-sid.ts';
import type { Clock, Ids, Random } from './ports.ts';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const RANDOM_BITS = 80n;
const RANDOM_LIMIT = 1n << RANDOM_BITS;
/** Half of a sid's: the other half follows from the rest. As many bytes are drawn, so that a seed gives the same sids after it. */
const HEAD_RANDOM_BITS = 40n;
/**
 * 42 bits of milliseconds over 22 random ones fill an int8: positive until September 2039, and from then on negative until 2109. They rise in both
 * halves, so that their index grows at one place. Nobody asks which of two is larger: a batch is only told from others.
 */
const BATCH_RANDOM_BITS = 22n;
const INT8_BITS = 64;

/**
 * Identifiers made of a clock and a random source alone, so that a seed reproduces them.
 * Within one process each kind rises strictly, even when the clock stands still or is set back; numbers of batches begin again below zero once.
 */
export function idsFrom(clock: Pick<Clock, 'now'>, random: Random): Ids {
  let lastSid = -1n;
  let lastHead = -1n;
  let lastBatch = -1n;
  const sid = (): string => {
    const fresh = (BigInt(clock.now().getTime()) << RANDOM_BITS) | numberFrom(random.bytes(10));
    lastSid = fresh > lastSid ? fresh : lastSid + 1n;
    return ulid(lastSid);
  };
  return {
    sid,
    referenceSid: () => {
      const fresh = (BigInt(clock.now().getTime()) << HEAD_RANDOM_BITS) | (numberFrom(random.bytes(10)) >> 40n);
      lastHead = fresh > lastHead ? fresh : lastHead + 1n;
      return sidOfHead(base32(Number(lastHead >> HEAD_RANDOM_BITS), 10) + base32(Number(lastHead & 0xffffffffffn), 8));
    },
    requestId: () => `req_${sid()}`,
    batchId: () => {
      const spread = numberFrom(random.bytes(3)) >> 2n;
      const fresh = (BigInt(clock.now().getTime()) << BATCH_RANDOM_BITS) | spread;
      lastBatch = fresh > lastBatch ? fresh : lastBatch + 1n;
      return BigInt.asIntN(INT8_BITS, lastBatch);
    },
  };
}

/** Writes 128 bits as 26 characters of Crockford base 32: 10 for the time, 16 for the random part. */
function ulid(value: bigint): string {
  const time = base32(Number(value / RANDOM_LIMIT), 10);
  const tail = value % RANDOM_LIMIT;
  return time + base32(Number(tail >> 40n), 8) + base32(Number(tail & 0xffffffffffn), 8);
}

function base32(value: number, length: number): string {
  let text = '';
  let rest = value;
  for (let place = 0; place < length; place += 1) {
    text = ALPHABET.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

function numberFrom(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}
