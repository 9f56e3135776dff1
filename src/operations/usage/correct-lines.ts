import { assert } from '../../domain/assert.ts';
import { deriveIdem, fingerprintOf } from '../../domain/idem.ts';
import {
  FRACTIONS_PER_MICRO,
  walletOf,
  type AccountId,
  type EntryFacts,
  type PostingRecord,
} from '../../domain/ledger/posting.ts';
import type { Volume } from '../../domain/ledger/volume.ts';
import { micros } from '../../domain/money.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import { postingOf, type Charge } from '../../domain/usage/charge.ts';
import { formatScaled, parseScaled, PRICE_DECIMALS, QUANTITY_DECIMALS } from '../../domain/usage/decimal.ts';
import type { Price } from '../../domain/usage/price.ts';
import type { Tx } from '../../store/db.ts';
import { applyPostings } from '../../store/ledger.ts';
import { listPricesFor } from '../../store/price.ts';
import { supersedeUnbilled } from '../../store/unbilled.ts';
import { readUsageLines, type LineKey } from '../../store/usage-line.ts';
import type { House } from '../house.ts';
import type { UsageAbout } from './usage-about.ts';
import { countedPostingOf, volumeBy } from './count-volume.ts';
import { returnOfLines } from './return-of-lines.ts';
import { systemAccounts } from './rules.ts';
import { lockUsageLines, toUsageLine, type UsageLine } from './usage-line.ts';

/** Who corrects, and why. */
export interface Correcting {
  readonly actorId: string;
  readonly reason: string;
  /** The correction of many lines that it belongs to. */
  readonly correction?: string;
  readonly why: 'void' | 'reprice' | 'rerate';
}

/** What a line is to come to: a charge, or nothing at all. A refusal leaves it as it is. */
export type Target = UsageAbout | 'nothing' | Refusal;

export type Corrected =
  | { readonly kind: 'changed'; readonly line: UsageLine; readonly made: EntryFacts }
  | { readonly kind: 'unchanged'; readonly line: UsageLine }
  /** It was taken back before. */
  | { readonly kind: 'taken_back'; readonly line: UsageLine }
  | { readonly kind: 'skipped'; readonly line: UsageLine; readonly refusal: Refusal };

/**
 * Posts, for each line, the difference between what it is to come to and what stands, in the caller's transaction.
 *
 * What stands is read with the wallets locked, and the posting's identity is the line and its place among the line's corrections: two
 * that correct one line at once come one after the other, and the second sees what the first has left.
 * Safe to: run again, concurrently: a line that stands as asked is left alone.
 */
export async function correctLines(
  house: House,
  tx: Tx,
  keys: readonly LineKey[],
  correcting: Correcting,
  targetOf: (line: UsageLine) => Target,
): Promise<Corrected[]> {
  const found = (await readUsageLines(tx, keys)).map(toUsageLine);
  const counting = await pricesThatCount(tx, found);
  const counted = found.flatMap((line) =>
    line.about.volume === undefined ? [] : { volume: volumeBack(line, counting) },
  );
  const lines = await lockUsageLines(tx, keys, counted);
  const accounts = await accountsOf(
    tx,
    lines.map(({ about }) => about),
  );
  const now = house.ports.clock.now();
  const planned = lines.map((line) => planOf(line, correcting, { accounts, counting }, targetOf));
  const records = planned.flatMap((plan) => ('record' in plan ? plan.record : []));
  const outcomes = await applyPostings(tx, records, { batch: house.ports.ids.batchId(), recordedAt: now });
  const outcomeOf = new Map(records.map((record, index) => [record, outcomes[index]]));
  const corrected = planned.map((plan): Corrected => {
    if (!('record' in plan)) return plan;
    const outcome = outcomeOf.get(plan.record);
    const { line } = plan;
    if (outcome?.kind === 'out_of_range') return { kind: 'skipped', line, refusal: outOfRange() };
    assert(outcome?.kind === 'applied', 'a correction may overdraw, and its place is free while its wallet is locked');
    const [made] = outcome.entries;
    assert(made !== undefined, 'an applied posting has an entry');
    return { kind: 'changed', line, made };
  });
  await returnOfLines(
    tx,
    house,
    planned.flatMap((plan, index) => {
      const done = corrected[index];
      return 'record' in plan && done?.kind === 'changed'
        ? { line: plan.line, idem: plan.record.idem, made: done.made }
        : [];
    }),
  );
  // What nobody has charged yet of a line that is no more must not be charged later.
  const voided = planned.flatMap((plan) => ('record' in plan && correcting.why === 'void' ? plan : []));
  const closed = voided.map(({ line, record }) => ({
    wallet: walletOf(line.account),
    seq: line.seq,
    byIdem: record.idem,
  }));
  await supersedeUnbilled(tx, closed, { at: now, actor: correcting.actorId });
  return corrected;
}

