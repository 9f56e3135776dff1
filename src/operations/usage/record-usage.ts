import { assert, assertNever } from '../../domain/assert.ts';
import type { AppliedOutcome, DeclinedOutcome, Outcome } from '../../domain/ledger/posting.ts';
import { formatDecimal } from '../../domain/money.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import type { NodeRow } from '../../store/node.ts';
import { noteNumbers, type NumberSeen, type StreamRow } from '../../store/sequence.ts';
import type { House } from '../house.ts';
import { chargeUnderLeases } from '../lease/charge.ts';
import { overChargeMax } from './charge-records.ts';
import { keepRuns } from './keep-runs.ts';
import { priceReport, type Numbered, type PricedReport } from './price-report.ts';
import { trueUp } from './true-up.ts';
import type { UsageAnswer } from './usage-record.ts';

/** A refusal's code and sentence, or what the ledger made of a record. */
export interface Recorded {
  readonly answer: UsageAnswer;
  /** Whether it is the answer of an earlier time. */
  readonly isRepeated: boolean;
  readonly refusal: Refusal | null;
}

/** What became of a report. */
export interface Report {
  readonly recorded: readonly Recorded[];
  /** How the streams of numbers stand that its records belong to; none where no record has a number. */
  readonly streams: readonly StreamRow[];
}

const NO_ROOM =
  'Too many postings are waiting. Nothing of this report was taken in: send it again, before any later one.';

/**
 * Prices and charges records, each on its own: one that is wrong is refused and the others go on.
 *
 * Shape: an answer for each record, in their order, after all of them are committed.
 * Refuses 'rate_limited' when so many postings wait that the report does not fit: nothing of it was taken in.
 * Throws when the database is away: what was committed is not known then, and the records sent again are answered as the first time.
 * Safe to: run again with the same records, concurrently, in any order: a record's identity is its node and key.
 */
export async function recordUsage(house: House, node: NodeRow, sent: readonly unknown[]): Promise<Report | Refusal> {
  const now = house.ports.clock.now();
  if (!house.lanes.hasRoomFor(sent.length)) return refuse('rate_limited', NO_ROOM, { retryAfterSeconds: 1 });
  const { keys, numbered, corrections, widened, ...priced } = await priceReport(house, node, sent, now);
  const posted = await postAll(house, node, priced);
  // Last, and in their order: what a record corrects may be in the same batch.
  for (const { place, input, rules } of corrections)
    posted.set(place, await trueUp(house, { node, input, rules, now }));
  // After the money: if we die in between, the node sends again and the runs are widened then.
  await keepRuns(house, widened);
  const recorded = keys.map((key, place) => answerOf(house, key, posted.get(place)));
  // After the money too, and for the same reason.
  const streams = await noteNumbers(house.db, node.id, numbersOf(numbered, recorded), now);
  return { recorded, streams };
}

/** Of the records that were kept. One that was refused has not come: its number is free for it when it is sent again, mended. */
const numbersOf = (numbered: readonly Numbered[], recorded: readonly Recorded[]): NumberSeen[] =>
  numbered.flatMap(({ place, category, number }) => {
    const answered = recorded[place];
    return !answered || answered.refusal !== null ? [] : [{ category, number, isNew: !answered.isRepeated }];
  });

/** What became of the records by their place in the report; nothing yet of corrections. */
async function postAll(
  house: House,
  node: NodeRow,
  { refused, postings, places, leased }: Pick<PricedReport, 'refused' | 'postings' | 'places' | 'leased'>,
): Promise<Map<number, Outcome | Refusal>> {
  const [outcomes, underLease] = await Promise.all([
    house.lanes.postAll(postings),
    chargeUnderLeases(house, node, leased),
  ]);
  const posted = new Map<number, Outcome | Refusal>([...refused, ...underLease]);
  for (const [index, place] of places.entries()) {
    const outcome = outcomes[index];
    if (outcome !== undefined) posted.set(place, outcome);
  }
  return posted;
}

export function answerOf(house: House, key: string | null, outcome: Outcome | Refusal | undefined): Recorded {
  const no = (refusal: Refusal): Recorded => ({ answer: refused(key, refusal), isRepeated: false, refusal });
  assert(outcome !== undefined, 'a record is charged, or corrects one');
  if (isRefusal(outcome)) return no(outcome);
  switch (outcome.kind) {
    case 'applied':
    case 'declined':
      return { answer: told(house, key, outcome), isRepeated: false, refusal: null };
    case 'duplicate':
      return { answer: told(house, key, outcome.first), isRepeated: true, refusal: null };
    case 'key_reused':
      return no(refuse('idempotency_key_reused', 'This idempotency_key was used for another record.'));
    case 'unknown_account':
      return no(refuse('not_found', 'There is no user with this sid.'));
    case 'out_of_range':
      return no(refuse('amount_out_of_range', 'The wallet cannot hold such an amount.'));
    case 'over_charge_max':
      return no(overChargeMax(outcome.chargeMax));
    case 'over_budget':
      return no(overHourMax(house, outcome.budget.limit));
    default:
      return assertNever(outcome);
  }
}

function overHourMax({ ports }: House, limit: bigint): Refusal {
  const { clock } = ports;
  const secondsLeft = 3_600 - (Math.floor(clock.now().getTime() / 1_000) % 3_600);
  return refuse('rate_limited', 'The records of this node have cost what those of one hour may.', {
    details: { hour_max: formatDecimal(limit) },
    retryAfterSeconds: secondsLeft,
  });
}

const NOTHING = { charge: null, balance: null, entry: null, wallet_state: null, code: null, message: null } as const;

const refused = (key: string | null, refusal: Refusal): UsageAnswer => ({
  ...NOTHING,
  idempotency_key: key,
  outcome: 'refused',
  code: refusal.code,
  message: [refusal.message, ...(refusal.errors ?? []).map(({ pointer, detail }) => `${pointer} ${detail}`)].join(' '),
});

/** From what is stored, so that the tenth repetition reads like the first. */
function told(house: House, key: string | null, outcome: AppliedOutcome | DeclinedOutcome): UsageAnswer {
  if (outcome.kind === 'declined') {
    return {
      ...NOTHING,
      idempotency_key: key,
      outcome: 'unbilled',
      wallet_state: wasFrozen(outcome.about) ? 'suspended' : 'empty',
      code: outcome.code,
      message: 'The record is kept and not billed: the wallet is at its limit.',
    };
  }
  const [entry] = outcome.entries;
  assert(entry !== undefined, 'an applied record has an entry');
  return {
    ...NOTHING,
    idempotency_key: key,
    outcome: 'applied',
    charge: formatDecimal(-entry.amount),
    balance: formatDecimal(entry.balanceAfter),
    entry: Number(entry.seq),
    wallet_state: stateOf(house, wasFrozen(entry.about), entry.balanceAfter),
  };
}

/** Whether the wallet was frozen when the record was charged. Quotes within a value are escaped, so this finds the field only. */
const wasFrozen = (about: string | null): boolean => about?.includes('"suspended":true') ?? false;

function stateOf({ settings }: House, isFrozen: boolean, balance: bigint): UsageAnswer['wallet_state'] {
  if (isFrozen) return 'suspended';
  if (balance <= 0n) return 'empty';
  return balance < settings.lowBalance ? 'low' : 'ok';
}
