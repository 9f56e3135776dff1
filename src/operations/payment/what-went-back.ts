import { mismatchOf } from '../../domain/payment/judge.ts';
import type { ProviderOrder } from '../../providers/provider.ts';
import type { Tx } from '../../store/db.ts';
import type { PaymentRow } from '../../store/payment.ts';
import type { House } from '../house.ts';
import { convergeRefunds } from '../refund/converge.ts';
import type { Cause } from './cause.ts';

/**
 * Brings the ledger to what the provider says went back of a payment that was credited, in this order: what came in, what was
 * given back. The caller holds the payment's lock.
 *
 * Safe to: run any number of times, with old truth too.
 */
export async function convergeWhatWentBack(
  tx: Tx,
  house: House,
  { payment, truth, cause }: { readonly payment: PaymentRow; readonly truth: ProviderOrder; readonly cause: Cause },
): Promise<void> {
  if (payment.state !== 'credited' || mismatchOf(payment, { ...truth, provider: payment.provider }) !== null) return;
  for (const received of truth.payments) {
    await convergeRefunds(tx, house, { payment, received, cause });
  }
}
