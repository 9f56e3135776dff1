import { assertNever } from '../../domain/assert.ts';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import { parseScaled, PRICE_DECIMALS, QUANTITY_DECIMALS } from '../../domain/usage/decimal.ts';
import { unitPriceOf, type Price, type PriceKind, type Tier } from '../../domain/usage/price.ts';

/** A million dollars a unit is a slip. */
const AMOUNT_MAX = 10n ** 18n;
const MARGIN_MAX = 10_000n;

export interface AskedTerms {
  readonly kind: PriceKind;
  readonly unit: string;
  readonly amount?: string | undefined;
  readonly tiers?: readonly { readonly up_to?: string | undefined; readonly amount: string }[] | undefined;
  readonly package_size?: string | undefined;
  readonly margin_percent: string;
}

export type Terms = Pick<Price, 'amount' | 'margin' | 'tiers' | 'packageSize'>;
type Wrong = { readonly refusal: Refusal };

/** What a price says beside its unit, read and checked to be exact; each kind has its own fields, and no others. */
export function readTerms(asked: AskedTerms): Terms | Wrong {
  const margin = parseScaled(asked.margin_percent, 2);
  if (margin === null || margin > MARGIN_MAX) return no('margin_percent', 'must be 0 to 100 with at most two decimals');
  const alien = FIELDS_OF_ONE_KIND.find(([field, kind]) => asked[field] !== undefined && asked.kind !== kind);
  if (alien) return no(alien[0], `is for prices of kind ${alien[1]} only`);
  switch (asked.kind) {
    case 'cost_plus':
      return asked.amount === undefined
        ? { amount: 0n, margin, tiers: [], packageSize: null }
        : no('amount', 'has no place in cost_plus: the cost comes with the record');
    case 'tiered':
      return readTiers(asked, margin);
    case 'per_unit':
    case 'per_hour':
    case 'package':
      return readAmount(asked, margin);
    default:
      return assertNever(asked.kind);
  }
}

const FIELDS_OF_ONE_KIND = [
  ['tiers', 'tiered'],
  ['package_size', 'package'],
] as const;

function readAmount(asked: AskedTerms, margin: bigint): Terms | Wrong {
  if (asked.kind === 'per_hour' && asked.unit !== 'hour') return no('unit', 'must be "hour" for a price per hour');
  const packageSize = asked.kind === 'package' ? parseScaled(asked.package_size ?? '', QUANTITY_DECIMALS) : null;
  if (asked.kind === 'package' && (packageSize === null || packageSize === 0n))
    return no('package_size', 'must say how many units a package has: decimal text above 0, at most 6 decimals');
  const amount = asked.amount === undefined ? null : parseScaled(asked.amount, PRICE_DECIMALS);
  if (amount === null || amount === 0n || amount > AMOUNT_MAX)
    return no('amount', 'must be US dollars as decimal text, more than 0, with at most 12 decimals');
  return unitPriceOf({ amount, margin }) === null
    ? no('margin_percent', UNEVEN)
    : { amount, margin, tiers: [], packageSize };
}

const UNEVEN = 'with this amount comes to more than 12 decimals of a dollar; round one of them';

function readTiers({ amount, tiers: sent = [] }: AskedTerms, margin: bigint): Terms | Wrong {
  if (amount !== undefined) return no('amount', 'has no place in tiered: each tier has its own');
  if (sent.length === 0) return no('tiers', 'must have at least one tier, the last one without up_to');
  const tiers: Tier[] = [];
  for (const [index, { up_to: end, amount: text }] of sent.entries()) {
    const price = parseScaled(text, PRICE_DECIMALS);
    if (price === null || price > AMOUNT_MAX)
      return no(`tiers/${index}/amount`, 'must be US dollars as decimal text with at most 12 decimals');
    if (unitPriceOf({ amount: price, margin }) === null) return no('margin_percent', UNEVEN);
    const isLast = index === sent.length - 1;
    if (isLast !== (end === undefined))
      return no(`tiers/${index}/up_to`, 'must be there in every tier but the last, which has no end');
    const upTo = end === undefined ? null : parseScaled(end, QUANTITY_DECIMALS);
    if (!isLast && (upTo === null || upTo <= (tiers.at(-1)?.upTo ?? 0n)))
      return no(`tiers/${index}/up_to`, 'must be decimal text, at most 6 decimals, and more than the one before');
    tiers.push({ upTo, amount: price });
  }
  return tiers.some((tier) => tier.amount > 0n)
    ? { amount: 0n, margin, tiers, packageSize: null }
    : no('tiers', 'must have an amount above 0 somewhere');
}

const no = (field: string, detail: string): Wrong => ({ refusal: invalidPrice(field, detail) });

export const invalidPrice = (field: string, detail: string): Refusal =>
  refuse('invalid_request', 'The price is not valid.', { errors: [{ pointer: `#/${field}`, detail }] });
