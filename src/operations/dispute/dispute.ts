import { z } from 'zod';
import { DISPUTE_STATES } from '../../domain/dispute/state.ts';
import { formatDecimal } from '../../domain/money.ts';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import { readDispute, type DisputeRow } from '../../store/dispute.ts';
import type { Actor } from '../operation.ts';
import { instant, sidField, signedAmount } from '../schema.ts';
import { maySee } from '../visible.ts';

export const disputeSchema = z
  .object({
    sid: sidField,
    payment_sid: sidField,
    wallet_sid: sidField,
    user_sid: sidField,
    provider: z.string(),
    dispute_ref: z.string().describe("The provider's own reference, to find it in its dashboard."),
    payment_ref: z.string(),
    state: z
      .enum(DISPUTE_STATES)
      .describe('inquiry: asked, no money has moved · open: withheld · won: it is ours again · lost: it is gone.'),
    amount: signedAmount.describe('What is disputed, as the provider says.'),
    frozen: signedAmount.describe('Of it, what is set aside of the wallet.'),
    lost: signedAmount.describe('Of it, what is gone for good.'),
    excess: signedAmount.describe(
      'Of it, what the payment did not hold any more: refunded before, or disputed twice. Not taken from the wallet.',
    ),
    fee: signedAmount.describe('What the provider charges the house for it.'),
    reason: z.string().nullable().describe("Why, in the provider's word."),
    evidence_due_by: instant.nullable().describe('Until when the provider takes evidence; null: no more, or not said.'),
    freezes_wallet: z.boolean().describe('Whether the wallet takes no debits and no holds because of it.'),
    opened_at: instant.describe('When we heard of it first.'),
    updated_at: instant,
    closed_at: instant.nullable(),
  })
  .meta({ id: 'Dispute' });

export type Dispute = z.input<typeof disputeSchema>;

export function toDispute(row: DisputeRow): Dispute {
  return {
    sid: row.sid,
    payment_sid: row.paymentSid,
    wallet_sid: row.walletSid,
    user_sid: row.userSid,
    provider: row.provider,
    dispute_ref: row.disputeRef,
    payment_ref: row.paymentRef,
    state: row.state,
    amount: formatDecimal(row.amount),
    frozen: formatDecimal(row.frozen),
    lost: formatDecimal(row.lost),
    excess: formatDecimal(row.excess),
    fee: formatDecimal(row.fee),
    reason: row.reason,
    evidence_due_by: row.evidenceDueBy?.toISOString() ?? null,
    freezes_wallet: row.freezesWallet,
    opened_at: row.openedAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
    closed_at: row.closedAt?.toISOString() ?? null,
  };
}

/** A dispute the actor may see. What is not theirs answers exactly as what is not there. */
export async function visibleDispute(tx: Tx, actor: Actor, sid: string): Promise<DisputeRow | Refusal> {
  const dispute = await readDispute(tx, sid);
  return dispute && maySee(actor, dispute.userSid)
    ? dispute
    : refuse('not_found', 'There is no dispute with this sid.');
}
