import { z } from 'zod';
import { liveAccount } from '../../domain/ledger/posting.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { takeOverFreeze } from '../../store/dispute.ts';
import { lockBalance } from '../../store/ledger.ts';
import { setFrozen } from '../../store/wallet.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { sidField, textField } from '../schema.ts';
import { visibleWallet } from '../visible.ts';
import { billingSchema, toBilling } from './billing.ts';

export const billingFreeze = operation({
  name: 'billing.freeze',
  summary: 'Freeze a wallet, or thaw it',
  description:
    'A frozen wallet takes credits and adjustments, but no debits and no new holds. Whether disputes had frozen it counts no more: it stays as it is set here.',
  http: { method: 'post', path: '/v1/billings/{sid}/freeze', status: 200 },
  rpcMethod: 'BillingService.freeze',
  access: 'operator',
  right: 'money',
  idempotency: 'none',
  input: z.strictObject({
    sid: sidField,
    is_frozen: z.boolean().describe('true freezes, false thaws.'),
    reason: textField(500).describe('Why; kept in the audit row.'),
  }),
  output: billingSchema,
  refusals: ['not_found'],
  async run(call, input) {
    const { db } = call.house;
    return db.transaction('billing.freeze', async (tx) => {
      const wallet = await visibleWallet(tx, call.actor, input.sid);
      if (isRefusal(wallet)) return wallet;
      await lockBalance(tx, liveAccount(wallet.id, 'wallet'));
      await takeOverFreeze(tx, wallet.id);
      const isChanged = await setFrozen(tx, wallet.id, input.is_frozen);
      await recordAudit(tx, call, {
        action: input.is_frozen ? 'billing.freeze' : 'billing.thaw',
        subject: wallet.sid,
        reason: input.reason,
        before: { is_frozen: isChanged ? !input.is_frozen : input.is_frozen },
        after: { is_frozen: input.is_frozen },
      });
      return toBilling({ ...wallet, isFrozen: input.is_frozen });
    });
  },
});
