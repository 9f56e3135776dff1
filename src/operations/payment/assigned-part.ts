import { micros, MICROS_PER_CENT, type Micros } from '../../domain/money.ts';
import type { PaymentProvider, ProviderOrder, ProviderPayment } from '../../providers/provider.ts';
import type { PaymentRow } from '../../store/payment.ts';

/** The provider's truth about a payment that has its order: its own, or the one that an operator has assigned the money of. */
export async function readOrderOf(
  provider: PaymentProvider,
  payment: PaymentRow,
  orderRef: string,
): Promise<ProviderOrder | null> {
  if (payment.assignedOrderRef === null) return await provider.readOrder(orderRef);
  const order = await provider.readOrder(payment.assignedOrderRef);
  return order === null ? null : assignedPart(order, payment);
}

type Assigned = Pick<PaymentRow, 'sid' | 'userSid' | 'orderRef' | 'paymentRef' | 'currency' | 'credited'>;

/**
 * What an order at the provider says of the one payment in it that an operator has assigned to a wallet. Whose it is the operator has
 * decided, so what the order says of that is left out; account and mode stay, and are compared as always. Pure.
 *
 * What was paid in another currency was credited as the statement's line said. What goes back of it is counted by its share of that,
 * rounded down to the cent; the provider's own rate may be another, and then the line of the statement is left to an operator.
 */
export function assignedPart(order: ProviderOrder, payment: Assigned): ProviderOrder {
  const received = order.payments.find(({ paymentRef }) => paymentRef === payment.paymentRef);
  const isForeign = order.currency !== payment.currency;
  const part = received === undefined || !isForeign ? received : converted(received, payment.credited ?? 0n);
  return {
    ...order,
    orderRef: payment.orderRef ?? order.orderRef,
    paymentSid: payment.sid,
    userSid: payment.userSid,
    currency: payment.currency,
    payments: part === undefined ? [] : [part],
  };
}

function converted(received: ProviderPayment, credited: bigint): ProviderPayment {
  const whole = received.amount ?? 0n;
  const share = (amount: bigint): Micros => {
    if (whole <= 0n || amount >= whole) return micros(credited);
    const exact = (amount * credited) / whole;
    return micros(exact - (exact % MICROS_PER_CENT));
  };
  return {
    ...received,
    amount: micros(credited),
    refunds: received.refunds.map((refund) => ({ ...refund, amount: share(refund.amount) })),
    // The fee of a dispute is told in the currency of the payment too.
    disputes: received.disputes.map((one) => ({ ...one, amount: share(one.amount), fee: null })),
  };
}
