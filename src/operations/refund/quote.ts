import { z } from 'zod';
import { formatDecimal } from '../../domain/money.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { operation } from '../operation.ts';
import { rehearse } from '../rehearse.ts';
import { sidField, signedAmount } from '../schema.ts';
import { askNewRefund, decideUnderLocks, newRefundInput } from './new-refund.ts';

export const refundQuote = operation({
  name: 'refund.quote',
  summary: 'Say what a refund would do, without making it',
  description:
    'Asks the provider what it knows of the payment, and decides as `refund.create` would: the same refusals, the same amounts. Nothing is written.',
  http: { method: 'post', path: '/v1/refunds/quote', status: 200 },
  access: 'user',
  right: 'look',
  idempotency: 'none',
  input: z.strictObject(newRefundInput),
  output: z
    .object({
      payment_sid: sidField,
      amount: signedAmount,
      external_ref: z.string().describe('The payment at the provider that it would be given back from.'),
      rail: z.enum(['direct', 'payout', 'claim']),
      needs_approval: z.boolean().describe('Whether a second operator must approve it.'),
      credit_balance: signedAmount.describe('What the wallet holds now.'),
      credit_balance_after: signedAmount,
    })
    .meta({ id: 'RefundQuote' }),
  refusals: [
    'not_found',
    'forbidden',
    'unavailable',
    'amount_out_of_range',
    'state_conflict',
    'refund_exceeds_payment',
    'wallet_frozen',
    'provider_error',
    'provider_timeout',
  ],
  async run(call, input) {
    const ask = await askNewRefund(call, input);
    if (isRefusal(ask)) return ask;
    const decided = await rehearse(call.house.db, 'refund.quote', (tx) => decideUnderLocks(tx, call, ask));
    if (isRefusal(decided)) return decided;
    const { plan, wallet, payment } = decided;
    return {
      payment_sid: payment.sid,
      amount: formatDecimal(ask.amount),
      external_ref: plan.received.paymentRef,
      rail: ask.provider.description.can.refund,
      needs_approval: plan.needsApproval,
      credit_balance: formatDecimal(wallet.balance),
      credit_balance_after: formatDecimal(plan.balanceAfter),
    };
  },
});
