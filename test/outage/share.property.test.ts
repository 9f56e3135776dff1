import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { micros } from '../../src/domain/money.ts';
import { isDownAt, without, type Span } from '../../src/domain/outage/outage.ts';
import { shareOfDown, type PaidTime } from '../../src/domain/outage/share.ts';
import { propertySeed } from '../support/property-seed.ts';

const seed = propertySeed('outages');
const span = (from: number, until: number): Span => ({ from: new Date(from), until: new Date(until) });
const spans = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 1, max: 60 })), { maxLength: 8 })
  .map((all) => all.map(([from, length]) => span(from, from + length)));
const lengthOf = (all: readonly Span[]): number =>
  all.reduce((sum, { from, until }) => sum + until.getTime() - from.getTime(), 0);
const month = (price: bigint, vmCount: number): PaidTime => ({
  ...span(0, 2_592_000_000),
  price: micros(price),
  wholeMs: 2_592_000_000n,
  vmCount,
});

describe('times without other times', () => {
  it('are those milliseconds that no other has, whatever overlaps and comes in any order', () => {
    fc.assert(
      fc.property(spans, (taken) => {
        const left = without(span(0, 200), taken);
        for (let at = 0; at < 200; at += 1) {
          const isTaken = isDownAt(taken, new Date(at));
          expect(isDownAt(left, new Date(at))).toBe(!isTaken);
        }
        expect(lengthOf(left)).toBe(
          Array.from({ length: 200 }, (_, at) => at).filter((at) => !isDownAt(taken, new Date(at))).length,
        );
      }),
      { seed, numRuns: 300 },
    );
  });
});

describe('what a VM is given back', () => {
  it('a whole period of all VMs is the price, and less than a micro-dollar more for each', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 12n }), fc.integer({ min: 1, max: 500 }), (price, vmCount) => {
        const { amount, downMs } = shareOfDown([span(0, 2_592_000_000)], [month(price, vmCount)]);
        const all = amount * BigInt(vmCount);
        expect(all >= price && all < price + BigInt(vmCount)).toBe(true);
        expect(downMs).toBe(price === 0n ? 2_592_000_000 : downMs);
      }),
      { seed },
    );
  });

  it('cut into parts it is as much, and less than a micro-dollar more for each part', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 10n ** 9n }), spans, (price, cuts) => {
        const parts = without(span(0, 2_592_000_000), cuts);
        const whole = shareOfDown(parts, [month(price, 5)]).amount;
        const apart = parts.reduce((sum, one) => sum + shareOfDown([one], [month(price, 5)]).amount, 0n);
        expect(apart >= whole && apart < whole + BigInt(parts.length || 1)).toBe(true);
      }),
      { seed },
    );
  });

  it.each([
    ['6 hours of one of five VMs at 10 dollars', span(0, 21_600_000), 16_667n],
    ['a millisecond', span(5, 6), 1n],
    ['before anything was paid', span(-10, 0), 0n],
    ['after it', span(2_592_000_000, 2_592_000_001), 0n],
    ['half of it before', span(-21_600_000, 21_600_000), 16_667n],
  ])('%s', (_, down, amount) => {
    expect(shareOfDown([down], [month(10_000_000n, 5)]).amount).toBe(amount);
  });
});
