import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideBatch, type LockedAccount } from '../../src/domain/ledger/decide.ts';
import { FRACTIONS_PER_MICRO, liveAccount, type PostingRecord } from '../../src/domain/ledger/posting.ts';
import { counterKey } from '../../src/domain/ledger/volume.ts';
import { unitPriceOf, type Price } from '../../src/domain/usage/price.ts';
import { countedPostingOf, volumeBy } from '../../src/operations/usage/count-volume.ts';
import { propertySeed } from '../support/property-seed.ts';

const seed = propertySeed('volume prices');
const WALLET = liveAccount(1n, 'wallet');
const REVENUE = -1n;
const MONTHS = [new Date('2026-01-31T23:59:59.999Z'), new Date('2026-02-01T00:00:00Z')] as const;

/** A ratio of integers, by schoolbook: shares nothing with the product. */
interface Ratio {
  readonly top: bigint;
  readonly bottom: bigint;
}
const plus = (one: Ratio, other: Ratio): Ratio => ({
  top: one.top * other.bottom + other.top * one.bottom,
  bottom: one.bottom * other.bottom,
});
const ZERO: Ratio = { top: 0n, bottom: 1n };

const priceOf = (part: Partial<Price>): Price => ({
  sid: 'p',
  category: 'traffic',
  resourceKind: null,
  kind: 'tiered',
  unit: 'gib',
  amount: 0n,
  margin: 0n,
  tiers: [],
  packageSize: null,
  activeFrom: new Date(0),
  ...part,
});

const margins = fc.constantFrom(0n, 1_000n, 2_500n, 10_000n);
const isWhole = (amount: bigint, margin: bigint): boolean => unitPriceOf({ amount, margin }) !== null;

const tieredPrices = fc
  .record({
    ends: fc.uniqueArray(fc.bigInt(1n, 10n ** 10n), { maxLength: 5 }),
    amounts: fc.array(fc.bigInt(0n, 10n ** 11n), { minLength: 6, maxLength: 6 }),
    margin: margins,
  })
  .filter(({ amounts, margin }) => amounts.every((amount) => isWhole(amount, margin)))
  .map(({ ends, amounts, margin }) => {
    const upTo = [...ends.toSorted((one, other) => (one < other ? -1 : 1)), null];
    return priceOf({ margin, tiers: upTo.map((end, index) => ({ upTo: end, amount: amounts[index] ?? 0n })) });
  });
const packagePrices = fc
  .record({ packageSize: fc.bigInt(1n, 10n ** 9n), amount: fc.bigInt(1n, 10n ** 12n), margin: margins })
  .filter(({ amount, margin }) => isWhole(amount, margin))
  .map((terms) => priceOf({ kind: 'package', ...terms }));
const prices = fc.oneof(tieredPrices, packagePrices);

/** In micro-dollars: the volume millionth by millionth would be too slow, so tier by tier from the top down. */
function exactCost(price: Price, volume: bigint): Ratio {
  const margin = 10_000n + price.margin;
  if (price.kind === 'package') {
    const size = price.packageSize ?? 1n;
    let packages = volume / size;
    if (packages * size < volume) packages += 1n;
    return { top: packages * price.amount * margin, bottom: 10n ** 6n * 10_000n };
  }
  let sum = ZERO;
  let left = volume;
  for (let index = price.tiers.length - 1; index >= 0; index -= 1) {
    const from = index === 0 ? 0n : (price.tiers[index - 1]?.upTo ?? 0n);
    if (left <= from) continue;
    const amount = price.tiers[index]?.amount ?? 0n;
    sum = plus(sum, { top: (left - from) * amount * margin, bottom: 10n ** 6n * 10n ** 6n * 10_000n });
    left = from;
  }
  return sum;
}

interface Used {
  readonly key: number;
  readonly quantity: bigint;
  readonly month: 0 | 1;
  /** Taken back: the opposite of the one with the same key. */
  readonly isBack: boolean;
}

function recordOf(price: Price, { key, quantity, month, isBack }: Used): PostingRecord {
  const occurredAt = MONTHS[month];
  const volume = volumeBy(price, { wallet: 1n, occurredAt, quantity: isBack ? -quantity : quantity, chargeMax: null });
  return {
    idem: `00000000-0000-000${isBack ? 1 : 0}-0000-${key.toString(16).padStart(11, '0')}0`,
    fingerprint: '00000000-0000-0000-0000-000000000000',
    kind: 'usage',
    ...countedPostingOf(volume, { wallet: WALLET, revenue: REVENUE }),
    mayOverdraw: true,
    passesFreeze: true,
    occurredAt,
    about: JSON.stringify({ key }),
  };
}

interface Paid {
  readonly paid: bigint;
  readonly carry: bigint;
  readonly counters: ReadonlyMap<string, bigint>;
  readonly parts: bigint;
}

