import type { Language } from '../domain/language/language.ts';
import { micros, type Micros } from '../domain/money.ts';
import type { ReceiptFacts, ReceiptKind, ReceiptSeries } from '../domain/receipt/receipt.ts';
import { statement, type Row, type Tx } from './db.ts';

/** A document of a movement, issued or about to be. */
export interface ReceiptRow {
  readonly sid: string;
  readonly series: ReceiptSeries;
  /** Null until it is issued. */
  readonly facts: ReceiptFacts | null;
  readonly userSid: string;
  readonly walletSid: string;
  readonly paymentSid: string;
  readonly kind: ReceiptKind;
  /** Signed, as the movement's. */
  readonly amount: Micros;
  readonly createdAt: Date;
}

interface ReceiptRecord extends Row {
  sid: string;
  series: ReceiptSeries;
  facts: ReceiptFacts | null;
  user_sid: string;
  wallet_sid: string;
  payment_sid: string;
  kind: ReceiptKind;
  amount: bigint;
  created_at: Date;
}

const fromRow = (row: ReceiptRecord): ReceiptRow => ({
  sid: row.sid,
  series: row.series,
  facts: row.facts,
  userSid: row.user_sid,
  walletSid: row.wallet_sid,
  paymentSid: row.payment_sid,
  kind: row.kind,
  amount: micros(row.amount),
  createdAt: row.created_at,
});

const selectReceipt = statement(
  'receipt.select',
  `select receipt.sid, receipt.series, receipt.facts, payment_event.user_sid, wallet.sid as wallet_sid, payment_event.payment_sid,
          payment_event.kind, payment_event.amount, payment_event.created_at
   from receipt join payment_event on payment_event.sid = receipt.sid join wallet on wallet.id = payment_event.wallet`,
).text;

const readStatement = statement('receipt.read', `${selectReceipt} where receipt.sid = $1`);

export async function readReceipt(tx: Tx, sid: string): Promise<ReceiptRow | null> {
  const [row] = await tx.query<ReceiptRecord>(readStatement, [sid]);
  return row ? fromRow(row) : null;
}

const listStatement = statement(
  'receipt.list',
  `${selectReceipt}
   where ($1::text is null or receipt.sid < $1) and ($2::text[] is null or payment_event.user_sid = any($2))
     and ($3::text is null or payment_event.payment_sid = $3)
   order by receipt.sid desc limit $4`,
);

/** Newest first, those to be issued included. Null owners mean all. */
export async function listReceipts(
  tx: Tx,
  page: {
    readonly before: string | null;
    readonly owners: readonly string[] | null;
    readonly paymentSid: string | null;
    readonly limit: number;
  },
): Promise<ReceiptRow[]> {
  const rows = await tx.query<ReceiptRecord>(listStatement, [page.before, page.owners, page.paymentSid, page.limit]);
  return rows.map(fromRow);
}

const findDueStatement = statement(
  'receipt.find_due',
  `select sid from receipt where number is null order by sid limit $1`,
);

/** Documents that have no number yet, oldest first. */
export async function findDueReceipts(tx: Tx, limit: number): Promise<string[]> {
  const rows = await tx.query<{ sid: string }>(findDueStatement, [limit]);
  return rows.map(({ sid }) => sid);
}

/** What a document is made of that lies in the database. */
export interface ReceiptSource {
  readonly series: ReceiptSeries;
  readonly kind: ReceiptKind;
  readonly userSid: string;
  readonly displayName: string;
  readonly language: Language;
  readonly provider: string;
  readonly externalRef: string;
  readonly paymentSid: string;
  readonly amount: Micros;
  readonly currency: string;
  readonly movedAt: Date;
  /** Whether it was real money. */
  readonly isLive: boolean;
  /** The number of the receipt of the payment; null when there is none yet. */
  readonly receiptNumber: string | null;
}

const openSeriesStatement = statement(
  'receipt.open_series',
  `insert into receipt_series (series, year, last) values ($1, $2, 0) on conflict do nothing`,
);
const lockSeriesStatement = statement(
  'receipt.lock_series',
  `select last from receipt_series where series = $1 and year = $2 for update`,
);

