import { assert, assertNever } from '../assert.ts';
import { micros, type Micros } from '../money.ts';
import { formatScaled, QUANTITY_DECIMALS } from '../usage/decimal.ts';
import { wholeOf, FRACTIONS_PER_MICRO, type PostingRecord } from './posting.ts';

/** One part of a volume, from where the tier before ends. */
export interface VolumeTier {
  /** Millionths of the unit; null: no end. */
  readonly upTo: bigint | null;
  /** Of a millionth of the unit, in parts of a micro-dollar. */
  readonly parts: bigint;
}

/** What a volume costs, as data: so that a posting can carry it to where the volume is known. */
export type VolumeRate =
  /** Each part of the volume at its own tier's price. By rising `upTo`, the last one without end. */
  | { readonly kind: 'tiered'; readonly tiers: readonly VolumeTier[] }
  /** By the package, paid in full when it is begun. */
  | { readonly kind: 'package'; readonly size: bigint; readonly parts: bigint };

/** Names one counter: whose, of what, and from when on it counts. */
export interface CounterKey {
  readonly wallet: bigint;
  readonly counter: string;
  readonly periodStart: Date;
}

/** What a record adds to a counter, and by which rate the counted volume costs. */
export interface Volume extends CounterKey {
  /** Millionths of the unit; negative takes back. */
  readonly quantity: bigint;
  readonly rate: VolumeRate;
  /** The most that the record may cost; null: no limit. */
  readonly chargeMax: Micros | null;
}

export const counterKey = ({ wallet, counter, periodStart }: CounterKey): string =>
  `${wallet}/${counter}@${periodStart.getTime()}`;

/**
 * What a whole volume costs, exactly, in parts of a micro-dollar.
 *
 * Pure. A record costs the difference that it makes to this; so the records of a period come to the cost of their sum, in
 * whatever order they arrive.
 */
export function partsOfVolume(rate: VolumeRate, quantity: bigint): bigint {
  assert(quantity >= 0n, 'a counter is not negative');
  switch (rate.kind) {
    case 'tiered':
      return partsOfTiers(rate.tiers, quantity);
    case 'package':
      return ((quantity + rate.size - 1n) / rate.size) * rate.parts;
    default:
      return assertNever(rate);
  }
}

function partsOfTiers(tiers: readonly VolumeTier[], quantity: bigint): bigint {
  let parts = 0n;
  let from = 0n;
  for (const tier of tiers) {
    const until = tier.upTo === null || tier.upTo > quantity ? quantity : tier.upTo;
    if (until <= from) break;
    parts += (until - from) * tier.parts;
    from = until;
  }
  assert(from === quantity, 'the last tier has no end');
  return parts;
}

/** The record with its amounts, for a counter that stands at `before`; its text says where the counter stood and went, and the exact charge. */
export function countedRecord(record: PostingRecord, { quantity, rate }: Volume, before: bigint): PostingRecord {
  const { fraction, about } = record;
  assert(fraction !== undefined && record.legs.length === 2, 'a counted record is paid by one leg to another');
  const after = before + quantity;
  const parts = partsOfVolume(rate, after) - partsOfVolume(rate, before);
  const whole = wholeOf(parts);
  const counted = {
    volume: { before: formatScaled(before, QUANTITY_DECIMALS), after: formatScaled(after, QUANTITY_DECIMALS) },
    parts: parts.toString(),
  };
  return {
    ...record,
    legs: record.legs.map(({ account }) => ({ account, amount: micros(account === fraction.payer ? -whole : whole) })),
    fraction: { ...fraction, parts: parts - whole * FRACTIONS_PER_MICRO },
    about: JSON.stringify({ ...(about === null ? {} : (JSON.parse(about) as object)), ...counted }),
  };
}
