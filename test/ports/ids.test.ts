import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertySeed } from '../support/property-seed.ts';
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

  it('of a batch are what they were, and fit int8 when those are used up', () => {
    const years = ['1970-01-01', '2026-11-23', '2039-09-07', '2039-09-08', '2060-02-29', '2109-05-14'];
    const given = years.map((day) => idsFrom(at(`${day}T00:00:00Z`), ones).batchId());
    expect(given.map((id) => BigInt.asIntN(64, id))).toEqual(given);
    expect(given.map((id) => id > 0n)).toEqual([true, true, true, false, false, false]);
    // Those of a ledger that is there already.
    expect(given[1]).toBe((BigInt(Date.parse('2026-11-23T00:00:00Z')) << 22n) | 0x3fffffn);
  });

  it('of batches of any two instants until 2109 are never the same', () => {
    const ms = fc.integer({ min: 0, max: 2 ** 42 - 1 });
    const property = fc.property(ms, ms, fc.nat(), fc.nat(), (one, other, seed, another) => {
      fc.pre(one !== other);
      const [first, second] = [
        idsFrom({ now: () => new Date(one) }, seededRandom(seed)).batchId(),
        idsFrom({ now: () => new Date(other) }, seededRandom(another)).batchId(),
      ];
      expect(first).not.toBe(second);
      expect(BigInt.asUintN(64, first) < BigInt.asUintN(64, second)).toBe(one < other);
    });
    fc.assert(property, { seed: propertySeed('batch ids'), numRuns: 1_000 });
  });

  it('of batches of one process stay apart while it goes through the last instant of 2039 that they had', () => {
    const clock = { time: 2 ** 41 - 3 };
    const ids = idsFrom({ now: () => new Date(clock.time) }, ones);
    const given = Array.from({ length: 40 }, (_, index) => {
      clock.time += index % 8 === 0 ? 1 : 0;
      return ids.batchId();
    });
    expect(new Set(given).size).toBe(40);
    expect(given.some((id) => id < 0n) && given.some((id) => id > 0n)).toBe(true);
  });

  it('are the same again from the same clock and seed', () => {
    const one = idsFrom(at('2026-01-01T00:00:00Z'), seededRandom(3));
    const two = idsFrom(at('2026-01-01T00:00:00Z'), seededRandom(3));
    expect([one.sid(), one.requestId(), one.batchId()]).toEqual([two.sid(), two.requestId(), two.batchId()]);
  });
});
