import { assertNever } from '../assert.ts';
import { formatDecimal, micros, type Micros } from '../money.ts';
import { canMove, type PaymentState } from './state.ts';

/** Our own row: what was ordered, by whom, where. The only source of user and price. */
export interface OrderedPayment {
  readonly sid: string;
  readonly userSid: string;
  readonly provider: string;
  readonly providerAccount: string;
  readonly isLive: boolean;
  readonly amount: bigint;
  readonly currency: string;
  readonly state: PaymentState;
  /** Null until the provider has answered our creation call. */
  readonly orderRef: string | null;
  readonly expiresAt: Date;
  /** What was credited so far; null until something was. */
  readonly credited: bigint | null;
  /** The provider's payments that were credited, by their references. */
  readonly creditedRefs: ReadonlySet<string>;
}

/** What the provider says of one order, read from the provider by ourselves. */
export interface ProviderTruth {
  readonly provider: string;
  readonly orderRef: string;
  readonly paymentSid: string | null;
  readonly userSid: string | null;
  readonly accountId: string;
  readonly isLive: boolean;
  readonly currency: string;
  readonly state: 'open' | 'processing' | 'paid' | 'failed' | 'expired';
  /** Every payment received for the order; its amount is null when the provider does not say. */
  readonly payments: readonly { readonly paymentRef: string; readonly amount: bigint | null }[];
}

/** One payment of an order that is to be credited. */
export interface Receipt {
  readonly paymentRef: string;
  readonly amount: Micros;
}

/** Why an event or a payment is set aside for an operator. Stable words: stored, shown, documented. */
export type QuarantineReason =
  | 'provider_mismatch'
  | 'account_mismatch'
  | 'mode_mismatch'
  | 'order_mismatch'
  | 'user_mismatch'
  | 'currency_mismatch'
  | 'amount_missing'
  | 'payment_ref_missing'
  | 'payment_ref_reused'
  | 'amount_out_of_range'
  | 'unknown_order';

export type Verdict =
  /** Money came: credit exactly this, whatever was ordered; at least one receipt. `problem` says when the two differ. */
  | { readonly kind: 'credit'; readonly receipts: readonly Receipt[]; readonly problem: string | null }
  /** Nothing to credit yet; `state` is where the payment now stands and is asked about again. */
  | { readonly kind: 'wait'; readonly state: PaymentState; readonly problem: string | null }
  | { readonly kind: 'close'; readonly state: 'failed' | 'expired'; readonly problem: string }
  | { readonly kind: 'quarantine'; readonly reason: QuarantineReason }
  /** Old news: the payment is past what the provider says. */
  | { readonly kind: 'nothing' };

/** How long after its end an order that the provider does not know is given up. Longer than any provider's own delay. */
const UNKNOWN_ORDER_GRACE_MS = 24 * 3_600_000;

/**
 * Decides what the provider's truth means for a payment. Pure.
 *
 * Shape: `truth` is null when the provider does not know the order. Mismatches come first and in the order of
 * {@link mismatchOf}: authentic is not valid, and nothing is guessed. An amount that differs is no mismatch: what was
 * paid is credited.
 * Safe to: ask with stale truth, twice, in any order; the answer never moves a payment back.
 */
export function judge(payment: OrderedPayment, truth: ProviderTruth | null, now: Date): Verdict {
  if (payment.state === 'credited') return judgeCredited(payment, truth);
  if (truth === null) return judgeUnknown(payment, now);
  const reason = mismatchOf(payment, truth);
  if (reason !== null) return { kind: 'quarantine', reason };
  switch (truth.state) {
    case 'paid':
      return judgePaid(payment, truth);
    case 'open':
    case 'processing':
      return canMove(payment.state, truth.state) || payment.state === truth.state
        ? { kind: 'wait', state: truth.state, problem: null }
        : standStill(payment);
    case 'failed':
    case 'expired':
      return canMove(payment.state, truth.state)
        ? { kind: 'close', state: truth.state, problem: CLOSED_BECAUSE[truth.state] }
        : { kind: 'nothing' };
    default:
      return assertNever(truth.state);
  }
}

