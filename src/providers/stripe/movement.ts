import { z } from 'zod';
import { micros, MICROS_PER_CENT, type Micros } from '../../domain/money.ts';
import type { PaymentProvider, ProviderMovement } from '../provider.ts';
import { namedOwner } from '../named-owner.ts';
import { checked, type StripeCall } from './client.ts';
import { metadataText } from './own-payment.ts';

const cents = z.number().int().min(-Number.MAX_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER);

/** What we read of a balance transaction. `source` is expanded: it names the PaymentIntent. */
export const balanceShape = z.object({
  id: z.string().regex(/^txn_[A-Za-z0-9_]+$/),
  object: z.literal('balance_transaction'),
  amount: cents,
  fee: cents,
  currency: z.string().regex(/^[a-zA-Z]{3}$/),
  created: z.number().int(),
  type: z.string(),
  reporting_category: z.string(),
  description: z.string().nullish(),
  source: z
    .union([
      z.string(),
      z.looseObject({
        id: z.string(),
        payment_intent: z.union([z.string(), z.looseObject({ id: z.string() })]).nullish(),
      }),
    ])
    .nullish(),
});
export type StripeBalanceTransaction = z.infer<typeof balanceShape>;

/** Stripe's reporting categories that we tell apart; what is not here is `other`, and an operator looks at it. */
const KINDS: Readonly<Record<string, ProviderMovement['kind']>> = {
  charge: 'payment',
  refund: 'refund',
  partial_capture_reversal: 'refund',
  charge_failure: 'refund',
  refund_failure: 'refund_returned',
  dispute: 'dispute',
  dispute_reversal: 'dispute_returned',
  fee: 'fee',
  payout: 'payout',
  payout_reversal: 'payout',
};

/** The minor unit of every currency here is a hundredth: other ones are quarantined by their name before an amount matters. */
const fromMinor = (amount: number): Micros => micros(BigInt(amount) * MICROS_PER_CENT);

export function toMovement(line: StripeBalanceTransaction): ProviderMovement {
  const kind = KINDS[line.reporting_category] ?? 'other';
  const source = typeof line.source === 'object' ? (line.source ?? null) : null;
  const sourceId = source?.id ?? (typeof line.source === 'string' ? line.source : null);
  const intent = source?.payment_intent;
  const paymentRef = (typeof intent === 'object' ? intent?.id : intent) ?? null;
  return {
    movementRef: line.id,
    kind,
    amount: fromMinor(line.amount),
    fee: fromMinor(line.fee),
    currency: line.currency.toUpperCase(),
    at: new Date(line.created * 1000),
    orderRef: paymentRef,
    paymentRef,
    refundRef: kind === 'refund' || kind === 'refund_returned' ? sourceId : null,
    disputeRef: kind === 'dispute' || kind === 'dispute_returned' ? sourceId : null,
    detail: detailOf(line, source),
  };
}

/** Stripe's words, and of a charge the payment and the user that it names: its metadata are the PaymentIntent's. */
function detailOf({ description, type, source: ref }: StripeBalanceTransaction, source: Source | null): string {
  const words = description ?? `${type} ${source?.id ?? (typeof ref === 'string' ? ref : '')}`.trim();
  const owner = namedOwner(
    metadataText(source?.['metadata'], 'payment_sid'),
    metadataText(source?.['metadata'], 'user_sid'),
  );
  return owner === null ? words : `${words} · ${owner}`;
}

type Source = Exclude<StripeBalanceTransaction['source'], string | null | undefined>;

const PAGE_SIZE = 100;

const listShape = z.object({
  object: z.literal('list'),
  has_more: z.boolean(),
  data: z.array(balanceShape),
});

/** `GET /v1/balance_transactions`, newest first. The cursor is the last line given out. */
export function listBalance(call: StripeCall): PaymentProvider['listMovements'] {
  return async (since, cursor) => {
    const answer = await call('list-balance', false, (stripe) =>
      stripe.balanceTransactions.list({
        created: { gte: Math.floor(since.getTime() / 1000) },
        limit: PAGE_SIZE,
        expand: ['data.source'],
        ...(cursor === null ? {} : { starting_after: cursor }),
      }),
    );
    const { data, has_more: hasMore } = checked(listShape, answer, 'none');
    return { movements: data.map(toMovement), nextCursor: hasMore ? (data.at(-1)?.id ?? null) : null };
  };
}
