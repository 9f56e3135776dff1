import type { PostingRecord } from '../../domain/ledger/posting.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import { clockAheadMs, FUTURE_MAX_MS, spanOf } from '../../domain/usage/clock-skew.ts';
import type { NodeRow } from '../../store/node.ts';
import type { House } from '../house.ts';
import type { LeasedPosting } from '../lease/charge.ts';
import { budgetOf, Pricing, toPosting, type AccountCodes, type Charged, type WidenedRun } from './charge-records.ts';
import { fromCloudEvent, isCloudEvent } from './cloud-event.ts';
import { plainRecord } from './plain-record.ts';
import { knownAccounts, readRules, type Rules } from './rules.ts';
import { isPricedByTokens } from './token-cost.ts';
import { isTrueUp, type TrueUpInput } from './true-up.ts';
import { usageRecordSchema, type UsageInput } from './usage-record.ts';

/**
 * What is left of a report once its records are priced: what is posted, and what the answer needs.
 *
 * It is all that waits for the commit. The records themselves, their prices, wallets and runs of use are free by then: thousands of
 * records may be waiting, and what they hold on to is copied about by the collector.
 */
export interface PricedReport {
  /** The idempotency key of each record, in their order; null where there is none that can be read. */
  readonly keys: readonly (string | null)[];
  /** Those that are answered already, by their place. */
  readonly refused: ReadonlyMap<number, Refusal>;
  readonly postings: readonly PostingRecord[];
  /** Where the record of each of these postings stands in the report. */
  readonly places: readonly number[];
  readonly leased: readonly LeasedPosting[];
  /** Records that put an earlier one right. */
  readonly corrections: readonly Correction[];
  readonly numbered: readonly Numbered[];
  readonly widened: readonly WidenedRun[];
}

export interface Correction {
  readonly place: number;
  readonly input: TrueUpInput;
  readonly rules: Rules;
}

/** A record that its node has numbered. */
export interface Numbered {
  readonly place: number;
  readonly category: string;
  readonly number: number;
}

/** Reads and prices the records of a report, each on its own. Throws when the database is away: nothing was posted. */
export async function priceReport(
  house: House,
  node: NodeRow,
  sent: readonly unknown[],
  now: Date,
): Promise<PricedReport> {
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
  const accounts = await accountsOf(house, charged);
  const toPost = { node, accounts, owedMax: house.settings.usageOwedMax, budget: budgetOf(node, now) };
  const refused = new Map<number, Refusal>();
  const postings: PostingRecord[] = [];
  const places: number[] = [];
  const leased: LeasedPosting[] = [];
  for (const [place, record] of charged.entries()) {
    if (record === null) continue;
    if (isRefusal(record)) {
      refused.set(place, record);
      continue;
    }
    const posting = toPosting(record, toPost);
    const { lease } = record.input;
    if (lease !== undefined) {
      leased.push({ place, lease, posting });
      continue;
    }
    postings.push(posting);
    places.push(place);
  }
  const corrections = read.flatMap((record, place) =>
    !isRefusal(record) && isTrueUp(record) ? [{ place, input: record, rules }] : [],
  );
  const [keys, numbered] = [sent.map(keyOf), numberedOf(read)];
  return { keys, refused, postings, places, leased, corrections, numbered, widened: pricing.widened };
}

/** The ids of the system accounts that the charges pay into. */
async function accountsOf(
  house: House,
  charged: readonly (Charged | Refusal | null)[],
): Promise<ReadonlyMap<string, bigint>> {
  const codes = new Set<AccountCodes>();
  for (const record of charged) if (record !== null && !isRefusal(record)) codes.add(record.codes);
  const names = new Set(
    [...codes].flatMap(({ revenue, payable }) => (payable === null ? revenue : [revenue, payable])),
  );
  return await knownAccounts(house, [...names], 'USD');
}

const numberedOf = (read: readonly (UsageInput | Refusal)[]): Numbered[] =>
  read.flatMap((record, place) =>
    isRefusal(record) || record.seq === undefined ? [] : [{ place, category: record.applies_to, number: record.seq }],
  );

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

function keyOf(sent: unknown): string | null {
  const record = isCloudEvent(sent) ? fromCloudEvent(sent) : sent;
  const key =
    typeof record === 'object' && record !== null && 'idempotency_key' in record ? record.idempotency_key : null;
  return typeof key === 'string' ? key.slice(0, 255) : null;
}
