import { assert } from '../../domain/assert.ts';
import { ladderFor, multiplierAt, type Ladder } from '../../domain/discount/ladder.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import { chargeOf, WITHOUT_DISCOUNT, type Charge } from '../../domain/usage/charge.ts';
import { parseScaled } from '../../domain/usage/decimal.ts';
import { countsVolume, priceFor, type Price } from '../../domain/usage/price.ts';
import type { ChargedWallet } from '../../store/usage.ts';
import { measuredOf, UNPRICEABLE } from './charge-records.ts';
import { aboutOf, type RungTaken, type UsageAbout } from './usage-about.ts';
import type { TokenCost } from './token-cost.ts';
import type { UsageLine } from './usage-line.ts';
import type { UsageInput } from './usage-record.ts';

/** What a line comes to. */
export interface Priced {
  readonly about: UsageAbout;
  readonly charge: Charge;
}

/** Charges a record at a price and on a rung that are given. Refuses where the price counts volume: that is decided under the counter's lock. */
export function priceWith(input: UsageInput, { nodeSid, wallet, price, rung, tokenCost }: Terms): Priced | Refusal {
  if (countsVolume(price)) return refuse('state_conflict', COUNTS_VOLUME);
  const measured = measuredOf(input, price, tokenCost);
  if (isRefusal(measured)) return measured;
  const charge = chargeOf(measured, price, rung?.discount ?? WITHOUT_DISCOUNT);
  if (typeof charge === 'string') return refuse('invalid_request', UNPRICEABLE[charge]);
  // Of a charge that is not counted nothing is left to the engine.
  const about = aboutOf({ input, node: { sid: nodeSid }, wallet, price, rung, charge, tokenCost }) as UsageAbout;
  return { charge, about };
}

interface Terms {
  readonly nodeSid: string;
  readonly wallet: Pick<ChargedWallet, 'isFrozen'>;
  readonly price: Price;
  readonly rung: RungTaken | null;
  /** What the model table says of its tokens; null where the cost is known. */
  readonly tokenCost: TokenCost | null;
}

const COUNTS_VOLUME =
  'Its price counts the volume of a month, where one record decides what the next ones cost. Take it back and report it again.';

/** The rung that a charge stands on; null without a ladder. */
export function rungOf(
  ladders: readonly Ladder[],
  { category, ladder: taken }: Pick<UsageAbout, 'category' | 'ladder'>,
): RungTaken | null {
  if (taken === undefined) return null;
  const ladder = ladders.find((one) => one.category === category && one.version === taken.version);
  const multiplier = parseScaled(taken.multiplier, 4);
  assert(ladder !== undefined && multiplier !== null, 'versions of a ladder are never removed');
  return toRung(ladder, new Date(taken.since), multiplier);
}

const toRung = (ladder: Ladder, startedAt: Date, multiplier: bigint): RungTaken => ({
  ladder,
  streak: { startedAt, lastAt: startedAt },
  discount: { multiplier, isFloorAtCost: ladder.isFloorAtCost },
});

/** Every price and ladder of the categories of the lines. */
export interface PriceBook {
  readonly prices: readonly Price[];
  readonly ladders: readonly Ladder[];
}

/** A line as it would be charged if it came today: the price and the ladder as they are kept now for its day. */
export function repriced(line: UsageLine, { prices, ladders }: PriceBook): UsageAbout | Refusal {
  const { now, occurredAt } = line;
  assert(now !== null, 'a line that was taken back is not priced');
  const { category, resource: resourceKind } = now;
  if (now.price === undefined) return refuse('state_conflict', 'The line was not made from a price.');
  if (now.volume !== undefined) return refuse('state_conflict', COUNTS_VOLUME);
  const price = priceFor(prices, { category, resourceKind, occurredAt });
  if (!price) return refuse('state_conflict', 'Nothing had a price for this at the time.');
  const ladder = ladderFor(ladders, category, occurredAt);
  const startedAt = now.ladder === undefined ? occurredAt : new Date(now.ladder.since);
  const rung = ladder && onLadder(ladder, startedAt, occurredAt);
  return aboutAgain(now, price, rung);
}

/** A line with another beginning of its run of use: at the price it stands with. */
export function rerated(line: UsageLine, startedAt: Date, { prices, ladders }: PriceBook): UsageAbout | Refusal {
  const { now, occurredAt } = line;
  assert(now?.ladder !== undefined, 'a line on a ladder is rated');
  const price = prices.find(({ sid }) => sid === now.price);
  const stands = rungOf(ladders, now);
  if (!price || !stands) return refuse('state_conflict', 'The line was not made from a price.');
  return aboutAgain(now, price, onLadder(stands.ladder, startedAt, occurredAt));
}

const onLadder = (ladder: Ladder, startedAt: Date, occurredAt: Date): RungTaken =>
  toRung(ladder, startedAt, multiplierAt(ladder, { startedAt, lastAt: occurredAt }, occurredAt));

function aboutAgain(now: UsageAbout, price: Price, rung: RungTaken | null): UsageAbout | Refusal {
  const input = inputOf(now);
  const wallet = { isFrozen: now.suspended === true };
  const priced = priceWith(input, { nodeSid: now.node, wallet, price, rung, tokenCost: null });
  if (isRefusal(priced)) return priced;
  return { ...priced.about, ...(now.model_price === undefined ? {} : { model_price: now.model_price }) };
}

/** What the node had sent, as far as its price goes. */
function inputOf({
  key,
  category,
  resource,
  quantity,
  unit,
  cost,
  provider,
  tokens,
  description,
}: UsageAbout): UsageInput {
  return {
    idempotency_key: key,
    user_sid: '',
    applies_to: category,
    resource_kind: resource,
    occurred_at: '',
    quantity,
    unit,
    cost,
    provider,
    tokens,
    description,
  };
}
