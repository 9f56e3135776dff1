import type { Clock, Ids, Random } from './ports.ts';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const RANDOM_BITS = 80n;
const RANDOM_LIMIT = 1n << RANDOM_BITS;
/** 41 bits of milliseconds (until the year 2039) over 22 random bits fill a positive int8. */
const BATCH_RANDOM_BITS = 22n;

/**
 * Identifiers made of a clock and a random source alone, so that a seed reproduces them.
 * Within one process both kinds rise strictly, even when the clock stands still or is set back.
 */
export function idsFrom(clock: Pick<Clock, 'now'>, random: Random): Ids {
  let lastSid = -1n;
  let lastBatch = -1n;
  const sid = (): string => {
    const fresh = (BigInt(clock.now().getTime()) << RANDOM_BITS) | numberFrom(random.bytes(10));
    lastSid = fresh > lastSid ? fresh : lastSid + 1n;
    return ulid(lastSid);
  };
  return {
    sid,
    requestId: () => `req_${sid()}`,
    batchId: () => {
      const spread = numberFrom(random.bytes(3)) >> 2n;
      const fresh = (BigInt(clock.now().getTime()) << BATCH_RANDOM_BITS) | spread;
      lastBatch = fresh > lastBatch ? fresh : lastBatch + 1n;
      return lastBatch;
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
