import { z } from 'zod';
import { formatDecimal, micros, type Micros } from '../../domain/money.ts';
import { divide, leftOf, shareOf } from '../../domain/refund/plan.ts';
import { isAway, isSetAside } from '../../domain/refund/state.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { readCreditedPayments, readDisputed, readRefundsOfWallet, type RefundRow } from '../../store/refund.ts';
import { operation } from '../operation.ts';
import { instant, sidField, signedAmount } from '../schema.ts';
import { visibleWallet } from '../visible.ts';

/** More payments than anybody plans by hand; money older than these is long spent. */
const PAYMENTS_MAX = 200;
const DAY_MS = 86_400_000;

const planItemSchema = z.object({
  payment_sid: sidField,
  external_ref: z.string().describe("The provider's own reference of the payment."),
  provider: z.string(),
  rail: z
    .enum(['direct', 'payout', 'claim', 'none'])
    .describe(
      'How money goes back: direct: to where it came from · payout: to an account that is asked for · claim: the customer claims it · none: this provider is not configured now',
    ),
  credited_at: instant,
  received: signedAmount,
  refunded: signedAmount.describe('Given back, under way, or set aside for it.'),
  disputed: signedAmount.describe('Withheld by disputes that are open or lost.'),
  left: signedAmount.describe('What may still go back of this payment, whatever the wallet holds.'),
  proposed: signedAmount.describe('Its part of what may go back of the wallet.'),
  user_until: instant.describe(
    'Until when its user may ask for it. An operator may later, as far as the provider lets them.',
  ),
});

const planSchema = z
  .object({
    wallet_sid: sidField,
    credit_balance: signedAmount,
    granted: signedAmount.describe('Given, not paid, and still there. It is spent first and never refunded.'),
    refundable: signedAmount.describe('Paid and not spent, in whole cents: the most that may go back without a debt.'),
    spent_policy: z.enum(['deny', 'allow_negative']).describe('What an operator’s refund of spent money does.'),
    order: z
      .literal('newest_first')
      .describe('The newest payment gives back first: it is the likeliest to be refundable.'),
    items: z.array(planItemSchema),
  })
  .meta({ id: 'RefundPlan' });

export const refundPlan = operation({
  name: 'refund.plan',
  summary: 'Say what of a wallet may go back, payment by payment',
  description:
    'What was paid, minus what was spent, given back, disputed or granted for free. Nothing is asked of a provider and nothing is written; ' +
    '`refund.quote` asks about one payment.',
  http: { method: 'get', path: '/v1/billings/{sid}/refund-plan', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField.describe('The wallet.') }),
  output: planSchema,
  refusals: ['not_found'],
  async run({ house, actor }, { sid }) {
    const { db, settings, providers } = house;
    const wallet = await visibleWallet(db, actor, sid);
    if (isRefusal(wallet)) return wallet;
    const payments = await readCreditedPayments(db, wallet.id, PAYMENTS_MAX);
    const refunds = await readRefundsOfWallet(db, wallet.id);
    const disputed = await readDisputed(db, wallet.id);
    const lines = payments.map((payment) => {
      const known = {
        ...payment,
        received: payment.amount,
        refunded: goneBackOf(refunds, payment.paymentRef),
        disputed: disputed.get(payment.paymentSid) ?? micros(0n),
        creditedAt: payment.createdAt,
      };
      return { ...known, left: leftOf(known) };
    });
    const share = shareOf(wallet);
    const { parts } = divide(share.refundable, lines);
    return {
      wallet_sid: wallet.sid,
      credit_balance: formatDecimal(wallet.balance),
      granted: formatDecimal(share.granted),
      refundable: formatDecimal(share.refundable),
      spent_policy: settings.refundSpent,
      order: 'newest_first' as const,
      items: lines.map((line, index) => ({
        payment_sid: line.paymentSid,
        external_ref: line.paymentRef,
        provider: line.provider,
        rail: providers.get(line.provider)?.description.can.refund ?? ('none' as const),
        credited_at: line.creditedAt.toISOString(),
        received: formatDecimal(line.received),
        refunded: formatDecimal(line.refunded),
        disputed: formatDecimal(line.disputed),
        left: formatDecimal(line.left),
        proposed: formatDecimal(parts[index] ?? 0n),
        user_until: untilOf(line.creditedAt, settings.refundWindowDays).toISOString(),
      })),
    };
  },
});

/** What refunds have taken, or set aside, of one payment at the provider. */
export function goneBackOf(refunds: readonly RefundRow[], paymentRef: string): Micros {
  const own = refunds.filter((refund) => refund.paymentRef === paymentRef);
  const goneOf = (refund: RefundRow): bigint => (isAway(refund) ? (refund.posted ?? 0n) : 0n);
  return micros(own.reduce((sum, refund) => sum + (isSetAside(refund) ? refund.amount : goneOf(refund)), 0n));
}

/** Until when a user may ask for a payment back. */
export const untilOf = (creditedAt: Date, windowDays: number): Date =>
  new Date(creditedAt.getTime() + windowDays * DAY_MS);
