import { describe, expect, it } from 'vitest';
import { seededRandom } from '../support/ports.ts';
import { idsFrom } from '../../src/ports/ids.ts';

const at = (iso: string): { now: () => Date } => ({ now: () => new Date(iso) });
const zeroes = { bytes: (count: number) => new Uint8Array(count) };
const ones = { bytes: (count: number) => new Uint8Array(count).fill(255) };

describe('ids', () => {
  it('write a ULID as its specification does', () => {
    // The largest time and the largest random part that 48 and 80 bits hold.
    const last = idsFrom({ now: () => new Date(0) }, ones).sid();
    expect(last).toBe('0000000000ZZZZZZZZZZZZZZZZ');
    expect(idsFrom({ now: () => new Date(1_469_918_176_385) }, zeroes).sid()).toBe('01ARYZ6S410000000000000000');
  });

  it('rise strictly while the clock stands still or goes back', () => {
    const clock = { time: 1_000_000 };
    const ids = idsFrom({ now: () => new Date(clock.time) }, seededRandom(7));
    const sids: string[] = [];
    const batches: bigint[] = [];
    for (const step of [0, 0, 1, -500, 0, 2_000]) {
      clock.time += step;
      sids.push(ids.sid());
      batches.push(ids.batchId());
    }
    expect(sids).toEqual([...new Set(sids)].toSorted());
    expect(batches).toEqual([...new Set(batches)].toSorted((a, b) => (a < b ? -1 : 1)));
  });

  it('of a batch are positive and fit int8 until 2039', () => {
    for (const iso of ['1970-01-01T00:00:00Z', '2026-11-23T00:00:00Z', '2039-01-01T00:00:00Z']) {
      const id = idsFrom(at(iso), ones).batchId();
      expect(id).toBeGreaterThan(0n);
      expect(id).toBeLessThan(2n ** 63n);
    }
  });

  it('are the same again from the same clock and seed', () => {
    const one = idsFrom(at('2026-01-01T00:00:00Z'), seededRandom(3));
    const two = idsFrom(at('2026-01-01T00:00:00Z'), seededRandom(3));
    expect([one.sid(), one.requestId(), one.batchId()]).toEqual([two.sid(), two.requestId(), two.batchId()]);
  });
});
