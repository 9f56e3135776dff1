import { micros, ZERO } from '../../domain/money.ts';
import type { ProviderMovement } from '../provider.ts';
import { toMicros } from './amount.ts';
import type { FullInvoice, Greenfield } from './client.ts';
import { paymentRefOf, worthOfPayment } from './map.ts';
import type { Invoice, Payout } from './shapes.ts';

/**
 * What an invoice's payments did to what the merchant holds for us. A payment that is undone is two movements that cancel out; at which
 * moment it was undone BTCPay Server does not say, so both have the moment it came.
 */
export async function movementsOf(api: Greenfield, { invoice, methods }: FullInvoice): Promise<ProviderMovement[]> {
  // The list leaves out what was undone, and an invoice that nobody paid has nothing to ask for.
  const isTouched = invoice.status !== 'New' && !(invoice.status === 'Expired' && invoice.additionalStatus === 'None');
  const all = isTouched || methods.some(({ payments }) => payments.length > 0) ? await api.readMethods(invoice.id) : [];
  return all.flatMap((method) => method.payments.flatMap((payment) => ofPayment(invoice, { method, payment })));
}

function ofPayment(invoice: Invoice, coins: Parameters<typeof worthOfPayment>[1]): ProviderMovement[] {
  const { payment } = coins;
  if (payment.status === 'Processing') return [];
  const paymentRef = paymentRefOf(coins);
  const came: ProviderMovement = {
    movementRef: paymentRef,
    kind: 'payment',
    amount: worthOfPayment(invoice, coins),
    fee: ZERO,
    currency: invoice.currency.toUpperCase(),
    at: payment.receivedDate,
    paymentRef,
    refundRef: null,
    disputeRef: null,
    detail: null,
  };
  const isMarked = invoice.status === 'Invalid' && invoice.additionalStatus === 'Marked';
  if (payment.status === 'Settled' && !isMarked) return [came];
  const refundRef = `${paymentRef}:undone`;
  const undone: ProviderMovement = {
    ...came,
    movementRef: refundRef,
    kind: 'other',
    amount: micros(-came.amount),
    refundRef,
    detail: 'the payment was undone',
  };
  return [came, undone];
}

/** What was sent to customers, in the currency it was promised in. The coins' own fee is not told. */
export const movementOfPayout = (payout: Payout): ProviderMovement => ({
  movementRef: payout.id,
  kind: payout.pullPaymentId === null || payout.pullPaymentId === undefined ? 'payout' : 'refund',
  amount: micros(-toMicros(payout.originalAmount)),
  fee: ZERO,
  currency: payout.originalCurrency,
  at: payout.date,
  paymentRef: null,
  refundRef: payout.pullPaymentId ?? null,
  disputeRef: null,
  detail: null,
});
