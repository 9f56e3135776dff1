import type { Price } from '../surface.ts';
import { formatDollars } from '../ui/decimal.ts';

type PriceFacts = Pick<Price, 'kind' | 'unit' | 'amount' | 'margin_percent'>;

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
};
