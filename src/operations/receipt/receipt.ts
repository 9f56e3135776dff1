import { z } from 'zod';
import { formatDecimal } from '../../domain/money.ts';
import { RECEIPT_KINDS, RECEIPT_SERIES } from '../../domain/receipt/receipt.ts';
import type { ReceiptRow } from '../../store/receipt.ts';
import { instant, sidField, signedAmount } from '../schema.ts';

/** A receipt or credit note as its owner sees it in a list. */
export const receiptSchema = z
  .object({
    sid: sidField.describe('That of the payment event it is for.'),
    series: z.enum(RECEIPT_SERIES),
    number: z.string().nullable().describe('For example R-2026-000001; null for the moment until it is issued.'),
    kind: z.enum(RECEIPT_KINDS),
    user_sid: sidField,
    wallet_sid: sidField,
    payment_sid: sidField,
    amount: signedAmount.describe('Plus is money that came in.'),
    moved_at: instant,
    issued_at: instant.nullable(),
  })
  .meta({ id: 'Receipt' });

export const toReceipt = (row: ReceiptRow): z.input<typeof receiptSchema> => ({
  sid: row.sid,
  series: row.series,
  number: row.facts?.number ?? null,
  kind: row.kind,
  user_sid: row.userSid,
  wallet_sid: row.walletSid,
  payment_sid: row.paymentSid,
  amount: formatDecimal(row.amount),
  moved_at: row.createdAt.toISOString(),
  issued_at: row.facts?.issued_at ?? null,
});
