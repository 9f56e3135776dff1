import { assert, assertNever } from '../../domain/assert.ts';
import { deriveIdem, fingerprintOf } from '../../domain/idem.ts';
import { liveAccount, type PostingRecord } from '../../domain/ledger/posting.ts';
import { formatDecimal, micros } from '../../domain/money.ts';
import { declineSentence } from '../../domain/payment/decline.ts';
import { judge, type QuarantineReason, type Receipt, type Verdict } from '../../domain/payment/judge.ts';
import { nextCheckAt } from '../../domain/payment/schedule.ts';
import type { ProviderOrder } from '../../providers/provider.ts';
import type { Tx } from '../../store/db.ts';
import { applyPostings, ensureSystemAccount } from '../../store/ledger.ts';
import { updatePayment, type PaymentRow } from '../../store/payment.ts';
import { insertPaymentEvent, readCreditedRefs } from '../../store/payment-event.ts';
import { recordAudit } from '../audit/record.ts';
import { concludeRecharge } from '../auto-recharge/conclude.ts';
import { giveBonus } from '../bonus/give.ts';
import { emit } from '../event/emit.ts';
import { wakeStanding } from '../standing/wake.ts';
import type { House } from '../house.ts';
import { authorOf, QUARANTINED_BECAUSE, type Cause, type Settled } from './cause.ts';
import { convergeWhatWentBack } from './what-went-back.ts';

type Credit = Extract<Verdict, { kind: 'credit' }>;

/**
 * Judges a locked payment by the provider's truth and writes what follows: posting, payment event, payment row, audit row,
 * and the bonus of a first top-up.
 *
 * The caller holds the payment's row lock and commits; nothing here asks the outside.
 * Safe to: run any number of times, with old truth too. One payment at the provider is credited once, whoever comes first; an order
 * that is paid again is credited again, by the reference of its next payment.
 */
export async function applyTruth(
  tx: Tx,
  house: House,
  payment: PaymentRow,
  truth: ProviderOrder | null,
  cause: Cause,
): Promise<Settled> {
  const now = house.ports.clock.now();
  const creditedRefs = payment.state === 'credited' ? await readCreditedRefs(tx, payment.sid) : NONE;
  const told = truth === null ? null : { ...truth, provider: payment.provider };
  const verdict = judge({ ...payment, creditedRefs }, told, now);
  const after = await follow(tx, house, { payment, truth, verdict, now });
  if (after.payment !== payment) await updatePayment(tx, after.payment);
  if (after.payment.state !== payment.state || after.payment.credited !== payment.credited)
    await auditMove(tx, house, { before: payment, after: after.payment, cause });
  if (after.payment.state !== payment.state) await concludeRecharge(tx, house, after.payment, cause);
  if (after.payment.credited !== payment.credited) await giveBonus(tx, house, after.payment, authorOf(house, cause));
  if (truth === null) return { ...after, before: payment };
  const disputes = await convergeWhatWentBack(tx, house, { payment: after.payment, truth, cause });
  return { ...after, before: payment, disputes };
}

const NONE: ReadonlySet<string> = new Set();

interface Judged {
  readonly payment: PaymentRow;
  readonly truth: ProviderOrder | null;
  readonly verdict: Verdict;
  readonly now: Date;
}
type Followed = Pick<Settled, 'payment' | 'verdict'>;

async function follow(tx: Tx, house: House, judged: Judged): Promise<Followed> {
  const { payment, verdict } = judged;
  switch (verdict.kind) {
    case 'credit':
      return await credit(tx, house, judged, verdict);
    case 'wait':
      return { verdict, payment: waiting(judged, verdict) };
    case 'close':
      return { verdict, payment: closed(judged, verdict.state, verdict.problem) };
    case 'quarantine':
      return quarantined(judged, verdict.reason);
    case 'nothing':
      return { verdict, payment };
    default:
      return assertNever(verdict);
  }
}

/** What every outcome learns from the truth, whatever it decides. */
const learnt = (payment: PaymentRow, truth: ProviderOrder | null) => ({
  orderRef: payment.orderRef ?? truth?.orderRef ?? null,
  paymentRef: payment.paymentRef ?? truth?.payments[0]?.paymentRef ?? null,
});

function waiting({ payment, truth, now }: Judged, verdict: Extract<Verdict, { kind: 'wait' }>): PaymentRow {
  const hasMoved = verdict.state !== payment.state;
  const checks = hasMoved ? 0 : payment.checks + 1;
  const isProcessing = verdict.state === 'processing';
  return {
    ...payment,
    ...learnt(payment, truth),
    state: verdict.state,
    problem: verdict.problem,
    progress: truth === null ? payment.progress : truth.progress,
    checkoutUrl: truth === null ? payment.checkoutUrl : pageOf(payment, truth),
    paidAt: isProcessing ? (payment.paidAt ?? now) : payment.paidAt,
    updatedAt: hasMoved ? now : payment.updatedAt,
    nextCheckAt: nextCheckAt({ now, checks, expiresAt: payment.expiresAt }),
    checks,
  };
}

/** Not every provider tells the page again. It is where it was as long as the order can be paid. */
const pageOf = (payment: PaymentRow, truth: ProviderOrder): string | null =>
  truth.checkoutUrl ?? (truth.state === 'open' && payment.state !== 'processing' ? payment.checkoutUrl : null);