type Planned = Exclude<Corrected, { kind: 'changed' }> | { readonly line: UsageLine; readonly record: PostingRecord };

function planOf(line: UsageLine, correcting: Correcting, known: Known, targetOf: (line: UsageLine) => Target): Planned {
  if (line.now === null) return { kind: 'taken_back', line };
  const target = targetOf(line);
  if (isRefusal(target)) return { kind: 'skipped', line, refusal: target };
  if (target !== 'nothing' && partsOf(target) === partsOf(line.now)) return { kind: 'unchanged', line };
  const { actorId: actor, reason, correction, why } = correcting;
  const isVoid = target === 'nothing';
  const idem = isVoid ? withdrawalIdem(line.idem) : deriveIdem('usage.correct', line.idem, `${line.lastSeq ?? 0n}`);
  const facts = {
    description: `${isVoid ? 'Taken back' : 'Corrected'}: ${line.about.description ?? line.about.resource}`,
    why,
    reason,
    actor,
    ...(correction === undefined ? {} : { correction }),
  };
  return {
    line,
    record: {
      idem,
      fingerprint: fingerprintOf([line.idem, isVoid ? null : target.parts]),
      ...(line.about.volume === undefined
        ? differenceOf(line, line.now, target, known.accounts, facts)
        : countedBack(line, known, facts)),
      mayOverdraw: true,
      fromGiven: true,
    },
  };
}

interface Known {
  readonly accounts: ReadonlyMap<string, AccountId>;
  /** By sid, the prices of lines whose volume was counted. */
  readonly counting: ReadonlyMap<string, Price>;
}

/** The prices by which lines were charged that count volume; nothing is asked where no line was. */
async function pricesThatCount(tx: Tx, lines: readonly UsageLine[]): Promise<ReadonlyMap<string, Price>> {
  const counted = lines.filter(({ about }) => about.volume !== undefined);
  if (counted.length === 0) return new Map();
  const prices = await listPricesFor(tx, [...new Set(counted.map(({ about }) => about.category))]);
  return new Map(prices.map((price) => [price.sid, price]));
}

/** What it had added is taken off the counter, wherever that stands now: the month then costs what is left of its volume. */
function volumeBack({ account, occurredAt, about }: UsageLine, counting: ReadonlyMap<string, Price>): Volume {
  const price = counting.get(about.price ?? '');
  assert(price !== undefined, 'a counted line has its price');
  return volumeBy(price, { wallet: walletOf(account), occurredAt, quantity: -quantityOf(about), chargeMax: null });
}

/** A counted line is taken back by its volume; it is never corrected otherwise. */
function countedBack(
  line: UsageLine,
  { accounts, counting }: Known,
  facts: Readonly<Record<string, string>>,
): ReturnType<typeof differenceOf> & Pick<PostingRecord, 'volume'> {
  const revenue = accounts.get(codesOf(line.about).revenue);
  assert(revenue !== undefined && line.about.price !== undefined, 'the account of a charge is there, and its price');
  return {
    ...differenceOf(line, line.about, 'nothing', accounts, { ...facts, price: line.about.price }),
    ...countedPostingOf(volumeBack(line, counting), { wallet: line.account, revenue }),
  };
}

