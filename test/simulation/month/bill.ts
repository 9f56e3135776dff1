import { Fraction } from './fraction.ts';

/** One thing that was used, in the words of the report that told it. */
export interface Used {
  readonly idempotency_key: string;
  readonly user_sid: string;
  readonly applies_to: string;
  readonly resource_kind: string;
  readonly quantity?: string;
  readonly unit?: string;
  readonly cost?: string;
  readonly provider?: string;
  readonly occurred_at: string;
}

/** A price as an operator set it: dollars a unit, or null where the provider's cost comes with the record. */
export interface PriceSet {
  readonly category: string;
  readonly resource: string | null;
  readonly amount: string | null;
  readonly marginPercent: string;
  readonly fromMs: number;
}

const DAY_MS = 86_400_000;
const GRACE_DAYS = 7;
/** Days of continuous use, and what the price is multiplied by from then on; the last first. */
const RUNGS = [
  [30, new Fraction(1n, 4n)],
  [7, new Fraction(1n, 2n)],
] as const;
const WITHOUT_LADDER = new Set(['storage']);
const FULL = new Fraction(1n);
const MICROS = new Fraction(1_000_000n);

/**
 * What records cost, in micro-dollars and exactly, worked out from the documents alone: dated prices, the ladder over runs of
 * continuous use, the provider's cost as a floor.
 *
 * The runs are those of everything that was used, in the order in which it happened. The product knows only what had arrived; the
 * month keeps its outages short enough that no rung is another one for that.
 */
export function priced(all: readonly Used[], prices: readonly PriceSet[]): Map<string, Fraction> {
  const costs = new Map<string, Fraction>();
  for (const [category, records] of byCategory(all)) {
    let startMs = Number.NEGATIVE_INFINITY;
    let lastMs = Number.NEGATIVE_INFINITY;
    for (const record of records) {
      const atMs = Date.parse(record.occurred_at);
      if (atMs - lastMs > GRACE_DAYS * DAY_MS) startMs = atMs;
      lastMs = atMs;
      const days = (atMs - startMs) / DAY_MS;
      const rung = WITHOUT_LADDER.has(category) ? FULL : (RUNGS.find(([from]) => days >= from)?.[1] ?? FULL);
      costs.set(record.idempotency_key, dollarsOf(record, priceOf(record, prices), rung).times(MICROS));
    }
  }
  return costs;
}

/** Of one user, each category in the order in which it was used. */
function byCategory(all: readonly Used[]): Map<string, Used[]> {
  const grouped = new Map<string, Used[]>();
  for (const record of all) {
    const records = grouped.get(record.applies_to);
    if (records) records.push(record);
    else grouped.set(record.applies_to, [record]);
  }
  for (const records of grouped.values()) {
    records.sort((one, other) => Date.parse(one.occurred_at) - Date.parse(other.occurred_at));
  }
  return grouped;
}

function priceOf(record: Used, prices: readonly PriceSet[]): PriceSet {
  const atMs = Date.parse(record.occurred_at);
  const active = prices
    .filter(({ category, fromMs }) => category === record.applies_to && fromMs <= atMs)
    .toSorted((one, other) => other.fromMs - one.fromMs);
  const price = active.find(({ resource }) => resource === record.resource_kind) ?? active.find(isForAll);
  if (!price) throw new Error(`nothing has a price for ${JSON.stringify(record)}`);
  return price;
}

const isForAll = ({ resource }: PriceSet): boolean => resource === null;

function dollarsOf(record: Used, { amount, marginPercent }: PriceSet, rung: Fraction): Fraction {
  const withMargin = FULL.plus(Fraction.of(marginPercent).times(new Fraction(1n, 100n)));
  if (amount === null) {
    const cost = Fraction.of(record.cost ?? '0');
    const discounted = cost.times(withMargin).times(rung);
    return discounted.isLessThan(cost) ? cost : discounted;
  }
  const quantity = Fraction.of(record.quantity ?? '1').times(new Fraction(1n, record.unit === 'second' ? 3_600n : 1n));
  return quantity.times(Fraction.of(amount)).times(withMargin).times(rung);
}