function closed({ payment, truth, now }: Judged, state: 'failed' | 'expired', problem: string): PaymentRow {
  return {
    ...payment,
    ...learnt(payment, truth),
    state,
    problem: truth?.decline ? declineSentence(truth.decline.code, truth.decline.reason) : problem,
    decline: truth?.decline?.code ?? null,
    progress: null,
    checkoutUrl: null,
    updatedAt: now,
    nextCheckAt: null,
  };
}

function quarantined({ payment, truth, now }: Judged, reason: QuarantineReason): Followed {
  const verdict: Verdict = { kind: 'quarantine', reason };
  const problem = `${reason}: ${QUARANTINED_BECAUSE[reason]}`;
  if (payment.state === 'quarantined' && payment.problem === problem) return { verdict, payment };
  return {
    verdict,
    payment: {
      ...payment,
      orderRef: payment.orderRef ?? (truth?.paymentSid === payment.sid ? truth.orderRef : null),
      state: 'quarantined',
      problem,
      progress: null,
      checkoutUrl: null,
      updatedAt: now,
      nextCheckAt: null,
    },
  };
}

/** What a ledger can refuse of a credit: the provider gave one reference to two orders, or the wallet cannot hold that much. */
const UNPOSTABLE = { key_reused: 'payment_ref_reused', out_of_range: 'amount_out_of_range' } as const;

async function credit(tx: Tx, house: House, judged: Judged, verdict: Credit): Promise<Followed> {
  const { payment, truth, now } = judged;
  const clearing = await ensureSystemAccount(tx, `provider:${payment.provider}:clearing`, payment.currency);
  const stamp = { batch: house.ports.ids.batchId(), recordedAt: now };
  const postings = verdict.receipts.map((receipt) => toPosting(payment, receipt, clearing, now));
  const outcomes = await applyPostings(tx, postings, stamp);
  const posted: Receipt[] = [];
  let refused: QuarantineReason | null = null;
  for (const [index, receipt] of verdict.receipts.entries()) {
    const outcome = outcomes[index];
    if (outcome?.kind === 'key_reused' || outcome?.kind === 'out_of_range') {
      refused ??= UNPOSTABLE[outcome.kind];
      continue;
    }
    assert(
      outcome?.kind === 'applied',
      'a credit has an open account, and one that was posted before is among the credited ones',
    );
    await insertPaymentEvent(tx, toEvent(house, judged, receipt));
    await emit(tx, house, { type: 'payment.credited', of: payment, facts: factsOf(payment, receipt) });
    posted.push(receipt);
  }
  if (posted.length > 0) await wakeStanding(tx, house, payment);
  if (posted.length === 0 && payment.state !== 'credited') return quarantined(judged, refused ?? 'amount_missing');
  const problem = refused === null ? verdict.problem : `${refused}: ${QUARANTINED_BECAUSE[refused]}`;
  const credited: PaymentRow = {
    ...payment,
    ...learnt(payment, truth),
    state: 'credited',
    credited: posted.reduce((sum, { amount }) => sum + amount, payment.credited ?? 0n),
    problem,
    progress: null,
    checkoutUrl: null,
    paidAt: payment.paidAt ?? now,
    creditedAt: payment.creditedAt ?? now,
    updatedAt: now,
    nextCheckAt: null,
  };
  return { verdict, payment: credited };
}

const toEvent = (house: House, { payment, truth, now }: Judged, receipt: Receipt) => ({
  sid: house.ports.ids.sid(),
  userSid: payment.userSid,
  wallet: payment.wallet,
  paymentSid: payment.sid,
  provider: payment.provider,
  providerAccount: payment.providerAccount,
  kind: 'top_up' as const,
  externalRef: receipt.paymentRef,
  amount: receipt.amount,
  currency: truth?.currency ?? payment.currency,
  createdAt: now,
});

const factsOf = ({ sid, provider, currency }: PaymentRow, { paymentRef, amount }: Receipt) => ({
  payment_sid: sid,
  provider,
  external_ref: paymentRef,
  amount: formatDecimal(amount),
  currency,
});

/** Never made of an event's id: three kinds of event speak of one payment, and each may come many times. */
function toPosting(payment: PaymentRow, receipt: Receipt, clearing: bigint, now: Date): PostingRecord {
  const { provider, providerAccount, sid } = payment;
  return {
    idem: deriveIdem(provider, providerAccount, receipt.paymentRef, 'top_up'),
    fingerprint: fingerprintOf([sid, payment.walletSid]),
    kind: 'top_up',
    legs: [
      { account: liveAccount(payment.wallet, 'wallet'), amount: receipt.amount },
      { account: clearing, amount: micros(0n - receipt.amount) },
    ],
    mayOverdraw: false,
    passesFreeze: true,
    occurredAt: now,
    about: JSON.stringify({ description: 'Top-up', payment_sid: sid, provider, external_ref: receipt.paymentRef }),
  };
}

interface Move {
  readonly before: PaymentRow;
  readonly after: PaymentRow;
  readonly cause: Cause;
}

async function auditMove(tx: Tx, house: House, { before, after, cause }: Move): Promise<void> {
  await recordAudit(tx, authorOf(house, cause), {
    action: 'payment.settle',
    subject: after.sid,
    reason: after.problem,
    before: { state: before.state },
    after: { state: after.state, credited: after.credited === null ? null : formatDecimal(after.credited) },
  });
}
