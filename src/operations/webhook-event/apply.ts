import { misfitOf, strangerOf } from '../../domain/payment/judge-event.ts';
import type { QuarantineReason } from '../../domain/payment/judge.ts';
import {
  nextAttemptAt,
  PROVIDER_AWAY_WAIT_MS,
  UNKNOWN_ORDER_WAIT_MS,
  WEBHOOK_ATTEMPTS_MAX,
} from '../../domain/payment/schedule.ts';
import { ProviderFailure } from '../../providers/provider.ts';
import { DatabaseUnavailable } from '../../store/database-unavailable.ts';
import { markInbox, readInbox, type InboxRow } from '../../store/inbox.ts';
import {
  listPaymentsAssignedFrom,
  readPayment,
  readPaymentByOrder,
  readPaymentByPaymentRef,
  type PaymentRow,
} from '../../store/payment.ts';
import { readRefund, readRefundByReference } from '../../store/refund.ts';
import type { House } from '../house.ts';
import type { Cause } from '../payment/cause.ts';
import { providerOf } from '../payment/provider-of.ts';
import { settlePayment } from '../payment/settle.ts';
import { lookAtRefund } from '../refund/look.ts';

/**
 * Applies one stored webhook: finds the payment it points at, compares, and has the payment settled by the provider's truth.
 *
 * Shape: the event as it is afterwards; null when there is none.
 * What went wrong is written on the event, which is tried again with back-off. It is dead after ten tries, or after three days of a
 * provider that does not answer. Throws only when the
 * database is not there to write it down; the queue then runs the job again.
 * Safe to: run twice, concurrently, after a crash: the mark is written in the transaction of the posting.
 */
export async function applyWebhook(house: House, sid: string, cause: Cause): Promise<InboxRow | null> {
  const event = await readInbox(house.db, sid);
  if (!event || !isWorkable(event, cause)) return event;
  try {
    await attempt(house, event, cause);
  } catch (error) {
    if (error instanceof DatabaseUnavailable) throw error;
    await recordFailure(house, event, error);
  }
  return await readInbox(house.db, sid);
}

/** What an operator asks for is tried again in any state but the last ones; a job only tries what still waits. */
const isWorkable = (event: InboxRow, cause: Cause): boolean =>
  cause.kind === 'replay'
    ? event.state !== 'applied' && event.state !== 'ignored'
    : event.state === 'received' || event.state === 'pending';

async function attempt(house: House, row: InboxRow, cause: Cause): Promise<void> {
  const account = await providerOf(house, row.provider).account();
  const accountId = row.providerAccount === 'self' ? account.id : row.providerAccount;
  const stranger = strangerOf({ ...row, accountId }, { accountId: account.id, isLive: account.isLive });
  if (stranger) return await quarantine(house, row, stranger, null);
  if (await hearOfRefund(house, row, accountId, cause)) return;
  const { found: payment, others } = await findPayments(house, row);
  for (const { sid } of others) await settlePayment(house, sid, cause);
  if (!payment) return await waitForOrder(house, row);
  const misfit = misfitOf({ ...row, accountId }, payment);
  if (misfit) return await quarantine(house, row, misfit, payment.sid);
  await settlePayment(house, payment.sid, cause, { row, accountId });
}

/** A refund that is no part of an order is asked about by its own key. Whether the event spoke of one. */
async function hearOfRefund(house: House, row: InboxRow, providerAccount: string, cause: Cause): Promise<boolean> {
  const { provider, refundSid, refundRef } = row;
  const refund =
    refundSid !== null
      ? await readRefund(house.db, refundSid)
      : refundRef !== null
        ? await readRefundByReference(house.db, { provider, providerAccount, refundRef })
        : null;
  if (refund?.provider !== provider) return false;
  await lookAtRefund(house, refund.sid, cause);
  await house.db.transaction('webhook.refund', (tx) =>
    markInbox(tx, {
      sid: row.sid,
      state: 'applied',
      reason: null,
      paymentSid: refund.paymentSid,
      attempts: row.attempts + 1,
      updatedAt: house.ports.clock.now(),
      nextAttemptAt: null,
    }),
  );
  return true;
}

interface Found {
  readonly found: PaymentRow | null;
  /** Others that an operator has made of the money of the same order. */
  readonly others: readonly PaymentRow[];
}

/** The payment that an event points at: the one that was made for the order, or else the first that was assigned of it. */
async function findPayments(house: House, row: InboxRow): Promise<Found> {
  const assigned = await findAssigned(house, row);
  const own = await findPayment(house, row);
  const found = own ?? assigned[0] ?? null;
  return { found, others: assigned.filter(({ sid }) => sid !== found?.sid) };
}