/** The last number of a series, with its row locked: nobody else gives one out until the transaction ends. */
export async function lockSeries(tx: Tx, series: ReceiptSeries, year: number): Promise<number> {
  await tx.query(openSeriesStatement, [series, year]);
  const [row] = await tx.query<{ last: number }>(lockSeriesStatement, [series, year]);
  return row?.last ?? 0;
}

const readSourceStatement = statement(
  'receipt.read_source',
  `select receipt.series, payment_event.kind, payment_event.user_sid, app_user.display_name, app_user.language, payment_event.provider,
          payment_event.external_ref, payment_event.payment_sid, payment_event.amount, payment_event.currency,
          payment_event.created_at as moved_at, payment.is_live,
          (select original.facts ->> 'number' from receipt as original join payment_event as came on came.sid = original.sid
           where came.payment_sid = payment_event.payment_sid and came.kind = 'top_up' order by came.sid limit 1) as receipt_number
   from receipt join payment_event on payment_event.sid = receipt.sid join app_user on app_user.sid = payment_event.user_sid
   join payment on payment.sid = payment_event.payment_sid
   where receipt.sid = $1 and receipt.number is null`,
);

/** Null when the document was issued already. */
export async function readReceiptSource(tx: Tx, sid: string): Promise<ReceiptSource | null> {
  const [row] = await tx.query<{
    series: ReceiptSeries;
    kind: ReceiptKind;
    user_sid: string;
    display_name: string;
    language: Language;
    provider: string;
    external_ref: string;
    payment_sid: string;
    amount: bigint;
    currency: string;
    moved_at: Date;
    is_live: boolean;
    receipt_number: string | null;
  }>(readSourceStatement, [sid]);
  return row
    ? {
        series: row.series,
        kind: row.kind,
        userSid: row.user_sid,
        displayName: row.display_name,
        language: row.language,
        provider: row.provider,
        externalRef: row.external_ref,
        paymentSid: row.payment_sid,
        amount: micros(row.amount),
        currency: row.currency,
        movedAt: row.moved_at,
        isLive: row.is_live,
        receiptNumber: row.receipt_number,
      }
    : null;
}

const issueStatement = statement(
  'receipt.issue',
  // Both rows or none: the series does not move on without a document that carries the number.
  `with given as (update receipt_series set last = $4 where series = $2 and year = $3 and last = $4 - 1 returning last)
   update receipt set year = $3, number = given.last, issued_at = $5, facts = $6::jsonb from given
   where receipt.sid = $1 and receipt.series = $2 and receipt.number is null returning receipt.sid`,
);

/** Gives a document its number, which is the next of its locked series. False: it did not take it. */
export async function issueReceipt(
  tx: Tx,
  receipt: {
    readonly sid: string;
    readonly series: ReceiptSeries;
    readonly year: number;
    readonly number: number;
    readonly issuedAt: Date;
    readonly facts: ReceiptFacts;
  },
): Promise<boolean> {
  const rows = await tx.query(issueStatement, [
    receipt.sid,
    receipt.series,
    receipt.year,
    receipt.number,
    receipt.issuedAt,
    JSON.stringify(receipt.facts),
  ]);
  return rows.length === 1;
}

const keepFileStatement = statement(
  'receipt.keep_file',
  `insert into receipt_file (receipt, pdf, made_at) values ($1, $2, $3) on conflict do nothing`,
);
const readFileStatement = statement('receipt.read_file', `select pdf from receipt_file where receipt = $1`);

/** Keeps a file unless there is one: of two that are made at once the first counts for both. */
export async function keepReceiptFile(tx: Tx, sid: string, pdf: Uint8Array, now: Date): Promise<void> {
  await tx.query(keepFileStatement, [sid, Buffer.from(pdf), now]);
}

/** Null before the first download. */
export async function readReceiptFile(tx: Tx, sid: string): Promise<Uint8Array | null> {
  const [row] = await tx.query<{ pdf: Buffer }>(readFileStatement, [sid]);
  return row?.pdf ?? null;
}
