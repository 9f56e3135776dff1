import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DECIMAL_PATTERN,
  formatDecimal,
  fromCents,
  micros,
  parseDecimal,
  toCentsFloor,
} from '../../src/domain/money.ts';
import { propertySeed } from '../support/property-seed.ts';

/** An independent reading of the grammar, character by character, so that the pattern is not compared with itself. */
function isDecimal(text: string): boolean {
  const [whole = '', fraction, ...rest] = text.split('.');
  const isDigits = (part: string) =>
    part !== '' && [...part].every((digit) => digit >= '0' && digit <= '9' && digit.length === 1);
  if (rest.length > 0 || !isDigits(whole) || whole.length > 16 || (whole.length > 1 && whole.startsWith('0')))
    return false;
  return fraction === undefined || (isDigits(fraction) && fraction.length <= 6);
}

const nearMiss = fc
  .tuple(
    fc.constantFrom('', '+', '-', ' ', '0', '00', '0x', '٥', '１'),
    fc.string({ unit: fc.constantFrom(...'0123456789.eE,_- ') }),
  )
  .map(([head, tail]) => head + tail);
const wellFormed = fc
  .tuple(
    fc.bigInt(0n, 10n ** 16n - 1n),
    fc.option(fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: 6 })),
  )
  .map(([whole, fraction]) => (fraction === null ? `${whole}` : `${whole}.${fraction}`));

describe('money', () => {
  const seed = propertySeed('money');

  it('D01 one million texts are accepted exactly when they are of the grammar', () => {
    fc.assert(
      // Answers instead of expecting: a million `expect`s cost twice what they look at.
      fc.property(
        fc.oneof(nearMiss, wellFormed, fc.string(), fc.double().map(String)),
        (text) => (parseDecimal(text) !== null) === isDecimal(text),
      ),
      { seed, numRuns: 1_000_000 },
    );
  }, 120_000);

  it('D01 no value but decimal text is money', () => {
    const refused = [
      '-0',
      '-1',
      '0.1234567',
      '1e3',
      '1E2',
      'NaN',
      'Infinity',
      '∞',
      'null',
      'true',
      '[]',
      '',
      ' 5',
      ' 5 ',
      '5 ',
      '٥',
    ];
    refused.push('1,000', '1_000', '0x10', '010', '+5', '5.', '.5', `${10n ** 30n}`, `${-(2n ** 63n)}`, '5\n');
    expect(refused.filter((text) => parseDecimal(text) !== null)).toEqual([]);
    expect(DECIMAL_PATTERN.test('5\n')).toBe(false);
  });

  it('D01 an amount survives writing and reading', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 22n - 1n), (amount) => {
        const text = formatDecimal(amount);
        return parseDecimal(text) === amount && formatDecimal(-amount) === (amount === 0n ? '0.00' : `-${text}`);
      }),
      { seed, numRuns: 100_000 },
    );
  });

  it('D05 cents are rounded toward minus infinity: never more than there is', () => {
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 18n), 10n ** 18n), (amount) => {
        const cents = BigInt(toCentsFloor(amount));
        return cents * 10_000n <= amount && amount < (cents + 1n) * 10_000n;
      }),
      { seed, numRuns: 100_000 },
    );
    expect(toCentsFloor(-1n)).toBe(-1);
    expect(toCentsFloor(9_999n)).toBe(0);
  });

  it('D02 cents beyond what a JSON number holds exactly are refused, not rounded', () => {
    expect(() => fromCents(2 ** 53)).toThrow(RangeError);
    expect(() => fromCents(0.5)).toThrow(RangeError);
    expect(fromCents(2 ** 53 - 1)).toBe(micros((2n ** 53n - 1n) * 10_000n));
    expect(() => toCentsFloor(2n ** 53n * 10_000n)).toThrow(RangeError);
  });
});
