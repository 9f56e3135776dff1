import { assert } from '../assert.ts';
import type { VolumeRate } from '../ledger/volume.ts';
import { PARTS_PER_PICO, type Measured, type Unpriceable } from './charge.ts';
import { countsVolume, unitPriceOf, type Price } from './price.ts';

/** The month of an instant in UTC, by its first instant. */
export const monthOf = (at: Date): Date => new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), 1));

/** What the volume of a month costs by a price that counts it. */
export function rateOf(price: Pick<Price, 'kind' | 'amount' | 'margin' | 'tiers' | 'packageSize'>): VolumeRate {
  if (price.kind === 'tiered') {
    const tiers = price.tiers.map(({ upTo, amount }) => ({
      upTo,
      parts: wholePrice({ amount, margin: price.margin }) * (PARTS_PER_PICO / 1_000_000n),
    }));
    return { kind: 'tiered', tiers };
  }
  assert(price.packageSize !== null, 'a price that counts volume is tiered, or by the package');
  return { kind: 'package', size: price.packageSize, parts: wholePrice(price) * PARTS_PER_PICO };
}

function wholePrice(price: Pick<Price, 'amount' | 'margin'>): bigint {
  const whole = unitPriceOf(price);
  assert(whole !== null, 'a price was checked to be whole when it was made');
  return whole;
}

/** What a record adds to the volume, in millionths of the unit; a reason where the price does not fit it. */
export function volumeOf({ quantity, unit, cost }: Measured, price: Price): bigint | Unpriceable {
  if (cost !== null) return 'cost_is_not_wanted';
  return unit === price.unit ? quantity : 'unit_does_not_fit';
}

/** Whether a price that counts volume counts for anything that happens at an instant or after it. */
export function hasVolumePriceFrom(prices: readonly Price[], category: string, from: Date): boolean {
  return prices.some((price) => {
    if (price.category !== category || !countsVolume(price)) return false;
    return !prices.some((later) => isNext(price, later) && later.activeFrom <= from);
  });
}

const isNext = (price: Price, later: Price): boolean =>
  later.category === price.category && later.resourceKind === price.resourceKind && later.activeFrom > price.activeFrom;
