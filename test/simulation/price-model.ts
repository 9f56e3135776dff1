import type { History, Intent } from './history.ts';
import { micros } from './ledger-model.ts';
import type { SentRecord } from './reporters.ts';

/** Parts of a micro-dollar: every price, quantity and rung comes to a whole number of them. */
export const PARTS = 3_600n * 10n ** 20n;

interface Dated {
  readonly sid: string;
  readonly activeMs: number;
  /** Whether it counts before others of the same instant: a price for one resource before the category's. */
  readonly isOwn: boolean;
  /** It may have been read from here on … */
  readonly fromStep: number;
  /** … and must have been from here on. */
  readonly surelyFromStep: number;
}

export interface ModelPrice extends Dated {
  readonly provider: string;
  readonly model: string;
  /** Pico-dollars a token. */
  readonly input: bigint;
  readonly cached: bigint;
  readonly output: bigint;
}

export interface Price extends Dated {
  readonly category: string;
  readonly resource: string | null;
  readonly kind: string;
  /** Pico-dollars. */
  readonly amount: bigint;
  /** Millionths of the unit and pico-dollars, by rising end. */
  readonly tiers: readonly { readonly upTo: bigint | null; readonly amount: bigint }[];
  readonly packageSize: bigint;
  readonly marginPercent: bigint;
}

/** Named as the ledger names them. */
export interface PriceRows {
  readonly prices: readonly { sid: string; category: string; resource_kind: string | null; active_from: Date }[];
  readonly models: readonly { sid: string; provider: string; model: string; active_from: Date }[];
}

export interface Asked {
  readonly category: string;
  readonly resource: string;
  readonly occurredMs: number;
}

const ALWAYS = { activeMs: Date.UTC(2020, 0, 1), isOwn: false, fromStep: 0, surelyFromStep: 0, resource: null };
const WITHOUT = { amount: 0n, tiers: [], packageSize: 0n };
/** What the house begins with: 0.10 an hour and 10 %; cost and 10 %. */
const DEFAULTS: readonly Price[] = [
  {
    ...ALWAYS,
    ...WITHOUT,
    sid: '00000000000000000000000001',
    category: 'hero_os_hourly',
    kind: 'per_hour',
    amount: 100_000_000_000n,
    marginPercent: 10n,
  },
  { ...ALWAYS, ...WITHOUT, sid: '00000000000000000000000002', category: 'llm', kind: 'cost_plus', marginPercent: 10n },
];

/** The dated prices as operators asked for them, and what records cost by them, in the oracle's own arithmetic. */
export class PriceModel {
  readonly #prices = new Map<string, Price>();
  readonly #models = new Map<string, ModelPrice>();

