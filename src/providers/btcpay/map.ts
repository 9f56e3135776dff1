import { formatDecimal, micros, MICROS_PER_CENT, ZERO, type Micros } from '../../domain/money.ts';
import {
  ProviderFailure,
  type NewOrder,
  type ProviderAccount,
  type ProviderOrder,
  type ProviderPayment,
} from '../provider.ts';
import { minus, toMicros, worthOf } from './amount.ts';
import { isLiveDestination } from './chain.ts';
import type { FullInvoice } from './client.ts';
import { ownMetadata, ownPaymentSid, ownUserSid } from './own-payment.ts';
import type { CoinPayment, Invoice, Method } from './shapes.ts';

/** How many confirmations a payment on the chain needs, in BTCPay Server's words. Nothing is credited without any. */
const SPEED_POLICY = { 1: 'MediumSpeed', 2: 'LowMediumSpeed', 6: 'LowSpeed' } as const;
export type Confirmations = keyof typeof SPEED_POLICY;
/** As the setting writes them. */
export const CONFIRMATIONS = { '1': 1, '2': 2, '6': 6 } as const satisfies Record<string, Confirmations>;

/** How long a rate is promised. A longer promise is an option on the price of the coin, and we would pay for it. */
export const QUOTE_MINUTES_MAX = 60;
/**
 * How long after its end an invoice is watched. What comes later is in the merchant's wallet and nobody tells of it; what is not
 * confirmed by then becomes invalid. As long as the reconciliation looks back.
 */
export const MONITORING_MINUTES = 3 * 24 * 60;
/** Less than this is not credited by itself: it costs more to handle than it is worth. */
const DUST = micros(MICROS_PER_CENT);

export interface Policy {
  readonly confirmations: Confirmations;
  /** For how long after the end of an invoice its rate still holds. */
  readonly lateMinutes: number;
}

export function toInvoiceRequest(order: NewOrder, minutes: number, { confirmations }: Policy): object {
  return {
    amount: formatDecimal(order.amount),
    currency: order.currency,
    metadata: ownMetadata(order),
    checkout: {
      speedPolicy: SPEED_POLICY[confirmations],
      expirationMinutes: minutes,
      monitoringMinutes: MONITORING_MINUTES,
      // What is missing is not forgiven: what came is credited.
      paymentTolerance: 0,
      redirectURL: order.successUrl,
      redirectAutomatically: true,
    },
  };
}

/** One store can serve several programs: their invoices are passed over, whatever their shape. */
export const isOurInvoice = (invoice: Readonly<Record<string, unknown>>): boolean =>
  ownPaymentSid(invoice['metadata']) !== null;

export function toProviderOrder(full: FullInvoice, account: ProviderAccount, policy: Policy): ProviderOrder {
  const { invoice, methods } = full;
  const coins = methods.flatMap((method) => method.payments.map((payment) => ({ method, payment })));
  const payments = paymentsOf(invoice, coins, policy);
  const state = stateOf(invoice, coins, payments);
  const mayBePaid = invoice.status === 'New' && state !== 'paid';
  return {
    orderRef: invoice.id,
    paymentSid: ownPaymentSid(invoice.metadata),
    userSid: ownUserSid(invoice.metadata),
    accountId: invoice.storeId,
    isLive: isLiveOf(methods) ?? account.isLive,
    currency: invoice.currency.toUpperCase(),
    state,
    progress: progressOf(invoice, coins, state),
    payments,
    checkoutUrl: mayBePaid ? invoice.checkoutLink : null,
    expiresAt: invoice.expirationTime,
  };
}

interface Coins {
  readonly method: Method;
  readonly payment: CoinPayment;
}

/**
 * The payments of an invoice that have their confirmations, oldest first, and those that had and lost them for good.
 *
 * Each is converted by itself, at the rate that the invoice promised, so that nothing which happens later changes it. Left out: what
 * still waits for blocks; dust; and, beside payments that can be credited, what came after the rate had ended.
 */
