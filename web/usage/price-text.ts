import type { Price } from '../surface.ts';
import { formatDollars, formatQuantity } from '../ui/decimal.ts';

type PriceFacts = Pick<Price, 'kind' | 'unit' | 'amount' | 'tiers' | 'package_size' | 'margin_percent'>;

/** "$0.10 an hour + 10 %". A kind this page has no words for is shown by its own name. */
export function priceText(price: PriceFacts): string {
  const margin = Number(price.margin_percent) === 0 ? '' : ` + ${price.margin_percent} %`;
  return `${BASES[price.kind]?.(price) ?? `${price.kind.replaceAll('_', ' ')}, ${unitOf(price)}`}${margin}`;
}

const unitOf = ({ unit }: PriceFacts): string => unit.replaceAll('_', ' ');

const BASES: Readonly<Record<string, (price: PriceFacts) => string>> = {
  per_hour: ({ amount }) => `${formatDollars(amount)} an hour`,
  per_unit: (price) => `${formatDollars(price.amount)} per ${unitOf(price)}`,
  cost_plus: () => 'The provider’s cost',
  package: (price) =>
    `${formatDollars(price.amount)} for each ${formatQuantity(price.package_size ?? '1')} ${unitOf(price)} begun`,
  tiered: (price) => `per ${unitOf(price)}: ${(price.tiers ?? []).map(tierText).join(', ')}`,
};

/** The last tier has no end. */
const tierText = ({ up_to: upTo, amount }: NonNullable<PriceFacts['tiers']>[number]): string =>
  upTo === null ? `then ${formatDollars(amount)}` : `up to ${formatQuantity(upTo)} ${formatDollars(amount)}`;
