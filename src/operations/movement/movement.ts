import { z } from 'zod';
import { MOVEMENT_KINDS, MOVEMENT_STATES } from '../../domain/movement/movement.ts';
import { formatDecimal, micros } from '../../domain/money.ts';
import type { MovementRow } from '../../store/movement.ts';
import { instant, sidField, signedAmount } from '../schema.ts';

export const movementSchema = z
  .object({
    sid: sidField,
    provider: z.string(),
    account: z.string().describe("The provider's own id of the account."),
    ref: z.string().describe("The provider's id of the line."),
    kind: z.enum(MOVEMENT_KINDS),
    amount: signedAmount.describe('As it changes what the provider owes us, before the fee.'),
    fee: signedAmount,
    currency: z.string(),
    at: instant,
    payment_ref: z.string().nullable(),
    refund_ref: z.string().nullable(),
    dispute_ref: z.string().nullable(),
    detail: z.string().nullable().describe("The provider's own words."),
    booked: signedAmount.describe('What our books have for it.'),
    unexplained: signedAmount.describe('amount − booked.'),
    state: z
      .enum(MOVEMENT_STATES)
      .describe(
        'new: our books may still come to it · matched · unmatched: an operator must look · assigned to a user · suspended: set aside · refunding, refunded: to the payer',
      ),
    reason: z.string().nullable().describe("Why it does not match, or the operator's reason."),
    payment_sid: sidField.nullable().describe('The top-up that was made of it.'),
    updated_at: instant,
  })
  .meta({ id: 'Movement' });

export type Movement = z.input<typeof movementSchema>;

export const toMovement = (row: MovementRow): Movement => ({
  sid: row.sid,
  provider: row.provider,
  account: row.providerAccount,
  ref: row.movementRef,
  kind: row.kind,
  amount: formatDecimal(row.amount),
  fee: formatDecimal(row.fee),
  currency: row.currency,
  at: row.at.toISOString(),
  payment_ref: row.paymentRef,
  refund_ref: row.refundRef,
  dispute_ref: row.disputeRef,
  detail: row.detail,
  booked: formatDecimal(row.booked),
  unexplained: formatDecimal(micros(row.amount - row.booked)),
  state: row.state,
  reason: row.reason,
  payment_sid: row.paymentSid,
  updated_at: row.updatedAt.toISOString(),
});