function paymentsOf(invoice: Invoice, coins: readonly Coins[], policy: Policy): ProviderPayment[] {
  const known = coins.toSorted(byAge).flatMap((one) => toPayment(invoice, one, policy) ?? []);
  const hasAmount = known.some(({ amount }) => amount !== null && amount > 0n);
  return known.filter(({ amount }) => amount !== null || !hasAmount);
}

/** Those of one second by their names, so that the order is the same each time. */
const byAge = (a: Coins, b: Coins): number =>
  a.payment.receivedDate.getTime() - b.payment.receivedDate.getTime() || (a.payment.id < b.payment.id ? -1 : 1);

function toPayment(invoice: Invoice, coins: Coins, policy: Policy): ProviderPayment | null {
  const { payment } = coins;
  const paymentRef = paymentRefOf(coins);
  const worth = worthOfPayment(invoice, coins);
  if (payment.status === 'Invalid' || (isMarkedInvalid(invoice) && payment.status === 'Settled')) {
    return { paymentRef, amount: ZERO, refunds: [reversalOf(paymentRef, worth)], disputes: [] };
  }
  if (payment.status === 'Processing' || worth < DUST) return null;
  const isTooLate = payment.receivedDate.getTime() > invoice.expirationTime.getTime() + policy.lateMinutes * 60_000;
  return { paymentRef, amount: isTooLate ? null : worth, refunds: [], disputes: [] };
}

/** By hand, by the merchant: what came for it does not count. */
export const isMarkedInvalid = ({ status, additionalStatus }: Invoice): boolean =>
  status === 'Invalid' && additionalStatus === 'Marked';

/** Without the invoice: an output of a transaction is one payment, wherever and by whomever it is told of. */
export const paymentRefOf = ({ method, payment }: Coins): string => `${method.paymentMethodId}:${payment.id}`;

/** After the network fee that the merchant lets the customer pay on top: it is no part of what is paid for. */
export function worthOfPayment(invoice: Invoice, { method, payment }: Coins): Micros {
  if (method.rate === null)
    throw new ProviderFailure('broken', 'none', 'BTCPay Server names a payment without a rate.');
  return worthOf(minus(payment.value, payment.fee), method.rate, toMicros(invoice.amount));
}

export const undoneRefOf = (paymentRef: string): string => `${paymentRef}:undone`;

const reversalOf = (paymentRef: string, amount: Micros): ProviderPayment['refunds'][number] => ({
  refundRef: undoneRefOf(paymentRef),
  refundSid: null,
  amount,
  state: 'succeeded',
  fee: null,
  claimUrl: null,
  detail:
    'The coins did not stay: they were spent elsewhere, their block was replaced, or the invoice was set to invalid.',
});

function stateOf(
  invoice: Invoice,
  coins: readonly Coins[],
  payments: readonly ProviderPayment[],
): ProviderOrder['state'] {
  if (payments.some(({ amount }) => amount === null || amount > 0n)) return 'paid';
  const waits = coins.some(({ payment }) => payment.status === 'Processing');
  if (waits && invoice.status !== 'Invalid') return 'processing';
  switch (invoice.status) {
    case 'New':
      return 'open';
    case 'Processing':
      return 'processing';
    case 'Expired':
      return 'expired';
    // Set to settled by hand although nothing came, or everything that came is undone: there is nothing to credit.
    case 'Settled':
    case 'Invalid':
      return 'failed';
    default:
      return invoice.status satisfies never;
  }
}

function progressOf(invoice: Invoice, coins: readonly Coins[], state: ProviderOrder['state']): string | null {
  const waits = coins.some(({ payment }) => payment.status === 'Processing');
  if (!waits || invoice.status === 'Invalid') return null;
  if (state === 'paid') return 'More coins were seen and wait for their confirmations.';
  return invoice.status === 'New'
    ? 'A part of the amount was seen. The rest can still be paid.'
    : 'The coins were seen and wait for their confirmations.';
}

/** False as soon as one destination is on a test network; null when none tells. */
function isLiveOf(methods: readonly Method[]): boolean | null {
  const told = methods.map(({ currency, destination }) => isLiveDestination(currency, destination));
  if (told.includes(false)) return false;
  return told.includes(true) ? true : null;
}
