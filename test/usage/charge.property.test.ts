import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideBatch, type LockedAccount } from '../../src/domain/ledger/decide.ts';
import { FRACTIONS_PER_MICRO, liveAccount, type PostingRecord } from '../../src/domain/ledger/posting.ts';
import { micros } from '../../src/domain/money.ts';
import { chargeOf, postingOf, type Charge } from '../../src/domain/usage/charge.ts';
import { unitPriceOf, type Price } from '../../src/domain/usage/price.ts';
import { propertySeed } from '../support/property-seed.ts';

const seed = propertySeed('usage charges');
const WALLET = liveAccount(1n, 'wallet');
const REVENUE = -1n;
const PAYABLE = -2n;

const priceOf = (part: Partial<Price>): Price => ({
  sid: 'p',
  category: 'llm',
  resourceKind: null,
  kind: 'per_unit',
  unit: 'token',
  amount: 0n,
  margin: 0n,
  tiers: [],
  packageSize: null,
  activeFrom: new Date(0),
  ...part,
});

/** A ratio of integers, by schoolbook: shares nothing with the product. */
class Ratio {
  readonly top: bigint;
  readonly bottom: bigint;
  constructor(top: bigint, bottom: bigint) {
    this.top = top;
    this.bottom = bottom;
  }
  plus(other: Ratio): Ratio {
    return new Ratio(this.top * other.bottom + other.top * this.bottom, this.bottom * other.bottom);
  }
  get floor(): bigint {
    return this.top / this.bottom;
  }
  equals(other: Ratio): boolean {
    return this.top * other.bottom === other.top * this.bottom;
  }
}

interface Used {
  readonly charge: Charge;
  /** In micro-dollars, exactly. */
  readonly exact: Ratio;
}

const multipliers = fc.constantFrom(10_000n, 5_000n, 2_500n, 3_333n, 1n, 0n);
const must = (charge: ReturnType<typeof chargeOf>): Charge => {
  if (typeof charge === 'string') throw new Error(charge);
  return charge;
};

const perUnit = fc
  .record({
    quantity: fc.bigInt(0n, 10n ** 12n),
    amount: fc.bigInt(1n, 10n ** 9n),
    margin: fc.constantFrom(0n, 1_000n, 2_500n, 10_000n),
    multiplier: multipliers,
  })
  .filter((one) => unitPriceOf(one) !== null)
  .map(({ quantity, amount, margin, multiplier }): Used => {
    const measured = { quantity, unit: 'token', cost: null };
    const charge = must(chargeOf(measured, priceOf({ amount, margin }), { multiplier, isFloorAtCost: false }));
    const exact = new Ratio(quantity * amount * (10_000n + margin) * multiplier, 10n ** 12n * 10_000n * 10_000n);
    return { charge, exact };
  });

const perHour = fc
  .record({
    seconds: fc.bigInt(0n, 10n ** 9n),
    amount: fc.constantFrom(10n ** 11n, 7n * 10n ** 9n),
    multiplier: multipliers,
  })
  .map(({ seconds, amount, multiplier }): Used => {
    const measured = { quantity: seconds * 100n, unit: 'second', cost: null };
    const price = priceOf({ kind: 'per_hour', unit: 'hour', amount, margin: 1_000n });
    const charge = must(chargeOf(measured, price, { multiplier, isFloorAtCost: false }));
    return {
      charge,
      exact: new Ratio(seconds * 100n * amount * 11n * multiplier, 10n ** 12n * 10n * 3_600n * 10_000n),
    };
  });

const costPlus = fc
  .record({
    cost: fc.bigInt(0n, 10n ** 13n),
    margin: fc.constantFrom(0n, 1_000n, 333n),
    multiplier: multipliers,
    isFloorAtCost: fc.boolean(),
  })
  .map(({ cost, margin, multiplier, isFloorAtCost }): Used => {
    const price = priceOf({ kind: 'cost_plus', unit: 'call', margin });
    const charge = must(chargeOf({ quantity: 1_000_000n, unit: 'call', cost }, price, { multiplier, isFloorAtCost }));
    const discounted = new Ratio(cost * (10_000n + margin) * multiplier, 10n ** 6n * 10_000n * 10_000n);
    const atCost = new Ratio(cost, 10n ** 6n);
    const isBelow = discounted.top * atCost.bottom < atCost.top * discounted.bottom;
    return { charge, exact: isFloorAtCost && isBelow ? atCost : discounted };
  });

const uses = fc.array(fc.oneof(perUnit, perHour, costPlus), { minLength: 1, maxLength: 60 });