/** In batches of whatever sizes, as the lanes make them, with what was posted before known as the ledger knows it. */
function pay(price: Price, all: readonly Used[], sizes: readonly number[]): Paid {
  let account: LockedAccount = { id: WALLET, balance: 0n, seq: 0n, creditFloor: 0n, isFrozen: false, carry: 0n };
  const counters = new Map<string, bigint>();
  const prior = new Map<string, { fingerprint: string; outcome: { kind: 'applied'; entries: [] } }>();
  let parts = 0n;
  let at = 0;
  for (let round = 0; at < all.length; round += 1) {
    const size = sizes[round % sizes.length] ?? 1;
    const records = all.slice(at, at + size).map((used) => recordOf(price, used));
    at += size;
    for (const { volume } of records)
      if (volume && !counters.has(counterKey(volume))) counters.set(counterKey(volume), 0n);
    const decision = decideBatch(
      { accounts: new Map([[WALLET, account]]), prior, recordedAt: new Date(0), counted: counters },
      records,
    );
    for (const [index, { idem, fingerprint }] of records.entries()) {
      const kind = decision.outcomes[index]?.kind;
      expect(kind).toBe(prior.has(idem) ? 'duplicate' : 'applied');
      prior.set(idem, { fingerprint, outcome: { kind: 'applied', entries: [] } });
    }
    const legs = [...decision.systemLegs.values()].reduce((sum, amount) => sum + amount, 0n);
    expect(decision.entries.reduce((sum, { amount }) => sum + amount, 0n) + legs).toBe(0n);
    for (const { about } of decision.entries) parts += BigInt((JSON.parse(about ?? '') as { parts: string }).parts);
    for (const counting of decision.countings)
      counters.set(counterKey(counting), (counters.get(counterKey(counting)) ?? 0n) + counting.quantity);
    const [moved] = decision.moved;
    if (moved) account = { ...account, balance: moved.balance, seq: moved.seq, carry: moved.carry };
  }
  return { paid: -account.balance, carry: account.carry, counters, parts };
}

const quantities = fc.oneof(fc.bigInt(0n, 100n), fc.bigInt(0n, 10n ** 10n));
const uses = fc
  .array(fc.record({ quantity: quantities, month: fc.constantFrom(0 as const, 1 as const) }), {
    minLength: 1,
    maxLength: 40,
  })
  .map((all) => all.map((one, key): Used => ({ ...one, key, isBack: false })));
const batches = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 });

/** What the months cost, exactly. */
function exactTotal(price: Price, all: readonly Used[]): Ratio {
  const volumeOf = (month: 0 | 1): bigint =>
    all.reduce((sum, one) => (one.month === month ? sum + (one.isBack ? -one.quantity : one.quantity) : sum), 0n);
  return plus(exactCost(price, volumeOf(0)), exactCost(price, volumeOf(1)));
}

/** The wallet has paid the exact sum rounded down, and carries exactly the rest. */
function expectExact({ paid, carry }: Paid, { top, bottom }: Ratio): void {
  expect(paid).toBe(top / bottom);
  expect((paid * FRACTIONS_PER_MICRO + carry) * bottom).toBe(top * FRACTIONS_PER_MICRO);
}

/** A void comes after its record; else the order is any. */
const anyOrder = (all: readonly Used[], voided: readonly number[]) =>
  fc.shuffledSubarray([...all, ...voided.flatMap((key) => all.filter((one) => one.key === key))], {
    minLength: all.length + voided.length,
  });

describe('charges by volume', () => {
  it('come to the exact cost of each month’s volume, rounded down once, in any order and any batches', () => {
    fc.assert(
      fc.property(
        prices,
        uses.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        batches,
        (price, [all, shuffled], sizes) => {
          const inOrder = pay(price, all, sizes);
          expectExact(inOrder, exactTotal(price, all));
          expect(inOrder.parts).toBe(inOrder.paid * FRACTIONS_PER_MICRO + inOrder.carry);
          expect(pay(price, shuffled, [3, 1])).toEqual({ ...inOrder, counters: expect.anything() });
        },
      ),
      { seed, numRuns: 300 },
    );
  });

  it('are not changed by records that come again, in the same batch or a later one', () => {
    fc.assert(
      fc.property(prices, uses, fc.array(fc.nat(39), { maxLength: 20 }), batches, (price, all, again, sizes) => {
        const repeated = again.flatMap((key) => all.filter((one) => one.key === key));
        expect(pay(price, [...all, ...repeated], sizes)).toEqual(pay(price, all, sizes));
      }),
      { seed, numRuns: 200 },
    );
  });

  it('that are taken back leave the exact cost of what is left; posted again they are as they were', () => {
    const some = uses.chain((all) =>
      fc.uniqueArray(fc.nat(all.length - 1), { maxLength: all.length }).chain((voided) =>
        anyOrder(all, voided).map((order) => {
          const seen = new Set<number>();
          const steps = order.map((one) => {
            const isBack = seen.has(one.key);
            seen.add(one.key);
            return { ...one, isBack };
          });
          return { all, voided, steps };
        }),
      ),
    );
    fc.assert(
      fc.property(prices, some, batches, (price, { all, voided, steps }, sizes) => {
        const after = pay(price, steps, sizes);
        expectExact(after, exactTotal(price, steps));
        const posted = voided.flatMap((key) => all.filter((one) => one.key === key));
        const again = posted.map((one) => ({ ...one, key: one.key + 1_000 }));
        const whole = pay(price, [...steps, ...again], sizes);
        const plain = pay(price, all, sizes);
        expect([whole.paid, whole.carry]).toEqual([plain.paid, plain.carry]);
      }),
      { seed, numRuns: 200 },
    );
  });
});
