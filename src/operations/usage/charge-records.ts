import { assert } from '../../domain/assert.ts';
import { ladderFor, multiplierAt, widen, type Ladder, type Streak } from '../../domain/discount/ladder.ts';
import { deriveIdem, fingerprintOf } from '../../domain/idem.ts';
import { FRACTIONS_PER_MICRO, liveAccount, type Budget, type PostingRecord } from '../../domain/ledger/posting.ts';
import type { Volume } from '../../domain/ledger/volume.ts';
import { formatDecimal, micros } from '../../domain/money.ts';
import { isDownAt } from '../../domain/outage/outage.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import {
  chargeOf,
  postingOf,
  WITHOUT_DISCOUNT,
  type Charge,
  type Discount,
  type Measured,
} from '../../domain/usage/charge.ts';
import { FUTURE_MAX_MS } from '../../domain/usage/clock-skew.ts';
import { formatScaled, parseScaled, PRICE_DECIMALS, QUANTITY_DECIMALS } from '../../domain/usage/decimal.ts';
import { countsVolume, priceFor, unitPriceOf, type Price } from '../../domain/usage/price.ts';
import { volumeOf } from '../../domain/usage/volume-price.ts';
import type { NodeRow } from '../../store/node.ts';
import type { ChargedWallet } from '../../store/usage.ts';
import type { StreakKey } from '../../store/ladder.ts';
import { countedPostingOf, volumeBy } from './count-volume.ts';
import { invalidRecord } from './invalid-record.ts';
import { streakKey, type Rules } from './rules.ts';
import { tokenCostOf, type TokenCost } from './token-cost.ts';
import type { UsageInput } from './usage-record.ts';

const HOUR_MS = 3_600_000;
/** The end of a run of use is written when it has moved by so much, not with every call of a busy minute. */
const STREAK_STEP_MS = 60_000;

/** One record with its price: everything but the ids of the accounts that it pays into. */
export interface Charged {
  readonly input: UsageInput;
  readonly occurredAt: Date;
  readonly wallet: ChargedWallet;
  /** A volume where the price counts it: what it costs is decided while the counter is locked. */
  readonly charge: Charge | Volume;
  readonly codes: AccountCodes;
  readonly about: string;
}

/** Which system accounts a charge pays into. */
export interface AccountCodes {
  readonly revenue: string;
  readonly payable: string | null;
}

/** Prices records in the order in which they came, each with the run of use that those before it have made. */
export class Pricing {
  readonly #node: NodeRow;
  readonly #rules: Rules;
  readonly #now: Date;
  readonly #streaks: Map<string, Streak>;
  /** By category and provider: one object for all records that pay into the same accounts. */
  readonly #codes = new Map<string, Map<string | null, AccountCodes>>();
  readonly #widened = new Map<string, StreakKey & Streak & { readonly graceDays: number }>();

  constructor(node: NodeRow, rules: Rules, now: Date) {
    this.#node = node;
    this.#rules = rules;
    this.#now = now;
    this.#streaks = new Map(rules.streaks);
  }

