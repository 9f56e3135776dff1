import { partsOfVolume } from '../../domain/ledger/volume.ts';
import { parseScaled, QUANTITY_DECIMALS } from '../../domain/usage/decimal.ts';
import type { Price } from '../../domain/usage/price.ts';
import { monthOf, rateOf } from '../../domain/usage/volume-price.ts';
import type { UsageAbout } from './usage-about.ts';
import { dollarsOf, type Step } from './explain-steps.ts';

/**
 * The charge of a record that a month's volume decided, made again: what the volume cost after it, less what it cost before.
 *
 * Where the counter stood is taken from the record; that each stood where the one before it ended is proved by `ledger check`.
 */
export function explainVolume(
  about: UsageAbout & { readonly volume: NonNullable<UsageAbout['volume']> },
  price: Price,
  occurredAt: Date,
): { readonly steps: readonly Step[]; readonly parts: bigint } | null {
  const read = (text: string): bigint | null => parseScaled(text, QUANTITY_DECIMALS);
  const [before, after, quantity] = [read(about.volume.before), read(about.volume.after), read(about.quantity)];
  if (before === null || after === null || quantity === null || after - before !== quantity) return null;
  const rate = rateOf(price);
  const [costBefore, costAfter] = [partsOfVolume(rate, before), partsOfVolume(rate, after)];
  const month = monthOf(occurredAt).toISOString().slice(0, 7);
  const volumeOf = (text: string): string => `${text} ${about.unit}`;
  return {
    steps: [
      { what: `The volume of ${month} with it, ${volumeOf(about.volume.after)}, costs`, amount: dollarsOf(costAfter) },
      { what: `The volume before it, ${volumeOf(about.volume.before)}, costs`, amount: dollarsOf(costBefore) },
      { what: `The difference, for ${volumeOf(about.quantity)}`, amount: dollarsOf(costAfter - costBefore) },
    ],
    parts: costAfter - costBefore,
  };
}
