import { misfitOf } from '../../domain/payment/judge-event.ts';
import type { QuarantineReason } from '../../domain/payment/judge.ts';
import { ProviderFailure } from '../../providers/provider.ts';
import type { Tx } from '../../store/db.ts';
import { markInbox, type InboxRow } from '../../store/inbox.ts';
import { lockPayment, readPayment, updatePayment, type PaymentRow } from '../../store/payment.ts';
import { recordAudit } from '../audit/record.ts';
import { concludeRecharge } from '../auto-recharge/conclude.ts';
import type { House } from '../house.ts';
import { applyTruth } from './apply-truth.ts';
import { authorOf, logSettled, type Cause, type Settled } from './cause.ts';
import { askProvider, type Asked } from './order.ts';

/**
 * Who asks about a payment that was credited: those that bring news of it. Money may come again, go back or be disputed; a page that is
 * merely looked at must not cost a question each time.
 */
const ASKS_OF_CREDITED: ReadonlySet<Cause['kind']> = new Set(['webhook', 'reconciler', 'replay', 'refund']);

/** The event that made us look. It is marked in the transaction of what it caused. */
export interface SettleEvent {
  readonly row: InboxRow;
  readonly accountId: string;
}

/**
 * Brings a payment to what the provider says. The one function that webhooks, the return page, the poller and the reconciler call.
 *
 * Asks the provider first, outside any transaction; then one transaction locks the payment, judges, posts, and marks `event`.
 * Shape: null when there is no such payment.
 * Throws `ProviderFailure` when the truth could not be had and `DatabaseUnavailable`; nothing has happened then.
 * Safe to: run again, concurrently, with any cause: one credit comes of it.
 */
export async function settlePayment(
  house: House,
  sid: string,
  cause: Cause,
  event: SettleEvent | null = null,
): Promise<Settled | null> {
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const seen = await readPayment(house.db, sid);
    if (!seen) return null;
    const asked: Asked =
      seen.state === 'credited' && !ASKS_OF_CREDITED.has(cause.kind)
        ? { kind: 'truth', order: null }
        : await askProvider(house, seen, event === null ? null : orderNamedBy(event.row, seen));
    const settled = await house.db.transaction('payment.settle', async (tx) => {
      const payment = await lockPayment(tx, sid);
      if (!payment) return null;
      if (payment.moves !== seen.moves) return 'overtaken';
      return await settleLocked(tx, house, { payment, asked, cause, event });
    });
    if (settled === 'overtaken') continue;
    if (settled) logSettled(house, settled, cause);
    return settled;
  }
  throw new ProviderFailure('broken', 'none', 'The payment kept changing while the provider was asked about it.');
}

/**
 * How often the provider is asked when others change the payment meanwhile. Two answers may disagree ("disputed", "won"), and nothing in
 * them says which is the older: what was read before somebody else's change is thrown away.
 */
const ROUNDS_MAX = 10;

/** The order that an event speaks of. A charge of a saved card is its own order: there the payment's reference names it. */
const orderNamedBy = (row: InboxRow, payment: PaymentRow): string | null =>
  row.orderRef ?? (payment.cardRef === null ? null : row.paymentRef);

interface Look {
  readonly payment: PaymentRow;
  readonly asked: Asked;
  readonly cause: Cause;
  readonly event: SettleEvent | null;
}

async function settleLocked(tx: Tx, house: House, { payment, asked, cause, event }: Look): Promise<Settled> {
  const foreign = event === null ? null : foreignOf(payment, asked, event);
  if (foreign !== null) {
    if (event) await mark(tx, house, event.row, payment.sid, foreign);
    return { before: payment, payment, verdict: { kind: 'quarantine', reason: foreign } };
  }
  const settled =
    asked.kind === 'refused'
      ? await closeRefused(tx, house, payment, cause)
      : await applyTruth(tx, house, payment, asked.order, cause);
  if (event) {
    const reason = settled.verdict.kind === 'quarantine' ? settled.verdict.reason : null;
    await mark(tx, house, event.row, payment.sid, reason);
  }
  return settled;
}

/** Whether the event speaks of another order than this payment's: then the event is set aside, and the payment is left alone. */
function foreignOf(payment: PaymentRow, asked: Asked, { row, accountId }: SettleEvent): QuarantineReason | null {
  const misfit = misfitOf({ ...row, accountId }, payment);
  if (misfit !== null) return misfit;
  const isOther = asked.kind === 'truth' && asked.order !== null && asked.order.paymentSid !== payment.sid;
  return isOther && payment.orderRef === null ? 'order_mismatch' : null;
}

async function mark(
  tx: Tx,
  house: House,
  row: InboxRow,
  paymentSid: string,
  reason: QuarantineReason | null,
): Promise<void> {
  await markInbox(tx, {
    sid: row.sid,
    state: reason === null ? 'applied' : 'quarantined',
    reason,
    paymentSid,
    attempts: row.attempts + 1,
    updatedAt: house.ports.clock.now(),
    nextAttemptAt: null,
  });
}

/** The provider will not make the order: there is nothing a customer could pay. */
export async function closeRefused(tx: Tx, house: House, payment: PaymentRow, cause: Cause): Promise<Settled> {
  if (payment.state !== 'created') return { before: payment, payment, verdict: { kind: 'nothing' } };
  const now = house.ports.clock.now();
  const problem = 'The payment provider refused the order. Nothing was charged.';
  const closed: PaymentRow = { ...payment, state: 'failed', problem, updatedAt: now, nextCheckAt: null };
  await updatePayment(tx, closed);
  await recordAudit(tx, authorOf(house, cause), {
    action: 'payment.settle',
    subject: payment.sid,
    reason: problem,
    before: { state: payment.state },
    after: { state: closed.state, credited: null },
  });
  await concludeRecharge(tx, house, closed, cause);
  return { before: payment, payment: closed, verdict: { kind: 'close', state: 'failed', problem } };
}
