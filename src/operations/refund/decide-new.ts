import { formatDecimal, isWholeCents, micros, type Micros } from '../../domain/money.ts';
import { leftOf, shareOf } from '../../domain/refund/plan.ts';
import { isAway, isOurs, isSetAside, isUnanswered } from '../../domain/refund/state.ts';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import type { ProviderOrder, ProviderPayment } from '../../providers/provider.ts';
import type { PaymentRow } from '../../store/payment.ts';
import type { RefundRow } from '../../store/refund.ts';
import type { WalletRow } from '../../store/wallet.ts';
import type { House } from '../house.ts';
import type { Actor } from '../operation.ts';
import { goneBackOf, untilOf } from './plan.ts';

/** Everything a new refund is decided by, read under the payment's and the accounts' locks. */
export interface NewRefundFacts {
  readonly house: House;
  readonly actor: Actor;
  readonly amount: Micros;
  readonly payment: PaymentRow;
  readonly wallet: WalletRow;
  readonly refunds: readonly RefundRow[];
  /** What the provider said a moment ago. */
  readonly truth: ProviderOrder;
  /** What each payment at the provider was credited with. */
  readonly credited: ReadonlyMap<string, Micros>;
}

export interface NewRefundPlan {
  readonly received: ProviderPayment;
  readonly needsApproval: boolean;
  readonly mayOverdraw: boolean;
  readonly balanceAfter: Micros;
}

/**
 * Whether, and how, an amount of a payment goes back. The first thing that stands in its way, in this order: not paid, another refund
 * under way, disputed, more than is left, the user's window, a frozen wallet, spent.
 */
export function decideNew(facts: NewRefundFacts): NewRefundPlan | Refusal {
  const { house, actor, amount, payment, wallet, refunds } = facts;
  const { settings } = house;
  if (payment.state !== 'credited' || payment.creditedAt === null)
    return refuse('state_conflict', 'Nothing was credited by this payment, so nothing goes back.', {
      details: { state: payment.state },
    });
  const waiting = refunds.find((refund) => isOurs(refund.origin) && isUnanswered(refund.state));
  if (waiting)
    return refuse(
      'state_conflict',
      'Another refund of this payment is under way. Wait until the provider has answered.',
      {
        details: { refund_sid: waiting.sid, state: waiting.state },
      },
    );
  const received = chosenPayment(facts);
  if ('kind' in received) return received;
  const isUser = actor.kind === 'user';
  if (isUser && house.ports.clock.now() > untilOf(payment.creditedAt, settings.refundWindowDays))
    return refuse(
      'state_conflict',
      'The time in which this payment can be asked back is over. Write to the operator.',
      {
        details: { refund_window_days: settings.refundWindowDays },
      },
    );
  if (isUser && wallet.isFrozen) return refuse('wallet_frozen', 'The wallet is frozen, so nothing goes back now.');
  const mayOverdraw = settings.refundSpent === 'allow_negative' && !isUser;
  const { refundable, granted } = shareOf(wallet);
  if (amount > refundable && !mayOverdraw)
    return refuse(
      'state_conflict',
      'This was spent, or was given and not paid. Only what was paid and is left can go back.',
      {
        details: { refundable: formatDecimal(refundable), granted: formatDecimal(granted) },
      },
    );
  return {
    received,
    mayOverdraw,
    needsApproval: needsApproval(facts),
    balanceAfter: micros(wallet.balance - amount),
  };
}

/** The newest payment of the order that has room for the amount. */
function chosenPayment(facts: NewRefundFacts): ProviderPayment | Refusal {
  const { amount, truth, credited, refunds, payment } = facts;
  const candidates = truth.payments.toReversed().flatMap((received) => {
    const paid = credited.get(received.paymentRef);
    if (paid === undefined) return [];
    const disputed = received.disputes.reduce(
      (sum, dispute) => sum + (dispute.state === 'won' ? 0n : dispute.amount),
      0n,
    );
    const facts = {
      paymentSid: payment.sid,
      paymentRef: received.paymentRef,
      received: paid,
      refunded: goneBackOf(refunds, received.paymentRef),
      disputed: micros(disputed),
      creditedAt: payment.createdAt,
    };
    return [
      {
        received,
        left: leftOf(facts),
        isContested: received.disputes.some(({ state }) => state === 'open' || state === 'inquiry'),
      },
    ];
  });
  const free = candidates.filter(({ isContested }) => !isContested);
  const fitting = free.find(({ left }) => left >= amount);
  if (fitting) return fitting.received;
  if (free.length < candidates.length)
    return refuse('state_conflict', 'This payment is disputed. Its money goes back by the dispute, or after it.');
  const most = free.reduce((max, { left }) => (left > max ? left : max), 0n);
  return refuse(
    'refund_exceeds_payment',
    `This is more than may still go back of this payment, which is ${formatDecimal(most)} dollars.`,
    {
      details: { amount_max: formatDecimal(most) },
    },
  );
}

/** Many small refunds are one large one: what was given back of the payment without a second operator counts with it. */
function needsApproval({ house, amount, refunds }: NewRefundFacts): boolean {
  const limit = house.settings.refundApprovalAbove;
  if (limit === null) return false;
  const alone = refunds.filter(
    (refund) => isOurs(refund.origin) && refund.decidedBy === null && (isSetAside(refund) || isAway(refund)),
  );
  return alone.reduce((sum, refund) => sum + refund.amount, amount as bigint) > limit;
}

/** What is no amount to give back, whatever the payment. */
export const amountRefusal = (amount: Micros | null): Refusal | null =>
  amount !== null && amount > 0n && isWholeCents(amount)
    ? null
    : refuse('amount_out_of_range', 'A refund is at least a cent, and whole cents.', {
        details: { amount_min: '0.01', step: '0.01' },
      });
