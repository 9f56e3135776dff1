import { z } from 'zod';
import { PRICE_DECIMALS, QUANTITY_DECIMALS, formatScaled } from '../../domain/usage/decimal.ts';
import { PRICE_KINDS } from '../../domain/usage/price.ts';
import type { PriceRow } from '../../store/price.ts';
import { instant, sidField } from '../schema.ts';

/** A category of usage: also the word after `revenue:`. */
export const CATEGORY_FORM = /^[a-z][a-z0-9_]{0,31}$/;
export const RESOURCE_KIND_FORM = /^[\x21-\x7e]{1,100}$/;

export const categoryField = z
  .string()
  .regex(CATEGORY_FORM, 'must be 1 to 32 of a-z, 0-9 and _, beginning with a letter')
  .describe('hero_os_hourly, llm, vm, …');

export const resourceKindField = z
  .string()
  .regex(RESOURCE_KIND_FORM, 'must be 1 to 100 visible ASCII characters')
  .describe('What was used, for example a size or a model.');

export const priceSchema = z
  .object({
    sid: sidField,
    category: categoryField,
    resource_kind: z.string().nullable().describe('Null: everything of the category that has no price of its own.'),
    kind: z.enum(PRICE_KINDS),
    unit: z.string(),
    amount: z
      .string()
      .describe('US dollars a unit, or a package, before the margin, as decimal text with at most 12 decimals.'),
    tiers: z
      .array(z.object({ up_to: z.string().nullable(), amount: z.string() }))
      .nullable()
      .describe(
        'Of a tiered price: where each part of a month’s volume ends, null without end, and US dollars a unit of it.',
      ),
    package_size: z.string().nullable().describe('Of a package: how many units it has.'),
    margin_percent: z.string().describe('On top of the amount, or of the cost.'),
    active_from: instant,
    created_at: instant,
    is_backdated: z.boolean().describe('Whether it began before it was made, to put another one right.'),
  })
  .meta({ id: 'Price' });

export function toPrice(price: PriceRow): z.input<typeof priceSchema> {
  return {
    sid: price.sid,
    category: price.category,
    resource_kind: price.resourceKind,
    kind: price.kind,
    unit: price.unit,
    amount: formatScaled(price.amount, PRICE_DECIMALS),
    tiers:
      price.tiers.length === 0
        ? null
        : price.tiers.map(({ upTo, amount }) => ({
            up_to: upTo === null ? null : formatScaled(upTo, QUANTITY_DECIMALS),
            amount: formatScaled(amount, PRICE_DECIMALS),
          })),
    package_size: price.packageSize === null ? null : formatScaled(price.packageSize, QUANTITY_DECIMALS),
    margin_percent: formatScaled(price.margin, 2),
    active_from: price.activeFrom.toISOString(),
    created_at: price.createdAt.toISOString(),
    is_backdated: price.isBackdated,
  };
}
