import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { operation } from '../operation.ts';
import { centsField, sidField, textField } from '../schema.ts';
import { adjustBalance, logAdjustment, type Adjustment } from './adjust-balance.ts';
import { billingSchema, toBilling } from './billing.ts';

export const billingSetCreditBalance = operation({
  name: 'billing.set-credit-balance',
  summary: 'Set a wallet to an absolute balance and read it back',
  description: 'The same adjustment as billing.adjust: a posting of the difference, never a write past the ledger.',
  http: { method: 'post', path: '/v1/billings/{sid}/credit-balance', status: 200 },
  rpcMethod: 'BillingService.set_credit_balance',
  access: 'operator',
  right: 'money',
  idempotency: 'optional',
  input: z.strictObject({
    sid: sidField,
    balance_cents: centsField,
    reason: textField(500).optional().describe('Why; kept in the audit row and on the statement.'),
  }),
  output: billingSchema,
  refusals: ['not_found', 'amount_out_of_range'],
  async run(call, input) {
    const request = { sid: input.sid, balanceCents: input.balance_cents, reason: input.reason ?? null };
    let adjustment: Adjustment | null = null;
    const answer = await call.commit(async (tx) => {
      const adjusted = await adjustBalance(tx, call, request);
      if (isRefusal(adjusted)) return adjusted;
      adjustment = adjusted;
      return toBilling(adjusted.wallet);
    });
    if (adjustment) logAdjustment(call, adjustment, request.reason);
    return answer;
  },
});
