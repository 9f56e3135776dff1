import { mismatchOf } from '../../domain/payment/judge.ts';
import type { ProviderOrder } from '../../providers/provider.ts';
import type { Tx } from '../../store/db.ts';
import { countMove, type PaymentRow } from '../../store/payment.ts';
import { convergeBonus } from '../bonus/converge.ts';
import { convergeDisputes, type DisputeMove } from '../dispute/converge.ts';
import type { House } from '../house.ts';
import { convergeRefunds } from '../refund/converge.ts';
import { authorOf, type Cause } from './cause.ts';

/**
 * Brings the ledger to what the provider says went back of a payment that was credited, in this order: what came in, what was
 * given back, what is disputed: disputes take what refunds have left. The bonus that was given for it follows. The caller holds the
 * payment's lock, and has made sure that the payment has not moved since the provider was asked (`payment.moves`).
 *
 * Shape: the disputes that changed, for the log.
 * Safe to: run any number of times.
 */
export async function convergeWhatWentBack(
  tx: Tx,
  house: House,
  { payment, truth, cause }: { readonly payment: PaymentRow; readonly truth: ProviderOrder; readonly cause: Cause },
): Promise<readonly DisputeMove[]> {
  if (payment.state !== 'credited' || mismatchOf(payment, { ...truth, provider: payment.provider }) !== null) return [];
  const moves: DisputeMove[] = [];
  for (const received of truth.payments) {
    await convergeRefunds(tx, house, { payment, received, cause });
    moves.push(...(await convergeDisputes(tx, house, { payment, received, cause })));
  }
  await convergeBonus(tx, house, payment, authorOf(house, cause));
  if (moves.length > 0) await countMove(tx, payment.sid);
  return moves;
}
