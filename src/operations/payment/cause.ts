import type { QuarantineReason, Verdict } from '../../domain/payment/judge.ts';
import { formatDecimal } from '../../domain/money.ts';
import type { PaymentRow } from '../../store/payment.ts';
import type { Author } from '../audit/record.ts';
import type { DisputeMove } from '../dispute/converge.ts';
import { logDisputes } from '../dispute/log.ts';
import type { House } from '../house.ts';
import type { Call } from '../operation.ts';

/** Why a payment is looked at; written into the audit row and the log. */
export interface Cause {
  readonly kind: 'create' | 'webhook' | 'page' | 'poller' | 'reconciler' | 'replay' | 'assign' | 'recharge' | 'refund';
  readonly actorId: string;
  readonly requestId: string;
}

export const causeOf = (call: Call, kind: Cause['kind']): Cause => ({
  kind,
  actorId: call.actor.id,
  requestId: call.requestId,
});

/** A job's own cause: the house acts by itself. */
export const ownCause = (house: House, kind: 'webhook' | 'poller' | 'reconciler' | 'recharge' | 'refund'): Cause => ({
  kind,
  actorId: `system:${kind}`,
  requestId: house.ports.ids.requestId(),
});

/** Whose change it is that follows from a cause. */
export const authorOf = (house: House, { actorId, requestId }: Cause): Author => ({
  house,
  actor: { id: actorId },
  requestId,
});

/** What a look at the provider came to. */
export interface Settled {
  readonly before: PaymentRow;
  readonly payment: PaymentRow;
  readonly verdict: Verdict;
  /** Its disputes that changed. */
  readonly disputes?: readonly DisputeMove[];
}

/** A sentence for the user and the operator behind each reason. */
export const QUARANTINED_BECAUSE: Readonly<Record<QuarantineReason, string>> = {
  provider_mismatch: 'the order belongs to another payment provider',
  account_mismatch: 'the order belongs to another account at the provider',
  mode_mismatch: 'test money and live money were mixed up',
  order_mismatch: 'the order at the provider is not the one that was made for this payment',
  user_mismatch: 'the order at the provider names another user',
  currency_mismatch: 'it was paid in another currency than ordered',
  amount_missing: 'the provider says paid, but not how much',
  payment_ref_missing: 'the provider says paid, but names no payment',
  payment_ref_reused: 'the same payment at the provider was credited for another order',
  amount_out_of_range: 'the wallet cannot hold that much',
  unknown_order: 'no payment of ours belongs to it',
};

/** One log line for each payment that moved, and for what came of its money; after the commit. */
export function logSettled(house: House, { before, payment, disputes }: Settled, cause: Cause): void {
  logDisputes(house, disputes ?? [], cause);
  if (payment.state === before.state && payment.credited === before.credited) return;
  const { log } = house.ports;
  const facts = {
    request_id: cause.requestId,
    cause: cause.kind,
    payment_sid: payment.sid,
    wallet_sid: payment.walletSid,
    provider: payment.provider,
    from: before.state,
    to: payment.state,
    ordered: formatDecimal(payment.amount),
    credited: payment.credited === null ? null : formatDecimal(payment.credited),
    problem: payment.problem,
  };
  if (payment.state === 'quarantined') log.warn(facts, 'payment quarantined');
  else if (payment.state === 'credited') log.info(facts, 'payment credited');
  else log.info(facts, 'payment moved');
}
