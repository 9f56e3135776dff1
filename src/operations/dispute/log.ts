import { formatDecimal } from '../../domain/money.ts';
import type { House } from '../house.ts';
import type { Cause } from '../payment/cause.ts';
import type { DisputeMove } from './converge.ts';

/** One line for each dispute that changed, after its commit. What an operator should look at is a warning, or an error. */
export function logDisputes(
  house: House,
  moves: readonly DisputeMove[],
  cause: Pick<Cause, 'kind' | 'requestId'>,
): void {
  for (const move of moves) logDispute(house, move, cause);
}

function logDispute(house: House, move: DisputeMove, cause: Pick<Cause, 'kind' | 'requestId'>): void {
  const { before, dispute, wasWalletFrozen, balance } = move;
  const { log } = house.ports;
  const facts = {
    request_id: cause.requestId,
    cause: cause.kind,
    dispute_sid: dispute.sid,
    payment_sid: dispute.paymentSid,
    wallet_sid: dispute.walletSid,
    provider: dispute.provider,
    dispute_ref: dispute.disputeRef,
    from: before?.state ?? null,
    to: dispute.state,
    amount: formatDecimal(dispute.amount),
    excess: formatDecimal(dispute.excess),
    reason: dispute.reason,
    evidence_due_by: dispute.evidenceDueBy?.toISOString() ?? null,
    freezes_wallet: dispute.freezesWallet,
    was_wallet_frozen: wasWalletFrozen,
    balance: formatDecimal(balance),
  };
  if (dispute.excess > 0n && dispute.excess !== before?.excess)
    log.error(facts, 'a dispute takes more than its payment holds: compare with the provider');
  if (before?.state === dispute.state) log.info(facts, 'dispute changed');
  else if (dispute.state === 'lost') log.error(facts, 'dispute lost: the money is gone');
  else if (dispute.state === 'open') log.error(facts, 'payment disputed: the money is withheld, evidence is due');
  else if (dispute.state === 'inquiry') log.warn(facts, 'payment inquired about: an answer can prevent a dispute');
  else log.info(facts, 'dispute is over, the money is ours');
}
