import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bonusOf, type BonusRule } from '../../src/domain/bonus/rule.ts';
import { newCodeWord, NEW_CODE_BYTES, readCode } from '../../src/domain/code/form.ts';
import { missedAgain, MISSES_MAX, MISSES_WINDOW_MS, secondsToWait } from '../../src/domain/code/judge.ts';
import { micros } from '../../src/domain/money.ts';
import { propertySeed } from '../support/property-seed.ts';

describe('a code as it is typed', () => {
  it.each([
    ['welcome 2026', 'WELCOME-2026', 'WE1C0ME2026'],
    ['  Welcome--2026 ', 'WELCOME-2026', 'WE1C0ME2026'],
    ['WELC0ME2O26', 'WELC0ME2O26', 'WE1C0ME2026'],
    ['ｗｅｌｃｏｍｅ２０２６', 'WELCOME2026', 'WE1C0ME2026'],
    ['7k2m–qx4r.oztb', '7K2M-QX4R-OZTB', '7K2MQX4R0ZTB'],
    ['I_L_1_I_L_1', 'I-L-1-I-L-1', '111111'],
  ])('%s is shown as %s and compared as %s', (typed, word, letters) => {
    expect(readCode(typed)).toEqual({ word, letters });
  });

  it.each(['', ' ', '-', 'ABCDE', 'A'.repeat(33), 'WELCOME!', 'ДОБРО2026', 'ab\u0000cdef', '<script>', '🎁🎁🎁🎁🎁🎁'])(
    '%j is none',
    (typed) => {
      expect(readCode(typed)).toBeNull();
    },
  );

  it('reads what it made up, however it is typed, and makes up no two alike', () => {
    const random = fc.uint8Array({ minLength: NEW_CODE_BYTES, maxLength: NEW_CODE_BYTES });
    fc.assert(
      fc.property(random, fc.constantFrom('', ' ', '-', ' - '), fc.boolean(), (bytes, between, isLower) => {
        const word = newCodeWord(bytes);
        expect(word).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$/);
        const typed = word.replaceAll('-', between).replaceAll('0', 'o').replaceAll('1', 'l');
        expect(readCode(isLower ? typed.toLowerCase() : typed)?.letters).toBe(word.replaceAll('-', ''));
      }),
      { seed: propertySeed('codes') },
    );
    const made = Array.from({ length: 256 }, (_, byte) => newCodeWord(new Uint8Array(NEW_CODE_BYTES).fill(byte)));
    expect(new Set(made).size).toBe(32);
  });
});

describe('wrong codes', () => {
  it('are counted within an hour of the first of them, and then from the beginning', () => {
    const start = new Date('2026-03-01T12:00:00Z');
    const later = (ms: number): Date => new Date(start.getTime() + ms);
    let misses = missedAgain(null, start);
    for (let tries = 1; tries < MISSES_MAX; tries += 1) {
      expect(secondsToWait(misses, later(tries))).toBe(0);
      misses = missedAgain(misses, later(tries));
    }
    expect(secondsToWait(misses, later(60_000))).toBe(3_540);
    expect(secondsToWait(misses, later(MISSES_WINDOW_MS - 1))).toBe(1);
    expect(secondsToWait(misses, later(MISSES_WINDOW_MS))).toBe(0);
    expect(missedAgain(misses, later(MISSES_WINDOW_MS))).toEqual({ count: 1, since: later(MISSES_WINDOW_MS) });
  });
});

describe('the bonus of a first top-up', () => {
  const rule = (wish: Partial<Record<'percent' | 'fixed' | 'topUpMin' | 'bonusMax', number>>): BonusRule => ({
    sid: 'x',
    percent: wish.percent ?? 0,
    fixed: micros(BigInt(wish.fixed ?? 0)),
    topUpMin: micros(BigInt(wish.topUpMin ?? 0)),
    bonusMax: wish.bonusMax === undefined ? null : micros(BigInt(wish.bonusMax)),
    creditDays: null,
    activeFrom: new Date(0),
  });
  it.each([
    ['a share, rounded down to a cent', rule({ percent: 1_000 }), 33_390_000n, 3_330_000n],
    ['a share and something besides', rule({ percent: 250, fixed: 1_000_000 }), 20_000_000n, 1_500_000n],
    ['no more than the most', rule({ percent: 5_000, bonusMax: 5_000_000 }), 100_000_000n, 5_000_000n],
    ['nothing below the least top-up', rule({ fixed: 1_000_000, topUpMin: 10_000_000 }), 9_999_999n, 0n],
    ['something at the least top-up', rule({ fixed: 1_000_000, topUpMin: 10_000_000 }), 10_000_000n, 1_000_000n],
    ['nothing where it would be less than a cent', rule({ percent: 1 }), 50_000_000n, 0n],
    ['nothing by a rule that gives nothing', rule({}), 50_000_000n, 0n],
  ])('is %s', (_, given, paid, bonus) => {
    expect(bonusOf(given, paid)).toBe(bonus);
  });
});
