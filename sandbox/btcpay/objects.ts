import type { Books, Invoice, Method, Payment, Payout, PullPayment } from './books.ts';
import { centsFor, centsText, coinText, satsFor } from './coin.ts';
import type { Invoices } from './invoices.ts';

/** What things look like on the wire: amounts as decimal text, instants as Unix seconds. */
export function invoiceObject(books: Books, invoices: Invoices, it: Invoice): object {
  const counted = books.paymentsOf(it).filter((payment) => payment.status !== 'Invalid');
  const paid = counted.reduce((sum, payment) => sum + payment.sats - payment.feeSats, 0);
  return {
    id: it.id,
    storeId: books.storeId,
    amount: centsText(it.amountCents),
    paidAmount: centsText(centsFor(paid, it.rateCents)),
    currency: it.currency,
    type: 'Standard',
    checkoutLink: `${books.options.publicUrl()}/i/${it.id}`,
    createdTime: it.created,
    expirationTime: it.expiresAt,
    monitoringExpiration: it.monitoredUntil,
    status: it.status,
    additionalStatus: it.additional,
    availableStatusesForManualMarking: invoices.markable(it),
    archived: it.archived,
    metadata: it.metadata,
    checkout: {
      speedPolicy: SPEED_BY_CONFIRMATIONS[it.confirmations] ?? 'MediumSpeed',
      paymentMethods: METHODS,
      defaultPaymentMethod: 'BTC-CHAIN',
      lazyPaymentMethods: false,
      expirationMinutes: Math.round((it.expiresAt - it.created) / 60),
      monitoringMinutes: Math.round((it.monitoredUntil - it.expiresAt) / 60),
      paymentTolerance: 0,
      redirectURL: it.redirectUrl,
      redirectAutomatically: it.redirectsByItself,
      defaultLanguage: null,
    },
    receipt: { enabled: true, showQR: null, showPayments: null },
  };
}

export const METHODS: readonly Method[] = ['BTC-CHAIN', 'BTC-LN'];

const SPEED_BY_CONFIRMATIONS: Readonly<Record<number, string>> = {
  0: 'HighSpeed',
  1: 'MediumSpeed',
  2: 'LowMediumSpeed',
  6: 'LowSpeed',
};
export const CONFIRMATIONS_BY_SPEED: Readonly<Record<string, number>> = {
  HighSpeed: 0,
  MediumSpeed: 1,
  LowMediumSpeed: 2,
  LowSpeed: 6,
};

export function paymentMethodObjects(
  books: Books,
  it: Invoice,
  options: { readonly onlyAccounted: boolean },
): object[] {
  const all = books.paymentsOf(it);
  const counted = all.filter((payment) => payment.status !== 'Invalid');
  const shown = options.onlyAccounted ? counted : all;
  const net = (payments: readonly Payment[]): number => payments.reduce((sum, one) => sum + one.sats - one.feeSats, 0);
  const total = satsFor(it.amountCents, it.rateCents) + (counted.length + 1) * it.networkFeeSats;
  const paid = counted.reduce((sum, one) => sum + one.sats, 0);
  return METHODS.map((method) => ({
    paymentMethodId: method,
    currency: 'BTC',
    destination: it.destinations[method],
    paymentLink: method === 'BTC-CHAIN' ? `bitcoin:${it.destinations[method]}` : `lightning:${it.destinations[method]}`,
    rate: books.options.switches.wrong.rate ?? centsText(it.rateCents),
    paymentMethodPaid: coinText(net(counted.filter((one) => one.method === method))),
    totalPaid: coinText(net(counted)),
    due: coinText(total - paid),
    amount: coinText(total),
    paymentMethodFee: coinText(it.networkFeeSats),
    payments: shown.filter((one) => one.method === method).map((one) => paymentObject(it, one)),
    activated: true,
    additionalData: {},
  }));
}

export const paymentObject = (invoice: Invoice, it: Payment): object => ({
  id: it.id,
  receivedDate: it.receivedAt,
  value: coinText(it.sats),
  fee: coinText(it.feeSats),
  status: it.status,
  destination: invoice.destinations[it.method],
});

export const pullPaymentObject = (books: Books, it: PullPayment): object => ({
  id: it.id,
  startsAt: it.startsAt,
  expiresAt: it.expiresAt,
  name: it.name,
  description: it.description,
  currency: it.currency,
  amount: amountText(it, it.amount),
  BOLT11Expiration: '30.00:00:00',
  autoApproveClaims: it.approvesClaims,
  archived: it.archived,
  viewLink: `${books.options.publicUrl()}/pull-payments/${it.id}`,
});

export const payoutObject = (pullPayment: PullPayment, it: Payout): object => ({
  id: it.id,
  revision: it.sats === null ? 0 : 1,
  pullPaymentId: it.pullPaymentId,
  date: it.created,
  destination: it.destination,
  originalCurrency: pullPayment.currency,
  originalAmount: amountText(pullPayment, it.amount),
  payoutCurrency: 'BTC',
  payoutAmount: it.sats === null ? null : coinText(it.sats),
  payoutMethodId: it.method,
  state: it.state,
  paymentProof: it.state === 'Completed' ? { id: it.id } : null,
  metadata: {},
});

export const amountText = ({ currency }: PullPayment, amount: number): string =>
  currency === 'USD' ? centsText(amount) : coinText(amount);