let count = 0;
function recordOf({ charge }: Used): PostingRecord {
  count += 1;
  const hex = count.toString(16).padStart(11, '0');
  return {
    idem: `00000000-0000-0000-0000-${hex}0`,
    fingerprint: '00000000-0000-0000-0000-000000000000',
    kind: 'usage',
    ...postingOf(charge, { wallet: WALLET, revenue: REVENUE, payable: PAYABLE }),
    mayOverdraw: true,
    passesFreeze: true,
    occurredAt: new Date(0),
    about: null,
  };
}

/** In batches of whatever sizes, as the lanes make them; answers what the wallet paid and what it carries. */
function pay(all: readonly Used[], sizes: readonly number[]): { readonly paid: bigint; readonly carry: bigint } {
  let account: LockedAccount = { id: WALLET, balance: 0n, seq: 0n, creditFloor: 0n, isFrozen: false, carry: 0n };
  let at = 0;
  for (let round = 0; at < all.length; round += 1) {
    const size = sizes[round % sizes.length] ?? 1;
    const records = all.slice(at, at + size).map(recordOf);
    at += size;
    const decision = decideBatch(
      { accounts: new Map([[WALLET, account]]), prior: new Map(), recordedAt: new Date(0) },
      records,
    );
    expect(decision.outcomes.every(({ kind }) => kind === 'applied')).toBe(true);
    const [moved] = decision.moved;
    if (!moved) throw new Error('a batch of usage moves its wallet');
    const sum = [...decision.entries].reduce((total, entry) => total + entry.amount, 0n);
    const legs = [...decision.systemLegs.values()].reduce((total, amount) => total + amount, 0n);
    expect(sum + legs).toBe(0n);
    account = { ...account, balance: moved.balance, seq: moved.seq, carry: moved.carry };
  }
  return { paid: -account.balance, carry: account.carry };
}

describe('charges', () => {
  it('are exact: no price, quantity or discount that is let in has a remainder', () => {
    fc.assert(
      fc.property(uses, (all) => {
        for (const { charge, exact } of all) {
          expect(new Ratio(charge.parts, FRACTIONS_PER_MICRO).equals(exact)).toBe(true);
        }
      }),
      { seed, numRuns: 300 },
    );
  });

  it('of n records come to their exact rational sum, rounded down once; the rest is what the account carries', () => {
    fc.assert(
      fc.property(uses, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }), (all, sizes) => {
        const exact = all.reduce((sum, one) => sum.plus(one.exact), new Ratio(0n, 1n));
        const { paid, carry } = pay(all, sizes);
        expect(paid).toBe(exact.floor);
        expect(new Ratio(paid * FRACTIONS_PER_MICRO + carry, FRACTIONS_PER_MICRO).equals(exact)).toBe(true);
      }),
      { seed, numRuns: 200 },
    );
  });

  it('come to the same total in any order and in batches of any size', () => {
    fc.assert(
      fc.property(
        uses.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        ([all, shuffled]) => {
          expect(pay(shuffled, [3, 1])).toEqual(pay(all, [7]));
        },
      ),
      { seed, numRuns: 200 },
    );
  });

  it('of a million tokens at $0.00000015 cost 15 cents, one by one', () => {
    const one = must(
      chargeOf({ quantity: 1_000_000n, unit: 'token', cost: null }, priceOf({ amount: 150_000n }), {
        multiplier: 10_000n,
        isFloorAtCost: false,
      }),
    );
    const used = { charge: one, exact: new Ratio(15n, 100n) };
    const thousand = Array.from({ length: 1_000 }, () => used);
    expect(pay(thousand, [250])).toEqual({ paid: 150n, carry: 0n });
    expect(one.parts * 1_000_000n).toBe(150_000n * FRACTIONS_PER_MICRO);
  });

  it('never owe a provider more than the record says, and keep the margin apart', () => {
    const charge = must(
      chargeOf(
        { quantity: 1_000_000n, unit: 'call', cost: 1_234_567n },
        priceOf({ kind: 'cost_plus', margin: 1_000n }),
        { multiplier: 2_500n, isFloorAtCost: true },
      ),
    );
    expect(charge).toMatchObject({ cost: micros(1n), isAtFloor: true });
    const { legs, fraction } = postingOf(charge, { wallet: WALLET, revenue: REVENUE, payable: PAYABLE });
    expect(legs.map(({ account, amount }) => [account, amount])).toEqual([
      [WALLET, -1n],
      [REVENUE, 0n],
      [PAYABLE, 1n],
    ]);
    expect(fraction.parts).toBe((234_567n * FRACTIONS_PER_MICRO) / 1_000_000n);
  });
});
