import { z } from 'zod';
import { formatDecimal, toCentsFloor } from '../../domain/money.ts';
import { REFUND_ORIGINS, REFUND_STATES } from '../../domain/refund/state.ts';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import { readRefund, type RefundRow } from '../../store/refund.ts';
import type { Actor } from '../operation.ts';
import { centsField, instant, sidField, signedAmount } from '../schema.ts';
import { maySee } from '../visible.ts';

export const stateField = z
  .enum(REFUND_STATES)
  .describe(
    'awaiting_approval: a second operator must agree · requested: the provider is to be asked · unknown: it was asked and did not say, and is asked again · ' +
      'pending: under way · succeeded: it has left · failed: it never left, the wallet has it back · returned: it had left and came back · ' +
      'rejected: nobody agreed, the wallet has it back · quarantined: the provider says so, but it is more than was paid; nothing is posted',
  );

export const originField = z
  .enum(REFUND_ORIGINS)
  .describe(
    'operator, user: made through us · provider: made at the provider, in its dashboard · rail: taken back by the rail it was paid by',
  );

/** A refund as the outside knows it. */
export const refundSchema = z
  .object({
    sid: sidField,
    payment_sid: sidField,
    wallet_sid: sidField,
    user_sid: sidField,
    provider: z.string(),
    origin: originField,
    state: stateField,
    amount: signedAmount,
    amount_cents: centsField,
    sent: signedAmount.nullable().describe('What has really left; null until then.'),
    currency: z.literal('USD'),
    reason: z.string(),
    external_ref: z.string().nullable().describe("The provider's own reference; null until it has answered."),
    claim_url: z.url().nullable().describe('Where the customer claims it, where the provider wants that; else null.'),
    fee: signedAmount
      .nullable()
      .describe('What the provider kept for it beside the amount; null: nothing, or not said.'),
    detail: z.string().nullable().describe('Why it stands where it stands; null when there is nothing to say.'),
    created_by: z.string().nullable().describe('For operators; a customer is told what, not who.'),
    decided_by: z
      .string()
      .nullable()
      .describe('Who approved or rejected it, for operators; null: nobody had to, or has yet.'),
    created_at: instant,
    updated_at: instant,
    ended_at: instant.nullable(),
  })
  .meta({ id: 'Refund' });

export type Refund = z.input<typeof refundSchema>;

export function toRefund(row: RefundRow, actor: Actor): Refund {
  const isOwner = actor.kind === 'user';
  return {
    sid: row.sid,
    payment_sid: row.paymentSid,
    wallet_sid: row.walletSid,
    user_sid: row.userSid,
    provider: row.provider,
    origin: row.origin,
    state: row.state,
    amount: formatDecimal(row.amount),
    amount_cents: toCentsFloor(row.amount),
    sent: row.posted === null ? null : formatDecimal(row.posted),
    currency: 'USD',
    reason: row.reason,
    external_ref: row.refundRef,
    claim_url: row.claimUrl,
    fee: row.fee === null ? null : formatDecimal(row.fee),
    detail: row.detail,
    created_by: isOwner ? null : row.createdBy,
    decided_by: isOwner ? null : row.decidedBy,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
    ended_at: row.endedAt?.toISOString() ?? null,
  };
}

/** A refund the actor may see. What is not theirs answers exactly as what is not there. */
export async function visibleRefund(tx: Tx, actor: Actor, sid: string): Promise<RefundRow | Refusal> {
  const refund = await readRefund(tx, sid);
  return refund && maySee(actor, refund.userSid) ? refund : refuse('not_found', 'There is no refund with this sid.');
}
