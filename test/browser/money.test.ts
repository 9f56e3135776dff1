import { describe, expect, test } from 'vitest';
import { floorToCents, formatMoney, fromCents, readAmount, sayMoney, toCents } from '../../web/ui/money.ts';

describe('money in the pages', () => {
  test.each([
    ['0.00', '$0.00'],
    ['1234567.5', '$1,234,567.50'],
    ['-0.000123', '\u2212$0.000123'],
    ['12.340125', '$12.340125'],
    // One more than a float can tell from its neighbour.
    ['9007199254.740993', '$9,007,199,254.740993'],
    ['9223372036854.775807', '$9,223,372,036,854.775807'],
  ])('%s is shown as %s, digit for digit', (amount, shown) => {
    expect(formatMoney(amount)).toBe(shown);
  });

  test('what came in carries a plus, nothing carries none, and a minus is said as a word', () => {
    expect(formatMoney('25.00', { plus: true })).toBe('+$25.00');
    expect(formatMoney('0.00', { plus: true })).toBe('$0.00');
    expect(sayMoney('-5.00')).toBe('minus $5.00');
  });

  test.each([
    ['1284.506125', '1284.50'],
    ['-0.000001', '-0.01'],
    ['-1.00', '-1.00'],
    ['0.009999', '0.00'],
  ])('a balance of %s never shows more than there is: %s', (exact, shown) => {
    expect(floorToCents(exact)).toBe(shown);
  });

  test.each([
    [1234, '12.34'],
    [-100, '-1.00'],
    [5, '0.05'],
  ])('%d cents are %s and back', (cents, amount) => {
    expect(fromCents(cents)).toBe(amount);
    expect(toCents(amount)).toBe(cents);
  });

  test('an amount finer than a cent has no number of cents', () => {
    expect(toCents('0.005')).toBeNull();
  });

  test.each([
    ['25', '25.00'],
    [' $25.5 ', '25.50'],
    ['-1.00', '-1.00'],
    ['-$3', '-3.00'],
    ['\u22123.10', '-3.10'],
  ])('%j is read as %s', (typed, amount) => {
    expect(readAmount(typed)).toEqual({ amount });
  });

  test.each(['', ' ', '1,000', '1e3', '0x10', '٢٥', '12.345', '25.', '.5', '007', '25 USD', '--1', '99999999999999'])(
    '%j is refused with a sentence',
    (typed) => {
      expect(readAmount(typed)).toEqual({ error: expect.stringMatching(/^[A-Z].*\.$/) });
    },
  );

  test('the limits themselves are allowed, a cent beyond them is not', () => {
    const limits = { min: '5.00', max: '2000.00' };
    expect(readAmount('5', limits)).toEqual({ amount: '5.00' });
    expect(readAmount('2000', limits)).toEqual({ amount: '2000.00' });
    expect(readAmount('4.99', limits)).toEqual({ error: 'The smallest amount is $5.00.' });
    expect(readAmount('2000.01', limits)).toEqual({ error: 'The largest amount is $2,000.00.' });
  });
});
