import { assert } from '../../domain/assert.ts';
import { micros } from '../../domain/money.ts';
import { ProviderFailure, type ProviderOrder } from '../../providers/provider.ts';
import { mayStillCharge } from '../../store/auto-recharge.ts';
import type { PaymentRow } from '../../store/payment.ts';
import type { House } from '../house.ts';
import { providerOf } from './provider-of.ts';

/**
 * Has the saved card of a payment charged, or finds what became of the charge.
 *
 * The payment's sid is the key of both: a charge that is wanted no more, or is older than its hour, is withdrawn under the same key, so
 * that whoever still is about to make it is refused. What is called failed after that never takes money.
 * Throws {@link ProviderFailure}. Never call it inside a transaction.
 */
export async function chargeCard(house: House, payment: PaymentRow): Promise<ProviderOrder> {
  const { sid, userSid, customerRef, cardRef, createdAt } = payment;
  const { cards } = providerOf(house, payment.provider);
  if (!cards)
    throw new ProviderFailure('broken', 'none', `The payment provider ${payment.provider} has no saved cards.`);
  assert(customerRef !== null && cardRef !== null, 'a charge names its card and whose it is');
  const isInTime = house.ports.clock.now().getTime() < payment.expiresAt.getTime();
  const isWanted = isInTime && (await mayStillCharge(house.db, payment.wallet, sid));
  return await cards[isWanted ? 'charge' : 'withdraw']({
    paymentSid: sid,
    userSid,
    customerRef,
    cardRef,
    amount: micros(payment.amount),
    currency: 'USD',
    description: 'Wallet top-up',
    createdAt,
  });
}
