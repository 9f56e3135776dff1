import { formatDecimal, MICROS_PER_CENT, micros, type Micros } from '../money.ts';
import type { Language } from '../language/language.ts';

export const RECEIPT_SERIES = ['receipt', 'credit_note'] as const;
export type ReceiptSeries = (typeof RECEIPT_SERIES)[number];

/** Movements at a provider that a user is given a document for. What is only withheld has not moved yet. */
export const RECEIPT_KINDS = ['top_up', 'refund', 'refund_returned', 'reversal', 'dispute_lost'] as const;
export type ReceiptKind = (typeof RECEIPT_KINDS)[number];

/** Who issues documents, as the configuration has it on that day. */
export interface Issuer {
  readonly name: string;
  /** Lines. */
  readonly address: readonly string[];
  readonly taxNumber: string | null;
  /** Null: no tax is shown. Prices include it. */
  readonly tax: { readonly name: string; readonly basisPoints: bigint } | null;
}

/** Everything a document says. Kept as it was on the day of issue; nothing of it is looked up again. */
export interface ReceiptFacts {
  readonly series: ReceiptSeries;
  /** `R-2026-000001`. */
  readonly number: string;
  readonly issued_at: string;
  readonly language: Language;
  readonly seller: { readonly name: string; readonly address: readonly string[]; readonly tax_number: string | null };
  readonly buyer: { readonly name: string; readonly user_sid: string };
  readonly kind: ReceiptKind;
  readonly moved_at: string;
  readonly provider: string;
  readonly external_ref: string;
  readonly payment_sid: string;
  /** Never negative: the series says which way. */
  readonly amount: string;
  readonly currency: string;
  readonly tax: {
    readonly name: string;
    readonly percent: string;
    readonly net: string;
    readonly amount: string;
  } | null;
  /** The number of the receipt that a credit note is for; null when there is none. */
  readonly corrects: string | null;
  /** Whether it was play money, paid in a sandbox or a test. Absent in documents from before this was kept. */
  readonly is_play_money?: boolean;
}

const PREFIX: Readonly<Record<ReceiptSeries, string>> = { receipt: 'R', credit_note: 'C' };

/** Six digits, so that names of files sort; a year with more has longer ones. */
export const receiptNumber = (series: ReceiptSeries, year: number, number: number): string =>
  `${PREFIX[series]}-${year}-${String(number).padStart(6, '0')}`;

const WHOLE = 10_000n;

/**
 * The tax within an amount that includes it, in whole cents: gross × rate ÷ (1 + rate), halves rounded up.
 * The net is what is left, so that the two always add up to what was paid.
 */
export function taxWithin(gross: Micros, basisPoints: bigint): { readonly net: Micros; readonly tax: Micros } {
  const divisor = (WHOLE + basisPoints) * MICROS_PER_CENT;
  const cents = (2n * gross * basisPoints + divisor) / (2n * divisor);
  const tax = micros(cents * MICROS_PER_CENT);
  return { net: micros(gross - tax), tax };
}

/** 1800 basis points are "18"; 1650 are "16.5". */
export function percentText(basisPoints: bigint): string {
  const [whole, rest] = [basisPoints / 100n, basisPoints % 100n];
  return rest === 0n ? String(whole) : `${whole}.${String(rest).padStart(2, '0').replace(/0$/, '')}`;
}

/** The tax lines of a document; null where none is configured. */
export function taxLines(gross: Micros, { tax }: Pick<Issuer, 'tax'>): ReceiptFacts['tax'] {
  if (tax === null) return null;
  const split = taxWithin(gross, tax.basisPoints);
  return {
    name: tax.name,
    percent: percentText(tax.basisPoints),
    net: formatDecimal(split.net),
    amount: formatDecimal(split.tax),
  };
}
