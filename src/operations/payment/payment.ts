import { z } from 'zod';
import { formatDecimal, toCentsFloor } from '../../domain/money.ts';
import { DECLINE_CODES } from '../../domain/payment/decline.ts';
import { PAYMENT_STATES } from '../../domain/payment/state.ts';
import type { PaymentRow } from '../../store/payment.ts';
import { centsField, instant, sidField, signedAmount } from '../schema.ts';

const step = z.object({
  name: z.enum(['created', 'paid', 'credited']),
  at: instant.nullable().describe('Null while it has not happened.'),
});

/** A top-up as the outside knows it. */
export const paymentSchema = z
  .object({
    sid: sidField,
    wallet_sid: sidField,
    user_sid: sidField,
    provider: z.string(),
    state: z
      .enum(PAYMENT_STATES)
      .describe(
        'created: intent stored · open: can be paid · processing: paid, the money is under way · credited · failed · expired · quarantined: an operator looks at it',
      ),
    amount: signedAmount.describe('What was ordered.'),
    amount_cents: centsField,
    currency: z.literal('USD'),
    credited: signedAmount.nullable().describe('What was really received and credited; null until then.'),
    checkout_url: z.url().nullable().describe('Where to pay; null when it cannot be paid any more.'),
    problem: z.string().nullable().describe('Why it stands where it stands; null when all is well.'),
    is_automatic: z.boolean().describe('Whether auto-recharge charged a saved card; else it is paid on a page.'),
    decline: z.enum(DECLINE_CODES).nullable().describe('Why the bank of the saved card said no; null: it did not.'),
    progress: z
      .string()
      .nullable()
      .describe('What the provider says of a payment under way, for its user ("sent to your phone"); null: nothing.'),
    created_at: instant,
    updated_at: instant,
    expires_at: instant,
    steps: z.array(step).describe('created → paid at the provider → credited, always these three in this order.'),
  })
  .meta({ id: 'Payment' });

export type Payment = z.input<typeof paymentSchema>;

export function toPayment(row: PaymentRow): Payment {
  return {
    sid: row.sid,
    wallet_sid: row.walletSid,
    user_sid: row.userSid,
    provider: row.provider,
    state: row.state,
    amount: formatDecimal(row.amount),
    amount_cents: toCentsFloor(row.amount),
    currency: 'USD',
    credited: row.credited === null ? null : formatDecimal(row.credited),
    checkout_url: row.checkoutUrl,
    problem: row.problem,
    progress: row.progress,
    is_automatic: row.cardRef !== null,
    decline: row.decline,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
    expires_at: row.expiresAt.toISOString(),
    steps: [
      { name: 'created', at: row.createdAt.toISOString() },
      { name: 'paid', at: row.paidAt?.toISOString() ?? null },
      { name: 'credited', at: row.creditedAt?.toISOString() ?? null },
    ],
  };
}