/** The first thing in which the order at the provider is not the one we made; null when it is ours. */
export function mismatchOf(
  payment: Omit<OrderedPayment, 'creditedRefs'>,
  truth: ProviderTruth,
): QuarantineReason | null {
  if (truth.provider !== payment.provider) return 'provider_mismatch';
  if (truth.accountId !== payment.providerAccount) return 'account_mismatch';
  if (truth.isLive !== payment.isLive) return 'mode_mismatch';
  if (truth.paymentSid !== payment.sid) return 'order_mismatch';
  if (payment.orderRef !== null && truth.orderRef !== payment.orderRef) return 'order_mismatch';
  if (truth.userSid !== null && truth.userSid !== payment.userSid) return 'user_mismatch';
  if (truth.currency !== payment.currency) return 'currency_mismatch';
  return null;
}

const CLOSED_BECAUSE = {
  failed: 'The payment did not go through. Nothing was charged.',
  expired: 'The payment page expired before it was paid. Nothing was charged.',
} as const;

function judgePaid(payment: OrderedPayment, truth: ProviderTruth): Verdict {
  if (truth.payments.length === 0) return { kind: 'quarantine', reason: 'payment_ref_missing' };
  const receipts = receiptsOf(truth);
  // A payment of nothing is one that did not stay: it hides no other.
  const isKnown = truth.payments.every(({ amount }) => amount !== null && amount >= 0n);
  if (!isKnown || receipts.length === 0) return { kind: 'quarantine', reason: 'amount_missing' };
  return credit(payment, receipts);
}

/** An order can be paid again after its first payment was credited: by another transfer, or a link that is used twice. */
function judgeCredited(payment: OrderedPayment, truth: ProviderTruth | null): Verdict {
  if (truth === null || truth.state !== 'paid' || mismatchOf(payment, truth) !== null) return { kind: 'nothing' };
  const receipts = receiptsOf(truth).filter(({ paymentRef }) => !payment.creditedRefs.has(paymentRef));
  return receipts.length === 0 ? { kind: 'nothing' } : credit(payment, receipts);
}

/** The payments that say how much they are. */
const receiptsOf = (truth: ProviderTruth): Receipt[] =>
  truth.payments.flatMap(({ paymentRef, amount }) =>
    amount === null || amount <= 0n ? [] : [{ paymentRef, amount: micros(amount) }],
  );

function credit(payment: OrderedPayment, receipts: readonly Receipt[]): Verdict {
  const received = receipts.reduce((sum, { amount }) => sum + amount, payment.credited ?? 0n);
  return { kind: 'credit', receipts, problem: differenceOf(payment.amount, received) };
}

function differenceOf(ordered: bigint, received: bigint): string | null {
  if (received === ordered) return null;
  const word = received < ordered ? 'underpaid' : 'overpaid';
  return `${word}: ${formatDecimal(ordered)} was ordered and ${formatDecimal(received)} was paid; what was paid is credited`;
}

function judgeUnknown(payment: OrderedPayment, now: Date): Verdict {
  const givenUpAt = payment.expiresAt.getTime() + UNKNOWN_ORDER_GRACE_MS;
  if (now.getTime() >= givenUpAt && canMove(payment.state, 'expired')) {
    return {
      kind: 'close',
      state: 'expired',
      problem: 'The provider does not know this payment. Nothing was charged.',
    };
  }
  // Some providers know an order only once somebody has tried to pay it: with its page made, that is nothing to worry about.
  const isPayable = payment.state === 'open';
  return standStill(payment, isPayable ? null : 'The provider does not know this payment yet; we keep asking.');
}

/** Waits where it is, or has nothing to wait for. */
function standStill(payment: OrderedPayment, problem: string | null = null): Verdict {
  const { state } = payment;
  return state === 'created' || state === 'open' || state === 'processing'
    ? { kind: 'wait', state, problem }
    : { kind: 'nothing' };
}
