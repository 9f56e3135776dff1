import { assert } from '../../domain/assert.ts';
import { formatDecimal, isWholeCents, type Micros } from '../../domain/money.ts';
import {
  ProviderFailure,
  type NewOrder,
  type ProviderAccount,
  type ProviderOrder,
  type ProviderPayment,
  type ProviderRefund,
} from '../provider.ts';
import type { Payload } from './checksum.ts';
import { readReference } from './reference.ts';
import type { PaymentRecord, PaymentStatus } from './shapes.ts';
import { toUsd } from './usd.ts';

/** The link for one top-up. Amounts are text: what a number looks like differs between languages, and the checksum covers it. */
export function toLink(order: NewOrder, orderReference: string): Payload {
  assert(order.currency === 'USD', 'ClickPesa orders are in USD');
  assert(order.amount > 0n && isWholeCents(order.amount), 'ClickPesa takes whole cents');
  return {
    totalPrice: formatDecimal(order.amount),
    orderReference,
    orderCurrency: 'USD',
    description: order.description,
  };
}

/** `asked`: the customer has not confirmed it yet · `received`: the money came, whatever became of it since. */
const MEANS: Readonly<Record<PaymentStatus, 'asked' | 'under_way' | 'received' | 'returned' | 'failed'>> = {
  PENDING: 'asked',
  PROCESSING: 'under_way',
  'ON-HOLD': 'under_way',
  SUCCESS: 'received',
  SETTLED: 'received',
  REFUNDED: 'returned',
  REVERSED: 'returned',
  FAILED: 'failed',
};

const PROGRESS: Partial<Record<PaymentStatus, string>> = {
  PENDING: 'A request was sent to your phone. Confirm it there with your PIN.',
  PROCESSING: 'The mobile network is moving the money.',
  'ON-HOLD': 'ClickPesa is checking the payment before it lets the money through.',
};

export const hasMoney = ({ status }: PaymentRecord): boolean =>
  MEANS[status] === 'received' || MEANS[status] === 'returned';

/** An order of which at least one try to pay is known: one that nobody has tried to pay is not known to ClickPesa at all. */
export function toProviderOrder(
  orderRef: string,
  records: readonly PaymentRecord[],
  account: ProviderAccount,
): ProviderOrder {
  const sorted = records.toSorted((one, other) => one.createdAt.getTime() - other.createdAt.getTime());
  const paid = sorted.filter(hasMoney);
  const waiting =
    sorted.findLast(({ status }) => MEANS[status] === 'under_way') ??
    sorted.findLast(({ status }) => MEANS[status] === 'asked');
  const foreign = paid.find((record) => usdOf(record) === null && record.collectedCurrency !== null);
  return {
    orderRef,
    paymentSid: readReference(orderRef)?.sid ?? null,
    userSid: null,
    accountId: account.id,
    isLive: account.isLive,
    currency: foreign?.collectedCurrency ?? 'USD',
    state: paid.length > 0 ? 'paid' : stateOf(waiting),
    progress: waiting === undefined ? null : (PROGRESS[waiting.status] ?? null),
    payments: paid.map(toProviderPayment),
    checkoutUrl: null,
    expiresAt: null,
  };
}

/** What has still to be confirmed can still be paid: nothing is under way yet. */
function stateOf(waiting: PaymentRecord | undefined): ProviderOrder['state'] {
  if (waiting === undefined) return 'failed';
  return MEANS[waiting.status] === 'asked' ? 'open' : 'processing';
}

export const usdOf = ({ collectedAmount, collectedCurrency, exchange }: PaymentRecord): Micros | null =>
  collectedAmount === null || collectedCurrency === null ? null : toUsd(collectedAmount, collectedCurrency, exchange);

/** What was received is `collectedAmount`, never the amount of the order: it may be less. */
function toProviderPayment(record: PaymentRecord): ProviderPayment {
  const amount = usdOf(record) ?? record.collectedAmount;
  return { paymentRef: record.id, amount, refunds: returnOf(record, amount), disputes: [] };
}

/** A payment that the rail took back as a whole. Its reference is made of the payment's, so it is one for ever. */
function returnOf(record: PaymentRecord, amount: Micros | null): ProviderRefund[] {
  if (MEANS[record.status] !== 'returned') return [];
  if (amount === null || amount <= 0n) {
    throw new ProviderFailure('broken', 'none', 'ClickPesa says that a payment was returned, and not how much it was.');
  }
  return [
    {
      refundRef: returnRefOf(record),
      refundSid: null,
      amount,
      state: 'succeeded',
      fee: null,
      claimUrl: null,
      detail: record.status === 'REFUNDED' ? 'Returned before it was settled.' : 'Returned after it was settled.',
    },
  ];
}

export const returnRefOf = ({ id }: PaymentRecord): string => `${id}-RETURNED`;
