import { formatDollars, partsOf, textOf } from '../../ui/decimal.ts';

const PRICE_DECIMALS = 12;
const MARGIN_DECIMALS = 2;
/** A margin of 10 is 1.1 times, in ten-thousandths. */
const TEN_THOUSAND = 10_000n;

export interface AskedPrice {
  readonly kind: 'per_unit' | 'per_hour' | 'cost_plus';
  readonly unit: string;
  readonly amount: string;
  readonly margin: string;
}

/**
 * What a price means, in one sentence: "1 hour costs $0.11." Shape: null while the form is not filled in well enough. Exact: an
 * amount and a margin that come to more than 12 decimals have no example, and the server refuses them.
 */
export function exampleOf({ kind, unit, amount, margin }: AskedPrice): string | null {
  const factor = factorOf(margin);
  if (factor === null) return null;
  if (kind === 'cost_plus') {
    const dollar = textOf(factor * 10n ** 8n, PRICE_DECIMALS);
    return `What costs us $1.00 at the provider is charged as ${formatDollars(dollar)}.`;
  }
  const price = partsOf(amount, PRICE_DECIMALS);
  if (price === null || price <= 0n || (price * factor) % TEN_THOUSAND !== 0n) return null;
  const one = (price * factor) / TEN_THOUSAND;
  const cost = (count: bigint): string => formatDollars(textOf(one * count, PRICE_DECIMALS));
  if (kind === 'per_hour') return `1 hour costs ${cost(1n)}, a month of 30 days ${cost(720n)}.`;
  const name = unit.trim() === '' ? 'unit' : unit.trim().replaceAll('_', ' ');
  return `1 ${name} costs ${cost(1n)}, a million of them ${cost(1_000_000n)}.`;
}

function factorOf(margin: string): bigint | null {
  const parts = partsOf(margin.trim() === '' ? '0' : margin, MARGIN_DECIMALS);
  return parts === null || parts < 0n || parts > TEN_THOUSAND ? null : TEN_THOUSAND + parts;
}
