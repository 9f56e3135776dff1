import {
  ProviderFailure,
  type NewRefund,
  type PaymentProvider,
  type ProviderRefund,
} from '../../providers/provider.ts';
import { assert } from '../../domain/assert.ts';
import { nextLookAt } from '../../domain/refund/schedule.ts';
import type { Tx } from '../../store/db.ts';
import { lockPayment, readPayment, type PaymentRow } from '../../store/payment.ts';
import { readCreditedAmounts } from '../../store/payment-event.ts';
import { readRefund, readRefundsOfPayment, updateRefund, type RefundRow } from '../../store/refund.ts';
import type { House } from '../house.ts';
import { authorOf, type Cause } from '../payment/cause.ts';
import { providerOf } from '../payment/provider-of.ts';
import { applyVerdict } from './apply-verdict.ts';
import { convergeOne } from './converge.ts';

/** What a question about a refund of ours came to. */
export type RefundAnswer =
  | { readonly kind: 'refund'; readonly refund: ProviderRefund }
  /** A definite no: the provider has not made it and will not. */
  | { readonly kind: 'refused'; readonly detail: string }
  /** `isUnknown`: it may have been made all the same. */
  | { readonly kind: 'no_answer'; readonly isUnknown: boolean; readonly detail: string };

/**
 * Has the provider make a refund that was set aside, or finds the one that an earlier attempt made: its sid is the provider's key for ever.
 *
 * Asks outside any transaction; then one transaction takes the payment's lock and writes what was answered. Does nothing for a refund that
 * has been answered, or that still waits for an operator.
 * Safe to: run again after a crash at any moment, concurrently, and late: at most one refund at the provider comes of it.
 */
export async function sendRefund(house: House, sid: string, cause: Cause): Promise<void> {
  const seen = await readRefund(house.db, sid);
  if (seen?.state !== 'requested' && seen?.state !== 'unknown') return;
  const payment = await readPayment(house.db, seen.paymentSid);
  assert(payment !== null, 'a payment is never deleted');
  const answer = await askFor(house, seen, payment);
  await writeAnswer(house, seen, answer, cause);
}

/** Only a "no" to the refund itself is one: a key that has ended, say, keeps us from seeing what an earlier call has done. */
async function askFor(house: House, refund: RefundRow, payment: PaymentRow): Promise<RefundAnswer> {
  // It was asked for before, and the answer was lost: first see what came of it.
  const isRepeated = refund.state === 'unknown';
  let isAsked = false;
  try {
    const provider = providerOf(house, refund.provider);
    await requireAccount(provider, refund, payment);
    const asked = toNewRefund(refund, payment);
    const found = isRepeated ? await provider.readRefund({ ...asked, refundRef: refund.refundRef }) : null;
    isAsked = true;
    return checked(refund, found ?? (await provider.refund(asked)));
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    house.ports.log.warn({ refund_sid: refund.sid, kind: error.kind, error }, 'a refund has no answer yet');
    const isDefinite = isAsked && error.kind === 'refused' && error.outcome === 'none';
    if (isDefinite) return { kind: 'refused', detail: error.message };
    return { kind: 'no_answer', isUnknown: error.outcome === 'unknown', detail: error.message };
  }
}

/** With the key of another account the provider would know nothing of the payment, and its "no" would mean nothing. */
export async function requireAccount(provider: PaymentProvider, refund: RefundRow, payment: PaymentRow): Promise<void> {
  const account = await provider.account();
  if (account.id !== refund.providerAccount || account.isLive !== payment.isLive)
    throw new ProviderFailure('broken', 'none', 'The key is of another account than the one the payment was made in.');
}

/** Made of the stored rows alone: the same question every time, as the provider's idempotency demands. */
export function toNewRefund(refund: RefundRow, payment: PaymentRow): NewRefund {
  assert(payment.orderRef !== null, 'a payment that was credited has its order');
  return {
    refundSid: refund.sid,
    paymentSid: refund.paymentSid,
    orderRef: payment.assignedOrderRef ?? payment.orderRef,
    paymentRef: refund.paymentRef,
    amount: refund.amount,
    currency: 'USD',
    destination: refund.destination,
  };
}

function checked(refund: RefundRow, answered: ProviderRefund): RefundAnswer {
  if (answered.refundSid === refund.sid) return { kind: 'refund', refund: answered };
  return {
    kind: 'no_answer',
    isUnknown: true,
    detail: 'The provider answered with another refund than the one asked for.',
  };
}

/** Writes what the provider answered, unless somebody else has by now. */
export async function writeAnswer(house: House, seen: RefundRow, answer: RefundAnswer, cause: Cause): Promise<void> {
  await house.db.transaction('refund.answer', async (tx) => {
    const payment = await lockPayment(tx, seen.paymentSid);
    assert(payment !== null, 'a payment is never deleted');
    const rows = (await readRefundsOfPayment(tx, payment.sid)).filter((row) => row.paymentRef === seen.paymentRef);
    const refund = rows.find((row) => row.sid === seen.sid);
    assert(refund !== undefined, 'a refund is never deleted');
    if (answer.kind === 'refund') {
      const credited = (await readCreditedAmounts(tx, payment.sid)).get(seen.paymentRef);
      assert(credited !== undefined, 'what is given back was credited');
      const after = await convergeOne(tx, house, {
        payment,
        paymentRef: seen.paymentRef,
        credited,
        rows,
        truth: answer.refund,
        cause,
      });
      // Nothing new: it is looked at again later.
      if (after !== null && after.state === seen.state) await putOff(tx, house, after, seen.checks + 1);
    } else if (refund.state === 'requested' || refund.state === 'unknown') {
      await writeNoRefund(tx, house, { refund, answer, cause });
    }
  });
}

interface NoRefund {
  readonly refund: RefundRow;
  readonly answer: Exclude<RefundAnswer, { kind: 'refund' }>;
  readonly cause: Cause;
}

async function writeNoRefund(tx: Tx, house: House, { refund, answer, cause }: NoRefund): Promise<void> {
  const { detail } = answer;
  const move = { refund, told: null, detail };
  const author = authorOf(house, cause);
  if (answer.kind === 'refused') {
    await applyVerdict(tx, house, { ...move, verdict: { kind: 'give_back', state: 'failed' } }, author);
    return;
  }
  const state = answer.isUnknown ? 'unknown' : refund.state;
  const after = await applyVerdict(tx, house, { ...move, verdict: { kind: 'note', state } }, author);
  await putOff(tx, house, after, refund.checks + 1);
}

/** The next look at a refund that has not moved, later each time. */
export async function putOff(tx: Tx, house: House, refund: RefundRow, checks: number): Promise<void> {
  const now = house.ports.clock.now();
  await updateRefund(tx, { ...refund, checks, nextCheckAt: nextLookAt({ now, state: refund.state, checks }) });
}
