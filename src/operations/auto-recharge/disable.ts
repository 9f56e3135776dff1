import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { operation } from '../operation.ts';
import { readTarget } from '../payment/create.ts';
import { sidField } from '../schema.ts';
import { autoRechargeSchema, readAutoRechargeOf } from './auto-recharge.ts';
import { switchOff } from './switch-off.ts';

export const autoRechargeDisable = operation({
  name: 'auto-recharge.disable',
  summary: 'Switch auto-recharge off',
  description: 'No new charge is made. One whose outcome is not known yet is withdrawn if it has not taken money.',
  http: { method: 'post', path: '/v1/auto-recharge/disable', status: 200 },
  access: 'user',
  right: 'work',
  member: 'member',
  idempotency: 'none',
  input: z.strictObject({
    wallet_sid: sidField.optional().describe("The wallet; the caller's own when left out."),
  }),
  output: autoRechargeSchema,
  refusals: ['not_found'],
  async run(call, input) {
    const { house, actor } = call;
    const wallet = await readTarget(call, input.wallet_sid);
    if (isRefusal(wallet)) return wallet;
    const reason = actor.kind === 'user' ? 'by_user' : 'by_operator';
    return await house.db.transaction('auto-recharge.disable', async (tx) => {
      await switchOff(tx, call, wallet.id, reason);
      return await readAutoRechargeOf(tx, wallet, house.ports.clock.now());
    });
  },
});