  constructor(history: History, rows: PriceRows) {
    for (const price of DEFAULTS) this.#prices.set(price.sid, price);
    const created = history.intents.filter(({ operation }) => operation === 'price.create');
    for (const row of rows.prices) {
      const intent = created.find(
        ({ input }) => isOf(input, row) && (input['resource_kind'] ?? null) === row.resource_kind,
      );
      if (intent && !this.#prices.has(row.sid)) this.#prices.set(row.sid, priceOf(intent, row.sid));
    }
    const models = history.intents.filter(({ operation }) => operation === 'model-price.create');
    for (const row of rows.models) {
      const intent = models.find(
        ({ input }) =>
          input['model'] === row.model && Date.parse(String(input['active_from'])) === row.active_from.getTime(),
      );
      if (intent) this.#models.set(row.sid, modelPriceOf(intent, row.sid));
    }
  }

  price(sid: unknown): Price | undefined {
    return this.#prices.get(String(sid));
  }

  /** Whether somebody who looked between the two steps may have found this price for it. */
  isRight(sid: unknown, asked: Asked, fromStep: number, untilStep: number): boolean {
    const of = [...this.#prices.values()].filter(
      ({ category, resource }) => category === asked.category && (resource === null || resource === asked.resource),
    );
    return isRightAmong(of, sid, asked.occurredMs, fromStep, untilStep);
  }

  /** All that {@link isRight} is true of. */
  rightOnes(asked: Asked, fromStep: number, untilStep: number): Price[] {
    return [...this.#prices.values()].filter(({ sid }) => this.isRight(sid, asked, fromStep, untilStep));
  }

  isRightModelPrice(sid: unknown, record: SentRecord, at: { ms: number; from: number; until: number }): boolean {
    const of = [...this.#models.values()].filter(
      ({ provider, model }) => provider === record.provider && model === record.resource_kind,
    );
    return isRightAmong(of, sid, at.ms, at.from, at.until);
  }

  /** What the provider is owed for it, in pico-dollars. */
  costOf({ cost, tokens }: SentRecord, modelPriceSid: unknown): bigint {
    if (cost !== undefined) return scaled(cost, 12);
    const model = this.#models.get(String(modelPriceSid));
    if (!tokens || !model) return 0n;
    const { input, output, cached_input: cached = 0 } = tokens;
    return BigInt(input - cached) * model.input + BigInt(cached) * model.cached + BigInt(output) * model.output;
  }
}

function isRightAmong(all: readonly Dated[], sid: unknown, atMs: number, fromStep: number, untilStep: number): boolean {
  const named = all.find((one) => one.sid === sid);
  if (!named || named.activeMs > atMs || named.fromStep > untilStep) return false;
  return !all.some((other) => other.activeMs <= atMs && other.surelyFromStep < fromStep && isBefore(named, other));
}

/** Whether the second counts instead of the first. */
function isBefore(one: Dated, other: Dated): boolean {
  if (one.isOwn !== other.isOwn) return other.isOwn;
  return one.activeMs === other.activeMs ? one.sid < other.sid : one.activeMs < other.activeMs;
}

const isOf = (input: Intent['input'], row: { category: string; active_from: Date }): boolean =>
  input['category'] === row.category && Date.parse(String(input['active_from'])) === row.active_from.getTime();

/** When it may have been read, and when it must have been: it was answered with its name. */
function sightOf({ attempts }: Intent, sid: string): Pick<Dated, 'fromStep' | 'surelyFromStep'> {
  const answered = attempts.find(({ status, body }) => status === 201 && body?.includes(sid) === true);
  return { fromStep: attempts[0]?.startStep ?? 0, surelyFromStep: answered?.endStep ?? Number.MAX_SAFE_INTEGER };
}

function priceOf(intent: Intent, sid: string): Price {
  const { input } = intent;
  const tiers = (input['tiers'] ?? []) as { up_to?: string; amount: string }[];
  return {
    sid,
    ...sightOf(intent, sid),
    category: String(input['category']),
    resource: (input['resource_kind'] as string | undefined) ?? null,
    isOwn: input['resource_kind'] !== undefined,
    kind: String(input['kind']),
    amount: scaled(textOf(input['amount']), 12),
    tiers: tiers.map(({ up_to: end, amount }) => ({
      upTo: end === undefined ? null : scaled(end, 6),
      amount: scaled(amount, 12),
    })),
    packageSize: scaled(textOf(input['package_size']), 6),
    marginPercent: BigInt(textOf(input['margin_percent'])),
    activeMs: Date.parse(String(input['active_from'])),
  };
}

function modelPriceOf(intent: Intent, sid: string): ModelPrice {
  const { input } = intent;
  // Dollars a million tokens in micro-dollars: the same number as pico-dollars a token.
  return {
    sid,
    ...sightOf(intent, sid),
    isOwn: true,
    provider: String(input['provider']),
    model: String(input['model']),
    input: micros(String(input['input'])),
    cached: micros(String(input['cached_input'] ?? input['input'])),
    output: micros(String(input['output'])),
    activeMs: Date.parse(String(input['active_from'])),
  };
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '0');

/** Decimal text as a whole number of the last decimal. */
export function scaled(text: string, decimals: number): bigint {
  const [whole = '0', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(decimals, '0'));
}

/** Parts of so many pico-dollars and their margin. */
const partsOfPicos = (picos: bigint, marginPercent: bigint): bigint =>
  (picos * (100n + marginPercent) * PARTS) / 100n / 1_000_000n;

/** What a record costs at a price that does not count volume. `multiplier`: ten-thousandths. */
export function partsAt(price: Price, record: SentRecord, cost: bigint, multiplier: bigint): bigint {
  if (price.kind === 'cost_plus') {
    const full = partsOfPicos(cost, 0n);
    const discounted = (partsOfPicos(cost, price.marginPercent) * multiplier) / 10_000n;
    return discounted < full ? full : discounted;
  }
  const quantity = scaled(record.quantity ?? '1', 6);
  const divisor = record.unit === 'second' ? 3_600n : 1n;
  return (quantity * partsOfPicos(price.amount, price.marginPercent) * multiplier) / (1_000_000n * 10_000n * divisor);
}

export const countsVolume = ({ kind }: Price): boolean => kind === 'tiered' || kind === 'package';

/** What the volume of a month costs; millionths of the unit. */
export function partsOfVolume(price: Price, volume: bigint): bigint {
  if (price.kind === 'package') {
    const packages = (volume + price.packageSize - 1n) / price.packageSize;
    return packages * partsOfPicos(price.amount, price.marginPercent);
  }
  let parts = 0n;
  let from = 0n;
  for (const { upTo, amount } of price.tiers) {
    const end = upTo === null || upTo > volume ? volume : upTo;
    if (end > from) parts += ((end - from) * partsOfPicos(amount, price.marginPercent)) / 1_000_000n;
    from = end > from ? end : from;
  }
  return parts;
}
