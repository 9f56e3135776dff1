import { assertNever } from '../assert.ts';
import { micros, type Micros } from '../money.ts';
import { isAway, isOurs, isSetAside, type RefundOrigin, type RefundState } from './state.ts';

/** Our row, as far as it decides. */
export interface KnownRefund {
  readonly sid: string;
  readonly origin: RefundOrigin;
  readonly state: RefundState;
  /** What was asked for, or what the provider said when we first saw it. */
  readonly amount: Micros;
  /** What left the wallet for good by a posting; null: nothing yet. */
  readonly posted: Micros | null;
  /** Null until the provider has named it. */
  readonly refundRef: string | null;
}

/** What the provider says of one refund, read from the provider by ourselves. */
export interface RefundTruth {
  readonly refundRef: string;
  /** Our refund's sid as the provider holds it; null when somebody else made it. */
  readonly refundSid: string | null;
  readonly amount: Micros;
  readonly state: 'pending' | 'succeeded' | 'failed';
}

/** What follows for one refund; `state` is where it then stands. */
export type RefundVerdict =
  /** Nothing moves. */
  | { readonly kind: 'note'; readonly state: RefundState }
  /** What was set aside leaves: of it `amount`, and the rest goes back to the wallet. */
  | { readonly kind: 'complete'; readonly state: 'succeeded'; readonly amount: Micros }
  /** What was set aside goes back to the wallet. */
  | { readonly kind: 'give_back'; readonly state: 'failed' | 'quarantined' }
  /** It left without our doing: out of the wallet, below zero if need be. */
  | { readonly kind: 'take'; readonly state: 'pending' | 'succeeded'; readonly amount: Micros }
  /** What had left came back. */
  | { readonly kind: 'return'; readonly state: 'returned'; readonly amount: Micros };

/**
 * What the provider's truth about one refund means for our row of it; null: we have none.
 *
 * `room` is how much more than now may leave for the payment: what was received, less what other refunds took out of it.
 * Safe to: ask with stale truth, twice, in any order. A refund goes pending → succeeded → failed and never back, so whatever
 * is older than what we know moves nothing.
 */
export function judgeRefund(known: KnownRefund | null, truth: RefundTruth, room: bigint): RefundVerdict {
  if (known === null) return judgeNew(truth, room);
  if (isSetAside(known)) return judgeSetAside(truth, room);
  switch (known.state) {
    case 'quarantined':
      return judgeNew(truth, room);
    case 'pending':
    case 'succeeded':
      return judgePosted(known, truth);
    case 'failed':
    case 'rejected':
      // Given back because the provider would not, or was never asked; and yet it has one with our sid.
      return isOurs(known.origin) && known.refundRef === null ? judgeNew(truth, room) : stay(known);
    case 'returned':
      return stay(known);
    case 'awaiting_approval':
    case 'requested':
    case 'unknown':
      // Only ours are asked for, and what they set aside is judged above.
      return stay(known);
    default:
      return assertNever(known.state);
  }
}

const stay = ({ state }: KnownRefund): RefundVerdict => ({ kind: 'note', state });

/** Seen for the first time, or not posted so far. */
function judgeNew(truth: RefundTruth, room: bigint): RefundVerdict {
  if (truth.state === 'failed') return { kind: 'note', state: 'failed' };
  if (truth.amount <= 0n || truth.amount > room) return { kind: 'note', state: 'quarantined' };
  return { kind: 'take', state: truth.state, amount: truth.amount };
}

function judgeSetAside(truth: RefundTruth, room: bigint): RefundVerdict {
  if (truth.state === 'failed') return { kind: 'give_back', state: 'failed' };
  if (truth.state === 'pending') return { kind: 'note', state: 'pending' };
  if (truth.amount <= 0n || truth.amount > room) return { kind: 'give_back', state: 'quarantined' };
  return { kind: 'complete', state: 'succeeded', amount: truth.amount };
}

function judgePosted(known: KnownRefund, truth: RefundTruth): RefundVerdict {
  if (truth.state === 'failed') return { kind: 'return', state: 'returned', amount: known.posted ?? known.amount };
  return { kind: 'note', state: known.state === 'pending' ? truth.state : known.state };
}

/** How much more may leave for a payment: what was received, less what has left by refunds other than this one. */
export function roomFor(received: Micros, refunds: readonly KnownRefund[], except: string | null): Micros {
  const left = refunds.reduce((sum, refund) => sum + (refund.sid === except ? 0n : standing(refund)), 0n);
  return micros(received - left);
}

/** What a refund keeps out of the wallet for good. What is only set aside has not left. */
const standing = (refund: KnownRefund): bigint => (isAway(refund) ? (refund.posted ?? 0n) : 0n);

/**
 * The order in which a payment's refunds are looked at: those that failed first, for they make room; then those that we know;
 * then new ones as the provider lists them. So the end is the same however the news came.
 */
export function inOrder<T extends RefundTruth>(truths: readonly T[], isKnown: (truth: T) => boolean): T[] {
  const rank = (truth: T): number => (truth.state === 'failed' ? 0 : isKnown(truth) ? 1 : 2);
  return truths.toSorted((a, b) => rank(a) - rank(b));
}
