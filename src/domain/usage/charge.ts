import { assert } from '../assert.ts';
import { FRACTIONS_PER_MICRO, wholeOf, type AccountId, type Fraction, type Leg } from '../ledger/posting.ts';
import { micros, type Micros } from '../money.ts';
import { NO_DISCOUNT } from '../discount/ladder.ts';
import { TEN_THOUSAND } from './decimal.ts';
import { countsVolume, unitPriceOf, type Price } from './price.ts';

/** What was used, as far as its price goes. */
export interface Measured {
  /** Millionths of the unit. */
  readonly quantity: bigint;
  /** The price's own unit, or `second` for a price per hour. */
  readonly unit: string;
  /** What the provider charged us for it, in pico-dollars; null when nobody did. */
  readonly cost: bigint | null;
}

/** What it is multiplied by, in ten-thousandths, and whether the provider's cost is a floor. */
export interface Discount {
  readonly multiplier: bigint;
  readonly isFloorAtCost: boolean;
}

export const WITHOUT_DISCOUNT: Discount = { multiplier: NO_DISCOUNT, isFloorAtCost: false };

/** Exact: in parts of a micro-dollar, FRACTIONS_PER_MICRO of them. */
export interface Charge {
  /** Without discount. */
  readonly listParts: bigint;
  readonly parts: bigint;
  /** Of it, what we owe the provider, in whole micro-dollars rounded down; the fraction stays with the margin. */
  readonly cost: Micros;
  readonly isAtFloor: boolean;
}

export type Unpriceable = 'unit_does_not_fit' | 'cost_is_missing' | 'cost_is_not_wanted' | 'quantity_is_too_fine';

export const PARTS_PER_PICO = FRACTIONS_PER_MICRO / 1_000_000n;
const SECONDS_PER_HOUR = 3_600n;
/** Seconds may have four decimals: with more, an hourly price would not come to whole parts. */
const FINEST_SECONDS = 100n;

/**
 * What a record costs.
 *
 * Pure and exact: no division in here has a remainder. quantity · unit price · multiplier, or cost · (1 + margin) · multiplier.
 * Answers a reason where the price does not fit the record.
 */
export function chargeOf(measured: Measured, price: Price, discount: Discount): Charge | Unpriceable {
  const list = listPartsOf(measured, price);
  if (typeof list === 'string') return list;
  const costParts = (measured.cost ?? 0n) * PARTS_PER_PICO;
  const discounted = exactly(list * discount.multiplier, TEN_THOUSAND);
  const isAtFloor = discount.isFloorAtCost && discounted < costParts;
  return {
    listParts: list,
    parts: isAtFloor ? costParts : discounted,
    cost: micros(costParts / FRACTIONS_PER_MICRO),
    isAtFloor,
  };
}

function listPartsOf({ quantity, unit, cost }: Measured, price: Price): bigint | Unpriceable {
  assert(!countsVolume(price), 'what a volume costs is decided where the volume is known');
  if (price.kind === 'cost_plus') {
    if (cost === null) return 'cost_is_missing';
    return exactly(cost * PARTS_PER_PICO * (TEN_THOUSAND + price.margin), TEN_THOUSAND);
  }
  if (cost !== null) return 'cost_is_not_wanted';
  const unitPrice = unitPriceOf(price);
  assert(unitPrice !== null, 'a price was checked to be whole when it was made');
  const parts = quantity * unitPrice * (PARTS_PER_PICO / 1_000_000n);
  if (unit === price.unit) return parts;
  if (price.kind !== 'per_hour' || unit !== 'second') return 'unit_does_not_fit';
  return quantity % FINEST_SECONDS === 0n ? exactly(parts, SECONDS_PER_HOUR) : 'quantity_is_too_fine';
}

function exactly(product: bigint, divisor: bigint): bigint {
  assert(product % divisor === 0n, 'a charge is a whole number of parts');
  return product / divisor;
}

/** Where a charge goes. */
export interface Parties {
  readonly wallet: AccountId;
  /** The margin of what is passed through, or all of what is our own. */
  readonly revenue: AccountId;
  /** Whom we owe the cost; null when there is none. */
  readonly payable: AccountId | null;
}

/** The charge that takes one back. */
export const reverseOf = ({ parts, cost }: Pick<Charge, 'parts' | 'cost'>): Pick<Charge, 'parts' | 'cost'> => ({
  parts: -parts,
  cost: micros(-cost),
});

/** The legs of a charge, and the fraction that its wallet carries on. */
export function postingOf(
  { parts, cost }: Pick<Charge, 'parts' | 'cost'>,
  { wallet, revenue, payable }: Parties,
): { readonly legs: readonly Leg[]; readonly fraction: Fraction } {
  const whole = wholeOf(parts);
  const owed = payable === null ? 0n : cost;
  const legs: Leg[] = [
    { account: wallet, amount: micros(-whole) },
    { account: revenue, amount: micros(whole - owed) },
  ];
  if (payable !== null && owed !== 0n) legs.push({ account: payable, amount: micros(owed) });
  return { legs, fraction: { parts: parts - whole * FRACTIONS_PER_MICRO, payer: wallet, payee: revenue } };
}
