import { isFinal, type PaymentState } from '../../domain/payment/state.ts';
import { ProviderFailure, type PaymentProvider, type ProviderOrder } from '../../providers/provider.ts';
import { readPayments, readReconciled, saveReconciled, type PaymentRow } from '../../store/payment.ts';
import { firstPaymentAt } from '../../store/statement-read.ts';
import { readRefundByReference } from '../../store/refund.ts';
import type { House } from '../house.ts';
import { ownCause, type Settled } from './cause.ts';
import { settlePayment } from './settle.ts';

/** Orders may be paid days after they were made, and providers repeat a lost webhook for three days: look back as far. */
const LOOK_BACK_MS = 3 * 24 * 3_600_000;
/** A page holds up to 100 orders; more than this in one go is an error in the provider's paging. */
const PAGES_MAX = 1_000;

/**
 * Compares every provider's orders since the last time (less three days) with our payments, and settles what differs. It finds
 * what every webhook, page and poll has missed.
 *
 * Shape: how many payments were settled. A provider that fails is logged and looked at again next time, from the same place.
 * Safe to: run at any time, concurrently with webhooks and with itself.
 */
export async function reconcilePayments(house: House): Promise<number> {
  let settled = 0;
  for (const provider of house.providers.values()) {
    try {
      settled += await reconcileProvider(house, provider);
    } catch (error) {
      if (!(error instanceof ProviderFailure)) throw error;
      house.ports.log.warn({ provider: provider.name, kind: error.kind, error }, 'a provider could not be reconciled');
    }
  }
  return settled;
}

async function reconcileProvider(house: House, provider: PaymentProvider): Promise<number> {
  const startedAt = house.ports.clock.now();
  const account = await provider.account();
  // Before the first time, from the first payment on: the provider may have been away since.
  const upTo =
    (await readReconciled(house.db, provider.name, account.id)) ??
    (await firstPaymentAt(house.db, provider.name, account.id)) ??
    startedAt;
  const since = new Date(upTo.getTime() - LOOK_BACK_MS);
  let settled = 0;
  let cursor: string | null = null;
  for (let page = 0; ; page += 1) {
    if (page >= PAGES_MAX) throw new ProviderFailure('broken', 'none', 'The list of orders does not end.');
    const listed = await provider.listOrders(since, cursor);
    settled += await reconcilePage(house, provider.name, listed.orders);
    cursor = listed.nextCursor;
    if (cursor === null) break;
  }
  const mark = { provider: provider.name, account: account.id, upTo: startedAt };
  await house.db.transaction('payment.reconciled', (tx) => saveReconciled(tx, mark));
  return settled;
}

/** Days of orders are compared every few minutes and nearly all agree: one statement a page finds those that do not. */
async function reconcilePage(house: House, provider: string, orders: readonly ProviderOrder[]): Promise<number> {
  const named = orders.flatMap((order) => (order.paymentSid === null ? [] : [{ order, sid: order.paymentSid }]));
  const payments = await readPayments(
    house.db,
    named.map(({ sid }) => sid),
  );
  let settled = 0;
  for (const { order, sid } of named) {
    const payment = payments.get(sid);
    if (!payment) {
      const { orderRef, userSid, state } = order;
      const paymentRefs = order.payments.map(({ paymentRef }) => paymentRef);
      const facts = {
        provider,
        order_ref: orderRef,
        payment_sid: sid,
        user_sid: userSid,
        payment_refs: paymentRefs,
        state,
      };
      house.ports.log.warn(facts, 'the provider has an order that names a payment we do not have');
    } else if (isBehind(payment, order) || (await hasUnknownRefund(house, payment, order))) {
      const after = await settlePayment(house, sid, ownCause(house, 'reconciler'));
      if (after !== null && hasMoved(after)) settled += 1;
    }
  }
  return settled;
}

/** A rail may take its money back weeks later and tell nobody; some providers' lists show it. */
async function hasUnknownRefund(house: House, payment: PaymentRow, { payments }: ProviderOrder): Promise<boolean> {
  const { provider, providerAccount, state } = payment;
  const refunds = state === 'credited' ? payments.flatMap((received) => received.refunds) : [];
  for (const { refundRef } of refunds) {
    if ((await readRefundByReference(house.db, { provider, providerAccount, refundRef })) === null) return true;
  }
  return false;
}

const hasMoved = ({ before, payment }: Settled): boolean =>
  payment.state !== before.state || payment.credited !== before.credited;

const isBehind = (payment: PaymentRow, order: ProviderOrder): boolean =>
  (payment.orderRef === null || payment.orderRef === order.orderRef) &&
  (differs(payment.state, order.state) || isPaidOtherwise(payment, order));

/** More: it was paid again. Less: coins did not stay. */
function isPaidOtherwise({ credited }: PaymentRow, { payments }: ProviderOrder): boolean {
  return credited !== null && payments.reduce((sum, { amount }) => sum + (amount ?? 0n), 0n) !== credited;
}

/** Whether the provider's state could move ours. What is quarantined waits for an operator. */
function differs(ours: PaymentState, theirs: ProviderOrder['state']): boolean {
  if (theirs === 'paid') return ours !== 'credited' && ours !== 'quarantined';
  return !isFinal(ours) && ours !== theirs;
}
