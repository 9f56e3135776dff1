import { micros } from '../../domain/money.ts';
import { isFinal } from '../../domain/payment/state.ts';
import { ProviderFailure, type NewOrder, type ProviderOrder } from '../../providers/provider.ts';
import type { PaymentRow } from '../../store/payment.ts';
import type { House } from '../house.ts';
import { readOrderOf } from './assigned-part.ts';
import { chargeCard } from './charge.ts';
import { providerOf } from './provider-of.ts';

/** The order of a payment, made of its stored row alone: the same question every time, as the provider's idempotency demands. */
export function toNewOrder(house: House, payment: PaymentRow): NewOrder {
  const page = `${house.settings.publicUrl}/payments/${payment.sid}`;
  return {
    paymentSid: payment.sid,
    userSid: payment.userSid,
    amount: micros(payment.amount),
    currency: 'USD',
    description: 'Wallet top-up',
    successUrl: page,
    cancelUrl: page,
    expiresAt: payment.expiresAt,
    customerRef: payment.customerRef,
    savesCard: payment.savesCard,
  };
}

/** What the provider said: an order, that it does not know one, or a definite no to making one. */
export type Asked = { readonly kind: 'truth'; readonly order: ProviderOrder | null } | { readonly kind: 'refused' };

/**
 * Asks the provider for its truth about a payment.
 *
 * With no order stored, the order is made or, if an earlier call did reach the provider, found: the payment's sid is the provider's
 * key. `hint` is the order an event spoke of; the answer is compared like any other.
 * Throws {@link ProviderFailure} when the truth could not be had. Never call it inside a transaction.
 */
export async function askProvider(house: House, payment: PaymentRow, hint: string | null): Promise<Asked> {
  const provider = providerOf(house, payment.provider);
  const orderRef = payment.orderRef ?? hint;
  if (orderRef !== null) return { kind: 'truth', order: await readOrderOf(provider, payment, orderRef) };
  if (isFinal(payment.state)) return { kind: 'truth', order: null };
  try {
    const order =
      payment.cardRef === null ? provider.createOrder(toNewOrder(house, payment)) : chargeCard(house, payment);
    return { kind: 'truth', order: await order };
  } catch (error) {
    const isDefinite = error instanceof ProviderFailure && error.kind === 'refused' && error.outcome === 'none';
    if (isDefinite) return { kind: 'refused' };
    throw error;
  }
}
