import { formatDecimal, type Micros } from '../../domain/money.ts';
import { inOrder, judgeRefund, roomFor } from '../../domain/refund/judge.ts';
import { isOurs } from '../../domain/refund/state.ts';
import type { ProviderPayment, ProviderRefund } from '../../providers/provider.ts';
import type { Tx } from '../../store/db.ts';
import type { PaymentRow } from '../../store/payment.ts';
import { readCreditedAmounts } from '../../store/payment-event.ts';
import { insertRefund, readRefundByReference, readRefundsOfPayment, type RefundRow } from '../../store/refund.ts';
import { recordAudit } from '../audit/record.ts';
import type { House } from '../house.ts';
import { authorOf, type Cause } from '../payment/cause.ts';
import { applyVerdict } from './apply-verdict.ts';

/**
 * Brings our refunds of one payment at the provider to what the provider says of them: what others made is posted, ours move.
 *
 * The caller holds the payment's lock and commits; nothing here asks the outside. A payment that is not credited waits for its
 * credit. What makes no sense is logged and set aside, and never thrown: the rest of the truth still counts.
 * Safe to: run any number of times, with old truth too. Each refund leaves once and comes back at most once.
 */
export async function convergeRefunds(
  tx: Tx,
  house: House,
  {
    payment,
    received,
    cause,
  }: { readonly payment: PaymentRow; readonly received: ProviderPayment; readonly cause: Cause },
): Promise<void> {
  if (received.refunds.length === 0) return;
  const credited = (await readCreditedAmounts(tx, payment.sid)).get(received.paymentRef);
  if (credited === undefined) return;
  const all = await readRefundsOfPayment(tx, payment.sid);
  const rows = all.filter((row) => row.paymentRef === received.paymentRef);
  for (const truth of inOrder(received.refunds, (one) => rowOf(rows, one) !== null)) {
    const before = rowOf(rows, truth);
    const after = await convergeOne(tx, house, {
      payment,
      paymentRef: received.paymentRef,
      credited,
      rows,
      truth,
      cause,
    });
    if (after === null) continue;
    if (before === null) rows.push(after);
    else rows.splice(rows.indexOf(before), 1, after);
  }
}

/** Ours by its sid while it has no reference, every other by its reference. */
const rowOf = (rows: readonly RefundRow[], truth: Pick<ProviderRefund, 'refundRef' | 'refundSid'>): RefundRow | null =>
  rows.find((row) => row.refundRef === truth.refundRef) ??
  rows.find((row) => row.refundRef === null && row.sid === truth.refundSid) ??
  null;

export interface OneRefund {
  readonly payment: PaymentRow;
  readonly paymentRef: string;
  /** What the payment was credited with: no more of it goes back. */
  readonly credited: Micros;
  /** Every refund of the same payment at the provider. */
  readonly rows: readonly RefundRow[];
  readonly truth: ProviderRefund;
  readonly cause: Cause;
}

/** One refund of the provider's truth; null: it was set aside and has no row. */
export async function convergeOne(tx: Tx, house: House, one: OneRefund): Promise<RefundRow | null> {
  const { payment, credited, rows, truth, cause } = one;
  const known = rowOf(rows, truth);
  if (known?.refundRef !== truth.refundRef && (await isTaken(tx, house, payment, truth))) return null;
  const verdict = judgeRefund(known, truth, roomFor(credited, rows, known?.sid ?? null));
  if (known === null && truth.amount <= 0n) {
    house.ports.log.error(factsOf(payment, truth), 'the provider tells of a refund of nothing; it is not kept');
    return null;
  }
  const refund = known ?? (await insertOthers(tx, house, one));
  const after = await applyVerdict(tx, house, { refund, verdict, told: truth }, authorOf(house, cause));
  tellOf(house, { before: known, after, payment, truth });
  return after;
}

/** One reference is one refund: the provider's word against our row, which stands. */
async function isTaken(tx: Tx, house: House, payment: PaymentRow, truth: ProviderRefund): Promise<boolean> {
  const { provider, providerAccount } = payment;
  const other = await readRefundByReference(tx, { provider, providerAccount, refundRef: truth.refundRef });
  if (other === null) return false;
  const facts = { ...factsOf(payment, truth), refund_sid: other.sid, belongs_to: other.paymentSid };
  house.ports.log.error(facts, 'the provider tells one refund of two payments; only the first counts');
  return true;
}

/** A refund that we did not make, as it is before anything follows from it. */
async function insertOthers(
  tx: Tx,
  house: House,
  { payment, paymentRef, truth, cause }: OneRefund,
): Promise<RefundRow> {
  const now = house.ports.clock.now();
  // A rail that takes its money back makes no object of its own: its reference is made of the payment's.
  const isRail = truth.refundRef.includes(paymentRef);
  const row: RefundRow = {
    sid: house.ports.ids.sid(),
    paymentSid: payment.sid,
    paymentRef,
    wallet: payment.wallet,
    walletSid: payment.walletSid,
    userSid: payment.userSid,
    provider: payment.provider,
    providerAccount: payment.providerAccount,
    origin: isRail ? 'rail' : 'provider',
    state: 'quarantined',
    amount: truth.amount,
    posted: null,
    currency: payment.currency,
    reason: isRail ? 'Taken back by the rail it was paid by.' : 'Made at the provider.',
    refundRef: truth.refundRef,
    destination: null,
    claimUrl: null,
    fee: null,
    detail: null,
    createdBy: `provider:${payment.provider}`,
    createdAt: now,
    decidedBy: null,
    decidedAt: null,
    updatedAt: now,
    endedAt: null,
    nextCheckAt: null,
    checks: 0,
  };
  await insertRefund(tx, row);
  await recordAudit(tx, authorOf(house, cause), {
    action: 'refund.found',
    subject: row.sid,
    reason: row.reason,
    after: { payment_sid: payment.sid, amount: formatDecimal(row.amount), external_ref: truth.refundRef },
  });
  return row;
}

interface Told {
  readonly before: RefundRow | null;
  readonly after: RefundRow;
  readonly payment: PaymentRow;
  readonly truth: ProviderRefund;
}

/** One log line for each refund that moved. */
function tellOf(house: House, { before, after, payment, truth }: Told): void {
  if (before?.state === after.state) return;
  const facts = { ...factsOf(payment, truth), refund_sid: after.sid, from: before?.state ?? null, to: after.state };
  const { log } = house.ports;
  if (after.state === 'quarantined') log.error(facts, 'a refund is more than was paid: nothing of it is posted');
  else if (isOurs(after.origin) && after.posted !== null && after.posted !== after.amount)
    log.error({ ...facts, asked: formatDecimal(after.amount) }, 'the provider gave back another amount than asked');
  else log.info(facts, 'refund moved');
}

const factsOf = (payment: PaymentRow, truth: ProviderRefund) => ({
  payment_sid: payment.sid,
  wallet_sid: payment.walletSid,
  provider: payment.provider,
  external_ref: truth.refundRef,
  amount: formatDecimal(truth.amount),
});
