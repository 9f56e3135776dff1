import type { Ladder, Streak } from '../../domain/discount/ladder.ts';
import { quoted } from '../../domain/json-text.ts';
import type { Volume } from '../../domain/ledger/volume.ts';
import type { Charge, Discount } from '../../domain/usage/charge.ts';
import { formatScaled, PRICE_DECIMALS } from '../../domain/usage/decimal.ts';
import { unitPriceOf, type Price } from '../../domain/usage/price.ts';
import type { NodeRow } from '../../store/node.ts';
import type { ChargedWallet } from '../../store/usage.ts';
import type { TokenCost } from './token-cost.ts';
import { tokensText } from './plain-record.ts';
import type { UsageInput } from './usage-record.ts';

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

/** A rung of a ladder as a record has taken it. */
export interface RungTaken {
  readonly ladder: Ladder;
  readonly streak: Streak;
  readonly discount: Discount;
}

/** A charge and what it was made of. */
interface Explained {
  readonly input: UsageInput;
  readonly node: Pick<NodeRow, 'sid'>;
  readonly wallet: Pick<ChargedWallet, 'isFrozen'>;
  readonly price: Price;
  readonly rung: RungTaken | null;
  readonly charge: Charge | Volume;
  readonly tokenCost: TokenCost | null;
}

/**
 * What an entry says about its charge, as JSON text. Of a volume the engine adds where it stood, where it went and the exact charge.
 *
 * Written in few pieces, for it is made for every record. Only what may have something to escape is looked through: forms of sids,
 * categories, units, providers and numbers have been checked.
 */
export function aboutText({ input, node, wallet, price, rung, charge, tokenCost }: Explained): string {
  const { provider, tokens, description, seq, lease } = input;
  const numbered = seq === undefined ? '' : `,"seq":${seq}`;
  const leased = lease === undefined ? '' : `,"lease":"${lease}"`;
  const fixed = price.kind === 'per_unit' || price.kind === 'per_hour';
  const unitPrice = fixed ? `,"unit_price":"${formatScaled(unitPriceOf(price) ?? 0n, PRICE_DECIMALS)}"` : '';
  const cost = tokenCost === null ? input.cost : formatScaled(tokenCost.cost, PRICE_DECIMALS);
  const passed = cost === undefined ? '' : `,"cost":"${cost}"`;
  const by = provider === undefined ? '' : `,"provider":"${provider}"`;
  const call = tokens === undefined ? '' : `,"tokens":${tokensText(tokens)}`;
  const model = tokenCost === null ? '' : `,"model_price":"${tokenCost.price.sid}"`;
  const ladder = rung === null ? '' : `,"ladder":${ladderText(rung)}`;
  const floor = !isVolume(charge) && charge.isAtFloor ? ',"at_cost_floor":true' : '';
  const parts = isVolume(charge) ? '' : `,"parts":"${charge.parts}"`;
  const suspended = wallet.isFrozen ? ',"suspended":true' : '';
  const described = description === undefined ? '' : `,"description":${quoted(description)}`;
  return `{"node":"${node.sid}","key":${quoted(input.idempotency_key)}${numbered}${leased},"category":"${input.applies_to}","resource":${quoted(input.resource_kind)},"quantity":"${input.quantity}","unit":"${input.unit ?? price.unit}","price":"${price.sid}"${unitPrice}${passed}${by}${call}${model}${ladder}${floor}${parts}${suspended}${described}}`;
}

const ladderText = ({ ladder, discount, streak }: RungTaken): string =>
  `{"version":${ladder.version},"multiplier":"${formatScaled(discount.multiplier, 4)}","since":"${streak.startedAt.toISOString()}"}`;

/** As {@link aboutText}, to be changed before it is written. */
export const aboutOf = (explained: Explained): Partial<UsageAbout> =>
  JSON.parse(aboutText(explained)) as Partial<UsageAbout>;

/** Whether what the charge comes to is decided while a counter is locked. */
export const isVolume = (charge: Charge | Volume): charge is Volume => 'rate' in charge;
