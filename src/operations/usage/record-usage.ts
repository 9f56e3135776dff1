import { assert, assertNever } from '../../domain/assert.ts';
import type { AppliedOutcome, DeclinedOutcome, Outcome, PostingRecord } from '../../domain/ledger/posting.ts';
import { formatDecimal } from '../../domain/money.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import { clockAheadMs, FUTURE_MAX_MS, spanOf } from '../../domain/usage/clock-skew.ts';
import type { NodeRow } from '../../store/node.ts';
import { noteNumbers, type NumberSeen, type StreamRow } from '../../store/sequence.ts';
import type { House } from '../house.ts';
import { chargeUnderLeases, type LeasedPosting } from '../lease/charge.ts';
import { budgetOf, overChargeMax, Pricing, toPosting, type AccountCodes, type Charged } from './charge-records.ts';
import { fromCloudEvent, isCloudEvent } from './cloud-event.ts';
import { keepRuns } from './keep-runs.ts';
import { knownAccounts, readRules } from './rules.ts';
import { plainRecord } from './plain-record.ts';
import { isPricedByTokens } from './token-cost.ts';
import { isTrueUp, trueUp } from './true-up.ts';
import { usageRecordSchema, type UsageAnswer, type UsageInput } from './usage-record.ts';

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
  const read = datedRecords(sent.map(readRecord), now);
  const inputs = read.filter((record): record is UsageInput => !isRefusal(record));
  const rules = await readRules(house, {
    userSids: [...new Set(inputs.map((input) => input.user_sid))],
    categories: [...new Set(inputs.map((input) => input.applies_to))],
    models: [...new Set(inputs.filter(isPricedByTokens).map((input) => input.resource_kind))],
  });
  const pricing = new Pricing(node, rules, now);
  const charged = read.map((record) =>
    isRefusal(record) ? record : record.corrects === undefined ? pricing.charge(record) : null,
  );
  const posted = await postAll(house, node, charged, now);
  // Last, and in their order: what a record corrects may be in the same batch.
  for (const [index, record] of read.entries()) {
    if (!isRefusal(record) && isTrueUp(record))
      posted[index] = await trueUp(house, { node, input: record, rules, now });
  }
  // After the money: if we die in between, the node sends again and the runs are widened then.
  await keepRuns(house, pricing.widened);
  const recorded = posted.map((outcome, index) => answerOf(house, { sent: sent[index], outcome }));
  // After the money too, and for the same reason.
  const streams = await noteNumbers(house.db, node.id, numbersOf(read, recorded), now);
  return { recorded, streams };
}

/** Of the records that were kept. One that was refused has not come: its number is free for it when it is sent again, mended. */
const numbersOf = (read: readonly (UsageInput | Refusal)[], recorded: readonly Recorded[]): NumberSeen[] =>
  read.flatMap((record, index) => {
    const answered = recorded[index];
    if (isRefusal(record) || record.seq === undefined || !answered || answered.refusal !== null) return [];
    return [{ category: record.applies_to, number: record.seq, isNew: !answered.isRepeated }];
  });

/** Refuses all of a report whose records all lie in the future: their instants are wrong, each by as much. */
function datedRecords(read: readonly (UsageInput | Refusal)[], now: Date): readonly (UsageInput | Refusal)[] {
  const dated = read.filter((record): record is UsageInput => !isRefusal(record));
  const [first] = dated;
  // Nearly always the first record says that the clock is right enough.
  if (first && Date.parse(first.occurred_at) - now.getTime() <= FUTURE_MAX_MS) return read;
  const instants = dated.map((record) => new Date(record.occurred_at));
  const aheadMs = clockAheadMs(instants, now);
  if (aheadMs === null) return read;
  const detail = `is ahead of our clock, as is all of this report: your clock seems to be ${spanOf(aheadMs)} ahead of ${now.toISOString()}`;
  const refusal = refuse('invalid_request', 'Set the clock of the node, and send the record with the right instant.', {
    errors: [{ pointer: '#/occurred_at', detail }],
  });
  return read.map((record) => (isRefusal(record) ? record : refusal));
}

/** The record as its schema reads it, a CloudEvent's included; nothing is known yet of users and prices. */
export function readRecord(sent: unknown): UsageInput | Refusal {
  const fields = isCloudEvent(sent) ? fromCloudEvent(sent) : sent;
  const plain = plainRecord(fields);
  if (plain) return plain;
  const parsed = usageRecordSchema.safeParse(fields);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map((issue) => ({
    pointer: `#/${issue.path.map(String).join('/')}`,
    detail: issue.message,
  }));
  return refuse('invalid_request', errors.map(({ pointer, detail }) => `${pointer}: ${detail}`).join('; '), { errors });
}

/** Null for what is not charged here. */
async function postAll(
  house: House,
  node: NodeRow,
  charged: readonly (Charged | Refusal | null)[],
  now: Date,
): Promise<(Outcome | Refusal | null)[]> {
  const codes = new Set<AccountCodes>();
  for (const record of charged) if (record !== null && !isRefusal(record)) codes.add(record.codes);
  const names = new Set(
    [...codes].flatMap(({ revenue, payable }) => (payable === null ? revenue : [revenue, payable])),
  );
  const accounts = await knownAccounts(house, [...names], 'USD');
  const owedMax = house.settings.usageOwedMax;
  const budget = budgetOf(node, now);
  const plain: PostingRecord[] = [];
  const leased: LeasedPosting[] = [];
  for (const [place, record] of charged.entries()) {
    if (record === null || isRefusal(record)) continue;
    const posting = toPosting(record, { node, accounts, owedMax, budget });
    const { lease } = record.input;
    if (lease === undefined) plain.push(posting);
    else leased.push({ place, lease, posting });
  }
  const [outcomes, underLease] = await Promise.all([
    house.lanes.postAll(plain),
    chargeUnderLeases(house, node, leased),
  ]);
  let next = 0;
  return charged.map((record, place) => {
    if (record === null || isRefusal(record)) return record;
    return (record.input.lease === undefined ? outcomes[next++] : underLease.get(place)) ?? null;
  });
}

interface Decided {
  readonly sent: unknown;
  readonly outcome: Outcome | Refusal | null;
}

export function answerOf(house: House, { sent, outcome }: Decided): Recorded {
  const key = keyOf(sent);
  const no = (refusal: Refusal): Recorded => ({ answer: refused(key, refusal), isRepeated: false, refusal });
  assert(outcome !== null, 'a record is charged, or corrects one');
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

function keyOf(sent: unknown): string | null {
  const record = isCloudEvent(sent) ? fromCloudEvent(sent) : sent;
  const key =
    typeof record === 'object' && record !== null && 'idempotency_key' in record ? record.idempotency_key : null;
  return typeof key === 'string' ? key.slice(0, 255) : null;
}
