import { assert } from '../../domain/assert.ts';
import { formatDecimal, micros } from '../../domain/money.ts';
import { receiptNumber, taxLines, type ReceiptFacts } from '../../domain/receipt/receipt.ts';
import type { Tx } from '../../store/db.ts';
import {
  findDueReceipts,
  issueReceipt,
  lockSeries,
  readReceipt,
  readReceiptSource,
  type ReceiptSource,
} from '../../store/receipt.ts';
import type { House } from '../house.ts';

const DOCUMENTS_MAX = 200;

/**
 * Gives the documents that wait for one their number and their facts, oldest first.
 *
 * Shape: how many were looked at. Safe to: run again, in several processes: each waits for the series and then finds what is left.
 */
export async function issueReceipts(house: House): Promise<number> {
  const due = await findDueReceipts(house.db, DOCUMENTS_MAX);
  for (const sid of due) await issueOne(house, sid);
  return due.length;
}

/** One document, unless it was issued before. */
export async function issueOne(house: House, sid: string): Promise<void> {
  await house.db.transaction('receipt.issue', (tx) => issue(tx, house, sid));
}

async function issue(tx: Tx, house: House, sid: string): Promise<void> {
  const waiting = await readReceipt(tx, sid);
  if (waiting === null || waiting.facts !== null) return;
  const issuedAt = house.ports.clock.now();
  const year = issuedAt.getUTCFullYear();
  const { series } = waiting;
  const number = (await lockSeries(tx, series, year)) + 1;
  // Only now, with the series locked: whoever held it before may have issued this very one.
  const source = await readReceiptSource(tx, sid);
  if (source === null) return;
  const facts = factsOf(house, source, receiptNumber(series, year, number), issuedAt);
  const isIssued = await issueReceipt(tx, { sid, series, year, number, issuedAt, facts });
  assert(isIssued, 'a document without a number takes the next one of its locked series');
}

function factsOf({ settings }: House, source: ReceiptSource, number: string, issuedAt: Date): ReceiptFacts {
  const { issuer } = settings;
  const amount = micros(source.amount < 0n ? -source.amount : source.amount);
  return {
    series: source.series,
    number,
    issued_at: issuedAt.toISOString(),
    language: source.language,
    seller: { name: issuer.name, address: issuer.address, tax_number: issuer.taxNumber },
    buyer: { name: source.displayName, user_sid: source.userSid },
    kind: source.kind,
    moved_at: source.movedAt.toISOString(),
    provider: source.provider,
    external_ref: source.externalRef,
    payment_sid: source.paymentSid,
    amount: formatDecimal(amount),
    currency: source.currency,
    tax: taxLines(amount, issuer),
    corrects: source.series === 'credit_note' ? source.receiptNumber : null,
    is_play_money: !source.isLive,
  };
}
