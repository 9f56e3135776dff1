import { micros, ZERO } from '../../domain/money.ts';
import type { ProviderMovement } from '../provider.ts';
import { namedOwner } from '../named-owner.ts';
import type { FullInvoice, Greenfield } from './client.ts';
import { isMarkedInvalid, paymentRefOf, undoneRefOf, worthOfPayment } from './map.ts';
import { ownPaymentSid, ownUserSid } from './own-payment.ts';
import { invoiceIdOf, readStateOf } from './refund.ts';
import type { Invoice, PullPayment } from './shapes.ts';

/**
 * What the payments of an invoice did to what the store holds for us.
 *
 * A payment that was confirmed and then undone is two movements that cancel out. When it was undone BTCPay Server does not say, so both
 * have the moment it came. One that never was confirmed moved nothing.
 */
export async function movementsOf(api: Greenfield, { invoice, methods }: FullInvoice): Promise<ProviderMovement[]> {
  const hasPayments = methods.some(({ payments }) => payments.length > 0);
  // The list leaves out what was undone.
  if (!hasPayments && !wasConfirmed(invoice)) return [];
  const all = await api.readMethods(invoice.id);
  return all.flatMap((method) => method.payments.flatMap((payment) => ofPayment(invoice, { method, payment })));
}

/** Nothing but a hand takes an invoice out of `Settled`, whatever becomes of its payments. */
const wasConfirmed = (invoice: Invoice): boolean => invoice.status === 'Settled' || isMarkedInvalid(invoice);

function ofPayment(invoice: Invoice, coins: Parameters<typeof worthOfPayment>[1]): ProviderMovement[] {
  const { status } = coins.payment;
  if (status === 'Processing' || (status === 'Invalid' && !wasConfirmed(invoice))) return [];
  const paymentRef = paymentRefOf(coins);
  const came: ProviderMovement = {
    movementRef: paymentRef,
    kind: 'payment',
    amount: worthOfPayment(invoice, coins),
    fee: ZERO,
    currency: invoice.currency.toUpperCase(),
    at: coins.payment.receivedDate,
    orderRef: invoice.id,
    paymentRef,
    refundRef: null,
    disputeRef: null,
    detail: namedOwner(ownPaymentSid(invoice.metadata), ownUserSid(invoice.metadata)),
  };
  if (status === 'Settled' && !isMarkedInvalid(invoice)) return [came];
  const refundRef = undoneRefOf(paymentRef);
  const amount = micros(-came.amount);
  return [
    came,
    { ...came, movementRef: refundRef, kind: 'refund', amount, refundRef, detail: 'the payment was undone' },
  ];
}

/**
 * What refunds that have ended took out of the store, one line each. The coins' own fee is not told, and neither are coins that the
 * merchant takes out for itself.
 */
export async function movementsOfRefunds(api: Greenfield, since: Date): Promise<ProviderMovement[]> {
  const payouts = Map.groupBy(await api.listStorePayouts(), ({ pullPaymentId }) => pullPaymentId ?? null);
  const pullPayments = new Map((await api.listPullPayments()).map((one) => [one.id, one]));
  const movements: ProviderMovement[] = [];
  for (const [id, sent] of payouts) {
    const pullPayment = id === null ? undefined : pullPayments.get(id);
    const at = new Date(Math.max(...sent.map(({ date }) => date.getTime())));
    if (pullPayment !== undefined && at >= since) movements.push(...(await ofRefund(api, pullPayment, at)));
  }
  return movements;
}

async function ofRefund(api: Greenfield, pullPayment: PullPayment, at: Date): Promise<ProviderMovement[]> {
  const refund = await readStateOf(api, pullPayment);
  if (refund === null || refund.state !== 'succeeded') return [];
  return [
    {
      movementRef: refund.refundRef,
      kind: 'refund',
      amount: micros(-refund.amount),
      fee: ZERO,
      currency: 'USD',
      at,
      orderRef: invoiceIdOf(pullPayment),
      paymentRef: null,
      refundRef: refund.refundRef,
      disputeRef: null,
      detail: refund.detail,
    },
  ];
}