async function findAssigned(
  { db }: House,
  { provider, orderRef, paymentRef }: InboxRow,
): Promise<readonly PaymentRow[]> {
  const byOrder = orderRef === null ? [] : await listPaymentsAssignedFrom(db, provider, orderRef);
  const holder = paymentRef === null ? null : await readPaymentByPaymentRef(db, provider, paymentRef);
  const isNew = holder?.assignedOrderRef != null && byOrder.every(({ sid }) => sid !== holder.sid);
  return isNew ? [...byOrder, holder] : byOrder;
}

/** By our own sid first: it is there before the provider's references are. */
async function findPayment(house: House, row: InboxRow): Promise<PaymentRow | null> {
  const { db } = house;
  const bySid = row.hintedSid === null ? null : await readPayment(db, row.hintedSid);
  if (bySid) return bySid;
  const byOrder = row.orderRef === null ? null : await readPaymentByOrder(db, row.provider, row.orderRef);
  if (byOrder) return byOrder;
  return row.paymentRef === null ? null : await readPaymentByPaymentRef(db, row.provider, row.paymentRef);
}

async function quarantine(
  house: House,
  row: InboxRow,
  reason: QuarantineReason,
  paymentSid: string | null,
): Promise<void> {
  await house.db.transaction('webhook.quarantine', (tx) =>
    markInbox(tx, {
      sid: row.sid,
      state: 'quarantined',
      reason,
      paymentSid,
      attempts: row.attempts + 1,
      updatedAt: house.ports.clock.now(),
      nextAttemptAt: null,
    }),
  );
  const { sid, provider, eventId, eventType } = row;
  house.ports.log.warn(
    { webhook_event_sid: sid, provider, event_id: eventId, event_type: eventType, reason },
    'webhook quarantined',
  );
}

/** The order may be about to appear (another process commits it now); after minutes it never was ours. */
async function waitForOrder(house: House, row: InboxRow): Promise<void> {
  const waitedMs = house.ports.clock.now().getTime() - row.receivedAt.getTime();
  if (waitedMs < UNKNOWN_ORDER_WAIT_MS) return await tryLater(house, row, 'unknown_order');
  // Other programs send money from the same account too. Of a refund of our payments another event tells, by the order.
  const isOnlyRefund = row.refundRef !== null && row.orderRef === null && row.paymentRef === null;
  if (isOnlyRefund) await ignore(house, row, 'unknown_refund');
  else await quarantine(house, row, 'unknown_order', null);
}

async function ignore(house: House, row: InboxRow, reason: string): Promise<void> {
  const updatedAt = house.ports.clock.now();
  const attempts = row.attempts + 1;
  const { sid } = row;
  await house.db.transaction('webhook.ignore', (tx) =>
    markInbox(tx, { sid, state: 'ignored', reason, paymentSid: null, attempts, updatedAt, nextAttemptAt: null }),
  );
}

async function tryLater(house: House, row: InboxRow, reason: string): Promise<void> {
  const now = house.ports.clock.now();
  const attempts = row.attempts + 1;
  const runAt = nextAttemptAt(now, attempts);
  await house.db.transaction('webhook.retry', async (tx) => {
    await markInbox(tx, {
      sid: row.sid,
      state: 'pending',
      reason,
      paymentSid: null,
      attempts,
      updatedAt: now,
      nextAttemptAt: runAt,
    });
    await house.jobs.enqueue(tx, 'webhook.apply', { sid: row.sid }, { delayMs: runAt.getTime() - now.getTime() });
  });
}

async function recordFailure(house: House, row: InboxRow, error: unknown): Promise<void> {
  const attempts = row.attempts + 1;
  const reason = error instanceof ProviderFailure ? `provider_${error.kind}` : 'internal';
  const facts = { webhook_event_sid: row.sid, event_id: row.eventId, provider: row.provider, attempts, reason, error };
  const now = house.ports.clock.now();
  const waitedMs = now.getTime() - row.receivedAt.getTime();
  const isProviderAway = error instanceof ProviderFailure && waitedMs < PROVIDER_AWAY_WAIT_MS;
  if (attempts < WEBHOOK_ATTEMPTS_MAX || isProviderAway) {
    house.ports.log.warn(facts, 'webhook failed and will be tried again');
    return await tryLater(house, row, reason);
  }
  await house.db.transaction('webhook.give_up', (tx) =>
    markInbox(tx, {
      sid: row.sid,
      state: 'dead',
      reason,
      paymentSid: null,
      attempts,
      updatedAt: now,
      nextAttemptAt: null,
    }),
  );
  house.ports.log.error(facts, 'webhook is dead: an operator must look at it');
}
