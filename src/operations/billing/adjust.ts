import { z } from 'zod';
import { toCentsFloor } from '../../domain/money.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { operation } from '../operation.ts';
import { centsField, sidField, textField } from '../schema.ts';
import { adjustBalance, logAdjustment, planAdjustment, type Adjustment } from './adjust-balance.ts';
import { billingSchema, toBilling } from './billing.ts';

export const billingAdjust = operation({
  name: 'billing.adjust',
  summary: 'Set a wallet to an absolute balance',
  description:
    'Posts the difference between the present and the wanted balance against equity:adjustment. The balance may become negative. ' +
    'lifetime_paid_cents does not change. With dry_run nothing is written and the answer says what would happen.',
  http: { method: 'post', path: '/admin/balance-adjust', status: 200 },
  rpcMethod: 'BillingService.balance_adjust',
  access: 'operator',
  right: 'money',
  idempotency: 'optional',
  input: z.strictObject({
    sid: sidField,
    balance_cents: centsField,
    reason: textField(500).optional().describe('Why; kept in the audit row and on the statement.'),
    dry_run: z.boolean().optional().describe('Only say what would happen.'),
  }),
  output: z.object({
    sid: sidField,
    prev_balance: centsField,
    new_balance: centsField,
    change_cents: centsField,
    dry_run: z.boolean(),
    billing: billingSchema,
  }),
  refusals: ['not_found', 'amount_out_of_range'],
  async run(call, input) {
    const request = { sid: input.sid, balanceCents: input.balance_cents, reason: input.reason ?? null };
    if (input.dry_run) {
      const planned = await call.house.db.transaction('billing.adjust_preview', (tx) =>
        planAdjustment(tx, request, 'look'),
      );
      return isRefusal(planned) ? planned : toAnswer(planned, true);
    }
    let adjustment: Adjustment | null = null;
    const answer = await call.commit(async (tx) => {
      const adjusted = await adjustBalance(tx, call, request);
      if (isRefusal(adjusted)) return adjusted;
      adjustment = adjusted;
      return toAnswer(adjusted, false);
    });
    if (adjustment) logAdjustment(call, adjustment, request.reason);
    return answer;
  },
});

function toAnswer({ wallet, before, after }: Adjustment, isDryRun: boolean) {
  const prevBalance = toCentsFloor(before);
  const newBalance = toCentsFloor(after);
  return {
    sid: wallet.sid,
    prev_balance: prevBalance,
    new_balance: newBalance,
    change_cents: newBalance - prevBalance,
    dry_run: isDryRun,
    billing: toBilling(isDryRun ? { ...wallet, balance: after } : wallet),
  };
}