const outOfRange = (): Refusal => refuse('amount_out_of_range', 'The wallet cannot hold such an amount.');

/** The identity of the posting that takes a charge back: the charge's own, so there is one. */
export const withdrawalIdem = (idem: string): string => deriveIdem('usage.void', idem);

/** The accounts that charges are paid into, by code; opened where they are new. */
export async function accountsOf(tx: Tx, charges: readonly UsageAbout[]): Promise<Map<string, AccountId>> {
  const codes = new Set(charges.flatMap((about) => Object.values(codesOf(about))));
  return await systemAccounts(
    tx,
    [...codes].filter((code) => code !== null),
    'USD',
  );
}

/** Where a charge goes. */
export function codesOf({ category, cost, provider }: UsageAbout): {
  readonly revenue: string;
  readonly payable: string | null;
} {
  return cost === undefined
    ? { revenue: `revenue:${category}`, payable: null }
    : { revenue: `revenue:${category}_margin`, payable: `payable:${category}:${provider}` };
}

/** The posting of a charge, or of a difference, that goes where `about` says. */
export function movementOf(
  account: AccountId,
  about: UsageAbout,
  charge: Pick<Charge, 'parts' | 'cost'>,
  accounts: ReadonlyMap<string, AccountId>,
): Pick<PostingRecord, 'legs' | 'fraction'> {
  const accountOf = (code: string): AccountId => {
    const id = accounts.get(code);
    assert(id !== undefined, 'the account of a charge is there');
    return id;
  };
  const { revenue, payable } = codesOf(about);
  const parties = {
    wallet: account,
    revenue: accountOf(revenue),
    payable: payable === null ? null : accountOf(payable),
  };
  return postingOf(charge, parties);
}

/**
 * From what stands to the target: the margin's part and the provider's each by their own difference, so the split stays exact.
 *
 * It belongs to the day of the line. Quantity and parts of its `about` are differences; `now` is how the line stands from here on.
 */
export function differenceOf(
  line: UsageLine,
  before: UsageAbout,
  target: UsageAbout | 'nothing',
  accounts: ReadonlyMap<string, AccountId>,
  facts: Readonly<Record<string, string>>,
): Pick<PostingRecord, 'kind' | 'legs' | 'fraction' | 'passesFreeze' | 'occurredAt' | 'about'> {
  const after = target === 'nothing' ? null : target;
  const parts = (after === null ? 0n : partsOf(after)) - partsOf(before);
  const cost = micros((after === null ? 0n : costOf(after)) - costOf(before));
  const quantity = (after === null ? 0n : quantityOf(after)) - quantityOf(before);
  const { node, key, category, resource, unit } = line.about;
  return {
    kind: 'usage',
    ...movementOf(line.account, line.about, { parts, cost }, accounts),
    passesFreeze: true,
    occurredAt: line.occurredAt,
    about: JSON.stringify({
      ...(after === null ? { voids: Number(line.seq) } : { corrects: Number(line.seq) }),
      node,
      key,
      category,
      resource,
      unit,
      quantity: formatScaled(quantity, QUANTITY_DECIMALS),
      parts: parts.toString(),
      ...facts,
      ...(after === null ? {} : { now: after }),
    }),
  };
}

export const partsOf = ({ parts }: UsageAbout): bigint => BigInt(parts);

export const quantityOf = ({ quantity }: UsageAbout): bigint => {
  const parsed = parseScaled(quantity, QUANTITY_DECIMALS);
  assert(parsed !== null, 'a kept quantity was read before');
  return parsed;
};

/** Whole micro-dollars, rounded down, as when it was charged. */
export const costOf = ({ cost }: UsageAbout): bigint => {
  const picos = cost === undefined ? 0n : parseScaled(cost, PRICE_DECIMALS);
  assert(picos !== null, 'a kept cost was read before');
  return (picos * (FRACTIONS_PER_MICRO / 1_000_000n)) / FRACTIONS_PER_MICRO;
};
