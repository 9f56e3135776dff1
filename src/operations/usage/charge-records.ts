import { assert } from '../../domain/assert.ts';
import { ladderFor, multiplierAt, widen, type Ladder, type Streak } from '../../domain/discount/ladder.ts';
import { deriveIdem, fingerprintOfText } from '../../domain/idem.ts';
import { FRACTIONS_PER_MICRO, liveAccount, type Budget, type PostingRecord } from '../../domain/ledger/posting.ts';
import type { Volume } from '../../domain/ledger/volume.ts';
import { formatDecimal, micros } from '../../domain/money.ts';
import { isDownAt } from '../../domain/outage/outage.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import { chargeOf, postingOf, WITHOUT_DISCOUNT, type Charge, type Measured } from '../../domain/usage/charge.ts';
import { FUTURE_MAX_MS } from '../../domain/usage/clock-skew.ts';
import { parseScaled, PRICE_DECIMALS, QUANTITY_DECIMALS } from '../../domain/usage/decimal.ts';
import { countsVolume, priceFor, type Price } from '../../domain/usage/price.ts';
import { volumeOf } from '../../domain/usage/volume-price.ts';
import type { NodeRow } from '../../store/node.ts';
import type { ChargedWallet } from '../../store/usage.ts';
import type { StreakKey } from '../../store/ladder.ts';
import { countedPostingOf, volumeBy } from './count-volume.ts';
import { invalidRecord } from './invalid-record.ts';
import type { Rules } from './rules.ts';
import { tokenCostOf, type TokenCost } from './token-cost.ts';
import { aboutText, isVolume, type RungTaken } from './usage-about.ts';
import { recordText } from './plain-record.ts';
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

/** The run of use of a wallet in a category, as the records of a report make it longer. */
interface Run {
  readonly category: string;
  streak: Streak;
  /** As it is in the database, or will be when what is {@link WidenedRun} is written. */
  kept: Streak | null;
}

/** A run of use that has changed enough to be written. */
export type WidenedRun = StreakKey & Streak & { readonly graceDays: number };

/** Prices records in the order in which they came, each with the run of use that those before it have made. */
export class Pricing {
  readonly #node: NodeRow;
  readonly #rules: Rules;
  readonly #now: Date;
  /** Those that records have changed; mostly one of a wallet. */
  readonly #runs = new Map<ChargedWallet, Run[]>();
  /** By category and provider: one object for all records that pay into the same accounts. */
  readonly #codes = new Map<string, Map<string | null, AccountCodes>>();
  readonly #widened = new Map<Run, WidenedRun>();

  constructor(node: NodeRow, rules: Rules, now: Date) {
    this.#node = node;
    this.#rules = rules;
    this.#now = now;
  }

  /** The runs of use that have changed enough to be kept. */
  get widened(): readonly WidenedRun[] {
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
    const rung = countsVolume(price) ? null : this.#rungOf(wallet, input.applies_to, occurredAt);
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
      about: aboutText({ input, node: this.#node, wallet, price, rung, charge, tokenCost }),
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

  #rungOf(wallet: ChargedWallet, category: string, occurredAt: Date): RungTaken | null {
    const ladder = ladderFor(this.#rules.ladders, category, occurredAt);
    if (!ladder) return null;
    const streak = this.#streakWith(wallet, category, { occurredAt, ladder });
    const multiplier = multiplierAt(ladder, streak, occurredAt);
    return { ladder, streak, discount: { multiplier, isFloorAtCost: ladder.isFloorAtCost } };
  }

  /** The run of use with one more record in it, which the next ones find. */
  #streakWith(
    wallet: ChargedWallet,
    category: string,
    { occurredAt, ladder }: { readonly occurredAt: Date; readonly ladder: Ladder },
  ): Streak {
    const runs = this.#runs.get(wallet);
    const run = runs?.find((one) => one.category === category);
    const before = run?.streak ?? wallet.streaks.find((one) => one.category === category) ?? null;
    const streak = widen(before, occurredAt, ladder);
    if (streak === before) return streak;
    const changed = run ?? { category, streak, kept: before };
    changed.streak = streak;
    if (!run) this.#runs.set(wallet, [...(runs ?? []), changed]);
    if (isWorthKeeping(changed.kept, streak)) {
      changed.kept = streak;
      this.#widened.set(changed, { wallet: wallet.wallet, category, ...streak, graceDays: ladder.graceDays });
    }
    return streak;
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
  const { legs, fraction } = isVolume(charge) ? countedPostingOf(charge, parties) : postingOf(charge, parties);
  return {
    idem: usageIdem(house.node.sid, input.idempotency_key),
    fingerprint: fingerprintOfText(recordText(input)),
    kind: 'usage',
    legs,
    fraction,
    volume: isVolume(charge) ? charge : undefined,
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
