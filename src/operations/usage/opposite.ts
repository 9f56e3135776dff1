import { assert } from '../../domain/assert.ts';
import { deriveIdem, fingerprintOf } from '../../domain/idem.ts';
import {
  FRACTIONS_PER_MICRO,
  type AccountId,
  type EntryFacts,
  type PostingRecord,
} from '../../domain/ledger/posting.ts';
import { micros } from '../../domain/money.ts';
import { postingOf, reverseOf } from '../../domain/usage/charge.ts';
import { parseScaled, PRICE_DECIMALS } from '../../domain/usage/decimal.ts';
import type { Tx } from '../../store/db.ts';
import { applyPostings } from '../../store/ledger.ts';
import type { House } from '../house.ts';
import type { UsageAbout } from './charge-records.ts';
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
  const records = lines.map((line) => oppositeOf(line, accounts, withdrawal));
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
  { account, seq, idem, occurredAt, about }: ChargedLine,
  accounts: ReadonlyMap<string, AccountId>,
  { actorId, reason }: Withdrawal,
): PostingRecord {
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
    idem: deriveIdem('usage.void', idem),
    fingerprint: fingerprintOf([idem]),
    kind: 'usage',
    ...postingOf(charge, parties),
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

/** Whole micro-dollars, rounded down, as when it was charged. */
const costOf = (text: string): bigint => {
  const picos = parseScaled(text, PRICE_DECIMALS);
  assert(picos !== null, 'a kept cost was read before');
  return (picos * (FRACTIONS_PER_MICRO / 1_000_000n)) / FRACTIONS_PER_MICRO;
};

const negated = (quantity: string): string => (/[1-9]/.test(quantity) ? `-${quantity}` : quantity);