  /** The runs of use that have changed enough to be kept. */
  get widened(): readonly (StreakKey & Streak & { readonly graceDays: number })[] {
    return [...this.#widened.values()];
  }

  charge(input: UsageInput): Charged | Refusal {
    const occurredAt = new Date(input.occurred_at);
    const wallet = walletFor(input, { node: this.#node, rules: this.#rules, now: this.#now, occurredAt });
    if (isRefusal(wallet)) return wallet;
    const about = { category: input.applies_to, resourceKind: input.resource_kind, occurredAt };
    const price = priceFor(this.#rules.prices, about);
    if (!price)
      return refuse('state_conflict', `Nothing in the category ${input.applies_to} had a price for this at the time.`);
    const tokenCost = tokenCostOf(input, price, this.#rules.modelPrices);
    if (isRefusal(tokenCost)) return tokenCost;
    const measured = measuredOf(input, price, tokenCost);
    if (isRefusal(measured)) return measured;
    // A price that counts volume has no ladder: with one the order of the records would matter.
    const rung = countsVolume(price) ? null : this.#rungOf(wallet.wallet, input.applies_to, occurredAt);
    const charge = countsVolume(price)
      ? this.#volumeOf(measured, price, { wallet: wallet.wallet, occurredAt })
      : this.#chargeOf(measured, price, rung);
    if (isRefusal(charge)) return charge;
    return {
      input,
      occurredAt,
      wallet,
      charge,
      codes: this.#codesOf(input.applies_to, measured.cost === null ? null : String(input.provider)),
      about: JSON.stringify(aboutOf({ input, node: this.#node, wallet, price, rung, charge, tokenCost })),
    };
  }

  /** `provider`: to whom a cost is passed on; null where there is none. */
  #codesOf(category: string, provider: string | null): AccountCodes {
    const ofCategory = this.#codes.get(category) ?? new Map<string | null, AccountCodes>();
    this.#codes.set(category, ofCategory);
    const known = ofCategory.get(provider);
    if (known) return known;
    const codes =
      provider === null
        ? { revenue: `revenue:${category}`, payable: null }
        : { revenue: `revenue:${category}_margin`, payable: `payable:${category}:${provider}` };
    ofCategory.set(provider, codes);
    return codes;
  }

  #chargeOf(measured: Measured, price: Price, rung: RungTaken | null): Charge | Refusal {
    const charge = chargeOf(measured, price, rung?.discount ?? WITHOUT_DISCOUNT);
    if (typeof charge === 'string') return refuse('invalid_request', UNPRICEABLE[charge]);
    const { recordMax } = this.#node;
    return charge.parts / FRACTIONS_PER_MICRO > recordMax ? overChargeMax(recordMax) : charge;
  }

  #volumeOf(measured: Measured, price: Price, used: { readonly wallet: bigint; readonly occurredAt: Date }) {
    const quantity = volumeOf(measured, price);
    if (typeof quantity === 'string') return refuse('invalid_request', UNPRICEABLE[quantity]);
    return volumeBy(price, { ...used, quantity, chargeMax: this.#node.recordMax });
  }

  #rungOf(wallet: bigint, category: string, occurredAt: Date): RungTaken | null {
    const ladder = ladderFor(this.#rules.ladders, category, occurredAt);
    if (!ladder) return null;
    const key = streakKey(wallet, category);
    const before = this.#streaks.get(key) ?? null;
    const streak = widen(before, occurredAt, ladder);
    if (streak !== before) {
      this.#streaks.set(key, streak);
      const kept = this.#widened.get(key) ?? this.#rules.streaks.get(key) ?? null;
      if (isWorthKeeping(kept, streak)) {
        this.#widened.set(key, { wallet, category, ...streak, graceDays: ladder.graceDays });
      }
    }
    const multiplier = multiplierAt(ladder, streak, occurredAt);
    return { ladder, streak, discount: { multiplier, isFloorAtCost: ladder.isFloorAtCost } };
  }
}

/** The wallet that a record is charged to, if this node may report for it. */
export function walletFor(
  input: UsageInput,
  {
    node,
    rules,
    now,
    occurredAt,
  }: { readonly node: NodeRow; readonly rules: Rules; readonly now: Date; readonly occurredAt: Date },
): ChargedWallet | Refusal {
  if (occurredAt.getTime() > now.getTime() + FUTURE_MAX_MS)
    return invalidRecord('occurred_at', 'must be at most 5 minutes ahead of now');
  if (node.userSids?.includes(input.user_sid) === false)
    return refuse('forbidden', 'This node may not report for this user.');
  if (isDownAt(node.outages, occurredAt))
    return refuse('node_down', 'The node was down at the time: nothing of it is billed.');
  return rules.wallets.get(input.user_sid) ?? refuse('not_found', 'There is no user with this sid.');
}

const isWorthKeeping = (kept: Streak | null, now: Streak): boolean =>
  kept === null ||
  kept.startedAt.getTime() !== now.startedAt.getTime() ||
  now.lastAt.getTime() - kept.lastAt.getTime() >= STREAK_STEP_MS;

/** A rung of a ladder as a record has taken it. */
export interface RungTaken {
  readonly ladder: Ladder;
  readonly streak: Streak;
  readonly discount: Discount;
}

export function measuredOf(input: UsageInput, price: Price, tokenCost: TokenCost | null): Measured | Refusal {
  const quantity = parseScaled(input.quantity, QUANTITY_DECIMALS);
  const cost = input.cost === undefined ? (tokenCost?.cost ?? null) : parseScaled(input.cost, PRICE_DECIMALS);
  assert(quantity !== null && (cost !== null || input.cost === undefined), 'the schema has checked both');
  if (cost !== null && input.provider === undefined)
    return invalidRecord('provider', 'is required with a cost: whom it is owed to');
  return { quantity, unit: input.unit ?? price.unit, cost };
}

export const UNPRICEABLE = {
  unit_does_not_fit: 'The unit is not the one of the price.',
  cost_is_missing:
    'The price is the provider’s cost and a margin: send cost and provider, or, for a model of the table, tokens and provider.',
  cost_is_not_wanted: 'The price is fixed, and the record brings a cost.',
  quantity_is_too_fine: 'Seconds may have at most four decimals.',
} as const;

export const overChargeMax = (chargeMax: bigint): Refusal =>
  refuse('amount_out_of_range', 'This is more than one record of this node may cost.', {
    details: { amount_max: formatDecimal(chargeMax) },
  });

interface Explained {
  readonly input: UsageInput;
  readonly node: Pick<NodeRow, 'sid'>;
  readonly wallet: Pick<ChargedWallet, 'isFrozen'>;
  readonly price: Price;
  readonly rung: RungTaken | null;
  readonly charge: Charge | Volume;
  readonly tokenCost: TokenCost | null;
}

/** Everything by which the charge can be made again: `usage.explain` does. */
export interface UsageAbout {
  readonly node: string;
  readonly key: string;
  /** Its number among those of its node and category. */
  readonly seq?: number;
  /** The lease under which it was reported. */
  readonly lease?: string;
  readonly category: string;
  readonly resource: string;
  readonly quantity: string;
  readonly unit: string;
  /** Absent where the amount came without one: what a call cost above its hold. */
  readonly price?: string;
  /** Dollars a unit with the margin; absent where there is no such one: with a cost, and by volume. */
  readonly unit_price?: string;
  readonly cost?: string;
  readonly provider?: string;
  readonly tokens?: NonNullable<UsageInput['tokens']>;
  /** The row of the model table by which the tokens made the cost; absent where the cost came with the record. */
  readonly model_price?: string;
  /** Where the month's volume stood and went, in the unit; absent where the price does not count it. */
  readonly volume?: { readonly before: string; readonly after: string };
  readonly ladder?: { readonly version: number; readonly multiplier: string; readonly since: string };
  readonly at_cost_floor?: true;
  /** The exact charge in parts of a micro-dollar. */
  readonly parts: string;
  /** The line of the statement that this takes back. Quantity and parts are negative then. */
  readonly voids?: number;
  /** Whether the wallet was frozen then: a repetition is told the same. */
  readonly suspended?: true;
  /** The line that this corrects. Quantity and parts are differences then, and `now` is how the line stands from here on. */
  readonly corrects?: number;
  readonly now?: UsageAbout;
  readonly why?: 'void' | 'true_up' | 'reprice' | 'rerate';
  readonly reason?: string;
  /** The key of the unbilled record in whose place this one was charged. */
  readonly supersedes?: string;
  /** The unbilled record that this charges later. */
  readonly bills?: string;
  readonly description?: string;
}

/**
 * Of a volume the engine adds where it stood, where it went and the exact charge.
 *
 * Field by field, not by spreading: it is made for every record.
 */
export function aboutOf({ input, node, wallet, price, rung, charge, tokenCost }: Explained): Partial<UsageAbout> {
  const { provider, tokens, description, seq, lease } = input;
  const about: Mutable<Partial<UsageAbout>> = { node: node.sid, key: input.idempotency_key };
  if (seq !== undefined) about.seq = seq;
  if (lease !== undefined) about.lease = lease;
  about.category = input.applies_to;
  about.resource = input.resource_kind;
  about.quantity = input.quantity;
  about.unit = input.unit ?? price.unit;
  about.price = price.sid;
  if (price.kind === 'per_unit' || price.kind === 'per_hour')
    about.unit_price = formatScaled(unitPriceOf(price) ?? 0n, PRICE_DECIMALS);
  const cost = tokenCost === null ? input.cost : formatScaled(tokenCost.cost, PRICE_DECIMALS);
  if (cost !== undefined) about.cost = cost;
  if (provider !== undefined) about.provider = provider;
  if (tokens !== undefined) about.tokens = tokens;
  if (tokenCost !== null) about.model_price = tokenCost.price.sid;
  if (rung !== null) about.ladder = ladderFacts(rung);
  if (!isVolume(charge)) {
    if (charge.isAtFloor) about.at_cost_floor = true;
    about.parts = charge.parts.toString();
  }
  if (wallet.isFrozen) about.suspended = true;
  if (description !== undefined) about.description = description;
  return about;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const ladderFacts = ({ ladder, discount, streak }: RungTaken): NonNullable<UsageAbout['ladder']> => ({
  version: ladder.version,
  multiplier: formatScaled(discount.multiplier, 4),
  since: streak.startedAt.toISOString(),
});

const isVolume = (charge: Charge | Volume): charge is Volume => 'rate' in charge;

/** The posting of a charge. Delivered is owed: it passes a freeze, and goes below zero as far as the house allows. */
export function toPosting(
  { input, occurredAt, wallet, charge, codes, about }: Charged,
  house: {
    readonly node: NodeRow;
    readonly accounts: ReadonlyMap<string, bigint>;
    readonly owedMax: bigint;
    /** See {@link budgetOf}; one for all records of a report. */
    readonly budget: Budget;
  },
): PostingRecord {
  const accountOf = (code: string): bigint => {
    const id = house.accounts.get(code);
    assert(id !== undefined, 'the system account was opened before');
    return id;
  };
  const parties = {
    wallet: liveAccount(wallet.wallet, 'wallet'),
    revenue: accountOf(codes.revenue),
    payable: codes.payable === null ? null : accountOf(codes.payable),
  };
  return {
    idem: usageIdem(house.node.sid, input.idempotency_key),
    fingerprint: fingerprintOf(input),
    kind: 'usage',
    ...(isVolume(charge) ? countedPostingOf(charge, parties) : postingOf(charge, parties)),
    mayOverdraw: false,
    owedMax: micros(house.owedMax),
    fromGiven: true,
    passesFreeze: true,
    budget: house.budget,
    occurredAt,
    about,
  };
}

/** What a node's records may cost in the hour of `now`. */
export const budgetOf = (node: NodeRow, now: Date): Budget => ({
  owner: node.id,
  windowStart: new Date(Math.floor(now.getTime() / HOUR_MS) * HOUR_MS),
  limit: node.hourMax,
});

/** A record's identity: its node and the node's own key for it. */
export const usageIdem = (nodeSid: string, key: string): string => deriveIdem('usage', nodeSid, key);
