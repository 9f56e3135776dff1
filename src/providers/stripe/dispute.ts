import { z } from 'zod';
import type { DisputeState } from '../../domain/dispute/state.ts';
import { fromCents, micros, MICROS_PER_CENT } from '../../domain/money.ts';
import { ProviderFailure, type ProviderDispute, type ProviderPayment } from '../provider.ts';
import { checked, type StripeCall } from './client.ts';
import { beforeTax, shareOf, type Charged, type Share } from './refund.ts';

const cents = z.number().int().min(Number.MIN_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER);

/** What we read of a dispute. An unknown status is a failure, not a guess: money depends on it. */
const disputeShape = z.object({
  id: z.string().regex(/^(dp|du|pdp)_[A-Za-z0-9_]+$/),
  object: z.literal('dispute'),
  amount: cents.nonnegative(),
  currency: z.string().regex(/^[a-zA-Z]{3}$/),
  status: z.enum([
    'warning_needs_response',
    'warning_under_review',
    'warning_closed',
    'needs_response',
    'under_review',
    'appeal_needs_response',
    'appeal_under_review',
    'won',
    'lost',
    'prevented',
  ]),
  reason: z.string().nullish(),
  balance_transactions: z.array(z.object({ fee: cents, currency: z.string() })),
  evidence_details: z.object({ due_by: z.number().int().nullish() }).nullish(),
});
type StripeDispute = z.infer<typeof disputeShape>;

/** An inquiry that is closed, and a dispute that was prevented, have moved nothing: the money is ours as it was. */
const STATES: Readonly<Record<StripeDispute['status'], DisputeState>> = {
  warning_needs_response: 'inquiry',
  warning_under_review: 'inquiry',
  warning_closed: 'won',
  needs_response: 'open',
  under_review: 'open',
  appeal_needs_response: 'open',
  appeal_under_review: 'open',
  won: 'won',
  lost: 'lost',
  prevented: 'won',
};

/** More of one payment is nothing that banks do. */
const DISPUTES_MAX = 100;

const listShape = z.object({ object: z.literal('list'), has_more: z.boolean(), data: z.array(z.unknown()) });

/** A payment with its disputes, the oldest first. */
export async function withDisputes(
  call: StripeCall,
  payment: ProviderPayment,
  charged: Charged,
): Promise<ProviderPayment> {
  const answer = await call('list-disputes', false, (stripe) =>
    stripe.disputes.list({ payment_intent: payment.paymentRef, limit: DISPUTES_MAX }),
  );
  const list = checked(listShape, answer, 'none');
  if (list.has_more) throw new ProviderFailure('broken', 'none', "Stripe's list of disputes does not end.");
  const share = shareOf(payment, charged);
  const disputes = list.data.map((dispute) => toProviderDispute(checked(disputeShape, dispute, 'none'), share));
  return { ...payment, disputes: disputes.toReversed() };
}

/**
 * A dispute in our words. Of what is disputed only the part before tax is counted, as only that was credited. A dispute in another currency
 * than the payment's is taken for all of the payment: how much of it that is only the bank knows, and what we would leave out could be spent.
 */
function toProviderDispute(dispute: StripeDispute, share: Share): ProviderDispute {
  const isSame = (currency: string): boolean => currency.toLowerCase() === share.currency.toLowerCase();
  const fee = dispute.balance_transactions
    .filter(({ currency }) => isSame(currency))
    .reduce((sum, one) => sum + one.fee, 0);
  const dueBy = dispute.status.endsWith('needs_response') ? (dispute.evidence_details?.due_by ?? null) : null;
  return {
    disputeRef: dispute.id,
    amount: isSame(dispute.currency) ? beforeTax(dispute.amount, share) : micros(share.credited * MICROS_PER_CENT),
    state: STATES[dispute.status],
    fee: dispute.balance_transactions.length === 0 ? null : fromCents(Math.max(0, fee)),
    reason: dispute.reason ?? null,
    evidenceDueBy: dueBy === null ? null : new Date(dueBy * 1000),
  };
}
