import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { micros, MICROS_MAX } from '../../src/domain/money.ts';
import { minus, parseExact, toMicros, worthOf, type Exact } from '../../src/providers/btcpay/amount.ts';
import { isLiveDestination } from '../../src/providers/btcpay/chain.ts';
import { propertySeed } from '../support/property-seed.ts';

const exact = (text: string): Exact => {
  const read = parseExact(text);
  if (read === null) throw new Error(`not a decimal: ${text}`);
  return read;
};
const worth = (coins: string, rate: string, asked = '0'): string =>
  String(worthOf(exact(coins), exact(rate), toMicros(exact(asked))));

describe('D06 D07 amounts of coins', () => {
  it.each(['1e2', '0x10', '-1', '+1', ' 1', '1 ', '1,5', '01', '.5', '5.', 'NaN', 'Infinity', '', '1.2.3', '١'])(
    'A12 %o is no amount',
    (text) => {
      expect(parseExact(text)).toBeNull();
    },
  );

  it.each([
    // coins, rate, asked, micro-dollars
    ['0.00038825', '64392.23', '25.00', '25000000'],
    ['0.00038824', '64392.23', '25.00', '24999639'],
    ['0.00038826', '64392.23', '25.00', '25000927'],
    ['1', '64392.23', '25.00', '64392230000'],
    ['0.00000001', '64392.23', '25.00', '643'],
    ['0.00000001', '0.01', '25.00', '0'],
    // Lightning: thousandths of a satoshi.
    ['0.00038824565', '64392.23', '25.00', '25000000'],
    ['0.000000000001', '64392.23', '25.00', '0'],
    // A token with 18 decimals, at a rate with many.
    ['25.000000000000000001', '0.999999999999999999', '25.00', '24999999'],
    ['0', '64392.23', '25.00', '0'],
  ])('%s coins at %s for an invoice of %s are %s micro-dollars', (coins, rate, asked, expected) => {
    expect(worth(coins, rate, asked)).toBe(expected);
  });

  it('a fee that the customer pays on top is no part of it, and one above the payment leaves nothing', () => {
    expect(toMicros(minus(exact('1.5'), exact('0.25')))).toBe(1_250_000n);
    expect(minus(exact('0.1'), exact('0.10000001'))).toEqual({ units: 0n, scale: 8 });
  });

  const decimals = fc
    .tuple(fc.bigInt({ min: 0n, max: 10n ** 17n }), fc.integer({ min: 0, max: 18 }))
    .map(([units, scale]): Exact => ({ units, scale }));
  const rates = fc
    .tuple(fc.bigInt({ min: 1n, max: 10n ** 12n }), fc.integer({ min: 0, max: 8 }))
    .map(([units, scale]): Exact => ({ units, scale }));
  const asked = fc.bigInt({ min: 10_000n, max: 2_000_000_000n }).map(micros);

  it('never more than was paid, and less by no more than one smallest unit', () => {
    fc.assert(
      fc.property(decimals, rates, asked, (coins, rate, order) => {
        const value = worthOf(coins, rate, order);
        // More than a ledger holds is cut off there, and refused by it.
        fc.pre(value < MICROS_MAX);
        const scale = 10n ** BigInt(coins.scale + rate.scale);
        const paid = coins.units * rate.units * 1_000_000n;
        expect(value * scale <= paid).toBe(true);
        // One unit of 10^-8 at this rate, and the fraction of a micro-dollar that was cut off.
        const unit = rate.units * 10n ** BigInt(coins.scale) * 1_000_000n;
        expect((paid - (value + 1n) * scale) * 10n ** 8n < unit).toBe(true);
      }),
      { seed: propertySeed('coins') },
    );
  });

  it('the least number of units that pays an invoice is worth exactly the invoice', () => {
    fc.assert(
      fc.property(asked, rates, (order, rate) => {
        // Rounded up to a hundred-millionth, as the server computes what is due.
        const numerator = order * 10n ** BigInt(rate.scale) * 10n ** 8n;
        const due = (numerator + rate.units * 1_000_000n - 1n) / (rate.units * 1_000_000n);
        expect(worthOf({ units: due, scale: 8 }, rate, order)).toBe(order);
        expect(worthOf({ units: due - 1n, scale: 8 }, rate, order) < order).toBe(true);
      }),
      { seed: propertySeed('due') },
    );
  });
});

describe('addresses tell what coins are worth', () => {
  it.each([
    ['BTC', 'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq', true],
    ['BTC', '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa', true],
    ['BTC', '3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy', true],
    ['BTC', 'lnbc25u1p3xyz', true],
    ['BTC', 'tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx', false],
    ['BTC', 'bcrt1q6rhpng9evdsfnn833a4f4vej0asu6dk5srld6x', false],
    ['BTC', 'mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn', false],
    ['BTC', '2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc', false],
    ['BTC', 'lnbcrt25u1p3xyz', false],
    ['BTC', 'lntb25u1p3xyz', false],
    ['BTC', '', null],
    ['BTC', null, null],
    ['XMR', '44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A', null],
  ])('%s %s: %o', (currency, destination, expected) => {
    expect(isLiveDestination(currency, destination)).toBe(expected);
  });
});
