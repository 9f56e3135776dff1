import { z } from 'zod';
import { formatDecimal, toCentsFloor } from '../../domain/money.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { listPaymentEvents, PAYMENT_EVENT_KINDS, type PaymentEventRow } from '../../store/payment-event.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { listedWallets } from '../payment/listed-wallets.ts';
import { centsField, instant, sidField, signedAmount } from '../schema.ts';

const NAME = 'payment-event.list';

export const paymentEventSchema = z
  .object({
    sid: sidField,
    user_sid: sidField,
    wallet_sid: sidField,
    payment_sid: sidField,
    provider: z.string(),
    kind: z
      .enum(PAYMENT_EVENT_KINDS)
      .describe(
        'top_up · refund: it left · refund_returned: it came back · reversal: the rail took it back · dispute_opened: withheld · dispute_won: ours again · dispute_lost: gone',
      ),
    external_ref: z.string().describe("The provider's own reference of the payment, to find it in its dashboard."),
    amount_cents: centsField,
    amount: signedAmount.describe('Plus is money that came in.'),
    currency: z.string().describe('The currency at the provider.'),
    created_at: instant,
  })
  .meta({ id: 'PaymentEvent' });

export const paymentEventList = operation({
  name: NAME,
  summary: 'List what was really paid at the providers, newest first',
  http: { method: 'get', path: '/v1/payment-events', status: 200 },
  rpcMethod: 'BillingService.payment_event_list',
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({
    wallet_sid: sidField.optional().describe("One wallet's; when left out, all that the caller reaches."),
    ...pageInput,
  }),
  output: pageOutput(paymentEventSchema),
  refusals: ['not_found'],
  async run(call, input) {
    const { house } = call;
    const before = readCursor(house, NAME, input.cursor);
    if (isRefusal(before)) return before;
    const wallets = await listedWallets(call, input.wallet_sid);
    if (isRefusal(wallets)) return wallets;
    const rows = await listPaymentEvents(house.db, { wallets, before, limit: input.limit + 1 });
    return pageOf(house, NAME, rows, input.limit, (row) => row.sid, toPaymentEvent);
  },
});

export function toPaymentEvent(row: PaymentEventRow): z.input<typeof paymentEventSchema> {
  return {
    sid: row.sid,
    user_sid: row.userSid,
    wallet_sid: row.walletSid,
    payment_sid: row.paymentSid,
    provider: row.provider,
    kind: row.kind,
    external_ref: row.externalRef,
    amount_cents: toCentsFloor(row.amount),
    amount: formatDecimal(row.amount),
    currency: row.currency,
    created_at: row.createdAt.toISOString(),
  };
}
