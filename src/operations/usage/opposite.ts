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
import { postingOf, reverseOf } from '../../domain/usage/charge.ts';
import { parseScaled, PRICE_DECIMALS, QUANTITY_DECIMALS } from '../../domain/usage/decimal.ts';
import type { Price } from '../../domain/usage/price.ts';
import type { Tx } from '../../store/db.ts';
import { applyPostings } from '../../store/ledger.ts';
import { listPricesFor } from '../../store/price.ts';
import type { House } from '../house.ts';
import type { UsageAbout } from './charge-records.ts';
import { countedPostingOf, volumeBy } from './count-volume.ts';
import { systemAccounts } from './rules.ts';

/** A usage charge as its entry has it. */
export interface ChargedLine {
  readonly account: AccountId;
  readonly seq: bigint;
  readonly idem: string;
  readonly occurredAt: Date;
  readonly about: UsageAbout;
}

/** Who takes it back, and why. */
export interface Withdrawal {
  readonly actorId: string;
  readonly reason: string;
}

export interface TakenBack {
  readonly line: ChargedLine;
  readonly made: EntryFacts;
  /** False when it had been taken back before; `made` is then the first time's. */
  readonly isNew: boolean;
}

/**
 * Posts the opposite of usage charges, in the caller's transaction; each once, whoever asks and how often.
 *
 * Safe to: run again, concurrently: the identity of each is the charge's own.
 */
export async function takeBack(
  house: House,
  tx: Tx,
  lines: readonly ChargedLine[],
  withdrawal: Withdrawal,
): Promise<TakenBack[]> {
  const { ports } = house;
  const codes = new Set(lines.flatMap(({ about }) => Object.values(codesOf(about))));
  const accounts = await systemAccounts(
    tx,
    [...codes].filter((code) => code !== null),
    'USD',
  );
  const counting = await pricesThatCount(tx, lines);
  const records = lines.map((line) => oppositeOf(line, { accounts, counting }, withdrawal));
  const outcomes = await applyPostings(tx, records, { batch: ports.ids.batchId(), recordedAt: ports.clock.now() });
  return lines.map((line, index) => {
    const outcome = outcomes[index];
    const applied = outcome?.kind === 'duplicate' ? outcome.first : outcome;
    assert(applied?.kind === 'applied', 'what takes a charge back may overdraw and passes a freeze');
    const [made] = applied.entries;
    assert(made !== undefined, 'an applied posting has an entry');
    return { line, made, isNew: outcome?.kind === 'applied' };
  });
}

/** The prices by which lines were charged that count volume, by sid; nothing is asked where no line was. */
async function pricesThatCount(tx: Tx, lines: readonly ChargedLine[]): Promise<ReadonlyMap<string, Price>> {
  const counted = lines.filter(({ about }) => about.volume !== undefined);
  if (counted.length === 0) return new Map();
  const prices = await listPricesFor(tx, [...new Set(counted.map(({ about }) => about.category))]);
  return new Map(prices.map((price) => [price.sid, price]));
}

/** The identity of the posting that takes a charge back: one for each charge, so that there can be only one. */
export const withdrawalIdem = (idem: string): string => deriveIdem('usage.void', idem);

/** The accounts that a charge was paid into. */
function codesOf({ category, cost, provider }: UsageAbout): {
  readonly revenue: string;
  readonly payable: string | null;
} {
  return cost === undefined
    ? { revenue: `revenue:${category}`, payable: null }
    : { revenue: `revenue:${category}_margin`, payable: `payable:${category}:${provider}` };
}

function oppositeOf(
  line: ChargedLine,
  {
    accounts,
    counting,
  }: { readonly accounts: ReadonlyMap<string, AccountId>; readonly counting: ReadonlyMap<string, Price> },
  { actorId, reason }: Withdrawal,
): PostingRecord {
  const { account, seq, idem, occurredAt, about } = line;
  const accountOf = (code: string): AccountId => {
    const id = accounts.get(code);
    assert(id !== undefined, 'the account of a charge is there');
    return id;
  };
  const { revenue, payable } = codesOf(about);
  const cost = micros(about.cost === undefined ? 0n : costOf(about.cost));
  const charge = reverseOf({ parts: BigInt(about.parts), cost });
  const parties = {
    wallet: account,
    revenue: accountOf(revenue),
    payable: payable === null ? null : accountOf(payable),
  };
  return {
    idem: withdrawalIdem(idem),
    fingerprint: fingerprintOf([idem]),
    kind: 'usage',
    ...(about.volume === undefined
      ? postingOf(charge, parties)
      : countedPostingOf(volumeBack(line, counting.get(about.price ?? '')), parties)),
    mayOverdraw: true,
    passesFreeze: true,
    occurredAt,
    about: JSON.stringify({
      ...about,
      voids: Number(seq),
      quantity: negated(about.quantity),
      parts: charge.parts.toString(),
      description: `Taken back: ${about.description ?? about.resource}`,
      reason,
      actor: actorId,
    }),
  };
}

/** What it had added is taken off the counter, wherever that stands now: the month then costs what is left of its volume. */
function volumeBack({ account, occurredAt, about }: ChargedLine, price: Price | undefined): Volume {
  const quantity = parseScaled(about.quantity, QUANTITY_DECIMALS);
  assert(price !== undefined && quantity !== null, 'a counted line has its price and its quantity');
  return volumeBy(price, { wallet: walletOf(account), occurredAt, quantity: -quantity, chargeMax: null });
}

/** Whole micro-dollars, rounded down, as when it was charged. */
const costOf = (text: string): bigint => {
  const picos = parseScaled(text, PRICE_DECIMALS);
  assert(picos !== null, 'a kept cost was read before');
  return (picos * (FRACTIONS_PER_MICRO / 1_000_000n)) / FRACTIONS_PER_MICRO;
};

const negated = (quantity: string): string => (/[1-9]/.test(quantity) ? `-${quantity}` : quantity);
