import { describe, expect, test } from 'vitest';
import { exampleOf } from '../../web/operator/prices/example.ts';
import { stated } from '../../web/operator/prices/state.ts';
import { stateOf, stretchesOf } from '../../web/operator/ladders/state.ts';
import { readWish, wishLike } from '../../web/operator/ladders/wish.ts';
import { priceText } from '../../web/usage/price-text.ts';
import { usedIn } from '../../web/usage/words.ts';
import type { Ladder, Price } from '../../web/surface.ts';
import { formatDollars, formatQuantity, partsOf, textOf } from '../../web/ui/decimal.ts';

describe('decimals finer than money', () => {
  test.each([
    ['0.000152777777777777777777', '$0.000152777777777777777777'],
    ['-1234567.5', '\u2212$1,234,567.50'],
    ['0.1', '$0.10'],
    ['12', '$12.00'],
  ])('%s is shown as %s, digit for digit', (text, shown) => {
    expect(formatDollars(text)).toBe(shown);
  });

  test.each([
    ['1204.50', '1,204.5'],
    ['-2', '\u22122'],
    ['0.000001', '0.000001'],
    ['many', 'many'],
  ])('a quantity of %s is shown as %s', (text, shown) => {
    expect(formatQuantity(text)).toBe(shown);
  });

  test('parts and back are the same, and what is finer is not read', () => {
    expect(textOf(partsOf('0.120000000001', 12) ?? 0n, 12)).toBe('0.120000000001');
    expect(textOf(partsOf('-3.5', 4) ?? 0n, 4)).toBe('-3.5');
    expect([partsOf('0.12345', 4), partsOf('1e3', 4), partsOf('', 4)]).toEqual([null, null, null]);
  });
});

describe('the example of a price', () => {
  const asked = { kind: 'per_hour', unit: '', amount: '0.1', margin: '10' } as const;
  test.each([
    [asked, '1 hour costs $0.11, a month of 30 days $79.20.'],
    [
      { ...asked, kind: 'per_unit', unit: 'token', amount: '0.0000015', margin: '' },
      '1 token costs $0.0000015, a million of them $1.50.',
    ],
    [
      { ...asked, kind: 'cost_plus', amount: '', margin: '12.5' },
      'What costs us $1.00 at the provider is charged as $1.125.',
    ],
    // What the server would refuse has no example.
    [{ ...asked, amount: '0.123456789012' }, null],
    [{ ...asked, amount: '0' }, null],
    [{ ...asked, margin: '101' }, null],
    [{ ...asked, amount: 'ten' }, null],
  ] as const)('%o: %s', (price, sentence) => {
    expect(exampleOf(price)).toBe(sentence);
  });
});

const NOW = Date.UTC(2026, 5, 15);
const at = (day: number): string => new Date(Date.UTC(2026, 5, day)).toISOString();

describe('what was used, in words', () => {
  test.each([
    ['1', 'hour', 'small · 1 hour'],
    ['1.0', 'hour', 'small · 1 hour'],
    ['1.5', 'hour', 'small · 1.5 hours'],
    ['-3', 'call', 'small · \u22123 calls'],
    ['20', 'gib_month', 'small · 20 gib month'],
  ])('%s of %s: %s', (quantity, unit, words) => {
    expect(usedIn({ resource: 'small', quantity, unit })).toBe(words);
  });
});

describe('a price in words', () => {
  const price = { unit: 'gib', amount: '5', margin_percent: '10', tiers: null, package_size: null } as const;
  test.each([
    [{ ...price, kind: 'per_hour', margin_percent: '0' }, '$5.00 an hour'],
    [{ ...price, kind: 'per_unit' }, '$5.00 per gib + 10 %'],
    [{ ...price, kind: 'cost_plus' }, 'The provider’s cost + 10 %'],
    [{ ...price, kind: 'package', package_size: '1000' }, '$5.00 for each 1,000 gib begun + 10 %'],
    [
      {
        ...price,
        kind: 'tiered',
        tiers: [
          { up_to: '100', amount: '0' },
          { up_to: null, amount: '0.02' },
        ],
      },
      'per gib: up to 100 $0.00, then $0.02 + 10 %',
    ],
  ] as const)('%o: %s', (asked, words) => {
    expect(priceText({ ...asked, tiers: asked.tiers && [...asked.tiers] })).toBe(words);
  });
});

describe('what has become of a price', () => {
  test('the latest that has begun is active, each resource for itself; those to come are future', () => {
    const price = (sid: string, resource: string | null, day: number): Price => ({
      sid,
      category: 'vm',
      resource_kind: resource,
      kind: 'per_hour',
      unit: 'hour',
      amount: '1',
      tiers: null,
      package_size: null,
      margin_percent: '0',
      active_from: at(day),
      created_at: at(1),
      is_backdated: false,
    });
    const prices = [price('a', null, 1), price('b', null, 15), price('c', null, 16), price('d', 'c4', 2)];
    expect(stated(prices, NOW).map(({ price: { sid }, state }) => `${sid} ${state}`)).toEqual([
      'b active',
      'd active',
      'c future',
      'a past',
    ]);
  });
});

describe('a ladder', () => {
  const version = (number: number, day: number): Ladder => ({
    category: 'llm',
    version: number,
    rungs: [],
    grace_days: 7,
    floor_at_cost: true,
    active_from: at(day),
  });

  test('of those that have begun the latest version counts, and it takes the place of what was to come', () => {
    const all = [version(1, 1), version(2, 20), version(3, 10), version(4, 25)];
    expect(all.map((one) => stateOf(one, all, NOW))).toEqual(['replaced', 'replaced', 'active', 'future']);
  });

  test('reads as stretches without a gap', () => {
    expect(
      stretchesOf([
        { after_days: 7, multiplier: '0.5' },
        { after_days: 30, multiplier: '0.25' },
      ]),
    ).toEqual([
      { days: 'the first 7 days', multiplier: '1' },
      { days: 'day 7 to 30', multiplier: '0.5' },
      { days: 'from day 30 on', multiplier: '0.25' },
    ]);
    expect(stretchesOf([])).toEqual([{ days: 'always', multiplier: '1' }]);
  });

  test('is refused at the rung that is wrong', () => {
    const wish = wishLike('llm', {
      ...version(1, 1),
      rungs: [
        { after_days: 7, multiplier: '0.5' },
        { after_days: 7, multiplier: '0.5' },
      ],
    });
    expect(readWish({ ...wish, graceDays: '0' })).toEqual({
      errors: {
        rungs: [{}, { days: 'More days than the rung before.', multiplier: 'Less than the rung before.' }],
        graceDays: 'Write a whole number of days, 1 to 365.',
      },
    });
    expect(readWish({ ...wish, rungs: [] })).toEqual({
      body: { category: 'llm', rungs: [], grace_days: 7, floor_at_cost: true },
    });
  });
});
