import { describe, expect, it } from 'vitest';
import { hourlyShare, nextLookAt, runwayOf, runwayText } from '../../src/domain/standing/runway.ts';
import { DAY_MS, HOUR_MS } from '../../src/domain/standing/state.ts';
import { afterQuietHours, isZone, quietMinutes } from '../../src/domain/standing/quiet-hours.ts';

const NOW = new Date('2026-03-01T12:00:00.000Z');
const inMs = (ms: number): Date => new Date(NOW.getTime() + ms);
const renewal = (ms: number, dollars: bigint) => ({ at: inMs(ms), price: dollars * 1_000_000n, everyMs: 30 * DAY_MS });

describe('a runway', () => {
  it('ends where usage or the next unpaid period ends it', () => {
    const hours = (available: bigint, dayCharge: bigint, next: ReturnType<typeof renewal> | null) => {
      const { msLeft, endsBy } = runwayOf({ available, dayCharge, renewal: next }, NOW);
      return msLeft === null ? null : `${Math.floor(msLeft / HOUR_MS)} ${endsBy}`;
    };
    expect(hours(24_000_000n, 2_400_000n, null)).toBe('240 usage');
    expect(hours(0n, 2_400_000n, null)).toBe('0 usage');
    expect(hours(-5n, 0n, null)).toBeNull();
    expect(hours(0n, 0n, renewal(5 * HOUR_MS, 10n))).toBe('5 plan');
    expect(hours(10_000_000n, 0n, renewal(5 * HOUR_MS, 10n))).toBe('725 plan');
    expect(hours(9_999_999n, 0n, renewal(5 * HOUR_MS, 10n))).toBe('5 plan');
    // A dollar an hour: of 12 dollars 2 are left when the plan wants 10; one micro-dollar less and it cannot be paid.
    expect(hours(20_000_000n, 24_000_000n, renewal(10 * HOUR_MS, 10n))).toBe('10 usage');
    expect(hours(19_999_999n, 24_000_000n, renewal(10 * HOUR_MS, 10n))).toBe('10 plan');
    expect(hours(5_000_000n, 0n, renewal(5 * HOUR_MS, 0n))).toBeNull();
  });

  it('is looked at before the next warning is due, and never all the time', () => {
    const look = (msLeft: number | null, dayCharge: bigint, hasPlan: boolean) => {
      const at = nextLookAt(
        { msLeft, endsBy: null },
        { dayCharge, renewal: hasPlan ? renewal(0, 1n) : null },
        [72, 24, 4],
        NOW,
      );
      return at && (at.getTime() - NOW.getTime()) / 60_000;
    };
    expect(look(null, 0n, false)).toBeNull();
    expect(look(null, 1n, false)).toBe(60);
    expect(look(73 * HOUR_MS, 0n, true)).toBe(60);
    expect(look(72 * HOUR_MS, 0n, true)).toBe(12 * 60);
    expect(look(72 * HOUR_MS + 1, 0n, true)).toBe(5);
    expect(look(0, 0n, true)).toBe(5);
  });

  it('says what an hour of a VM costs, rounded up, and itself in words', () => {
    expect(hourlyShare(10_000_000n, 30 * DAY_MS, 5)).toBe(2_778n);
    expect(runwayText({ msLeft: 220 * HOUR_MS, endsBy: 'usage' }, true)).toBe('9 d 4 h at the present rate');
    expect(runwayText({ msLeft: null, endsBy: null }, false)).toBe('no usage in the last 24 hours');
  });
});

describe('H03 quiet hours', () => {
  const night = { from: 22 * 60, until: 7 * 60, zone: 'Europe/Berlin' };
  const end = (now: string, quiet = night) => afterQuietHours(quiet, new Date(now)).toISOString();

  it('end when the clock of the zone says so, also where it is put forward or back', () => {
    expect(end('2026-03-01T12:00:00.000Z')).toBe('2026-03-01T12:00:00.000Z');
    expect(end('2026-03-01T21:30:00.000Z')).toBe('2026-03-02T06:00:00.000Z');
    // Put forward in that night: 07:00 is an hour sooner.
    expect(end('2027-03-27T22:00:00.000Z')).toBe('2027-03-28T05:00:00.000Z');
    // Put back: an hour later.
    expect(end('2026-10-24T21:00:00.000Z')).toBe('2026-10-25T06:00:00.000Z');
    expect(end('2026-03-01T20:00:30.000Z', { ...night, zone: 'Africa/Dar_es_Salaam' })).toBe(
      '2026-03-02T04:00:00.000Z',
    );
    // An end that the clock leaves out is the first minute after it.
    const gap = { from: 22 * 60, until: 2 * 60 + 30, zone: 'Europe/Berlin' };
    expect(end('2027-03-27T22:00:00.000Z', gap)).toBe('2027-03-28T01:00:00.000Z');
    expect(afterQuietHours(null, new Date(0))).toEqual(new Date(0));
  });

  it('are of zones that exist, and have a length', () => {
    expect([isZone('Africa/Dar_es_Salaam'), isZone('Mars/Olympus')]).toEqual([true, false]);
    expect([quietMinutes(night), quietMinutes({ from: 60, until: 120 })]).toEqual([540, 60]);
  });
});
