import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { operation } from '../operation.ts';
import { readTarget } from '../payment/create.ts';
import { sidField } from '../schema.ts';
import { autoRechargeSchema, readAutoRechargeOf } from './auto-recharge.ts';

export const autoRechargeGet = operation({
  name: 'auto-recharge.get',
  summary: 'Read how a wallet is filled by itself, and what became of it',
  http: { method: 'get', path: '/v1/auto-recharge', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({
    wallet_sid: sidField.optional().describe("The wallet; the caller's own when left out."),
  }),
  output: autoRechargeSchema,
  refusals: ['not_found'],
  async run(call, input) {
    const wallet = await readTarget(call, input.wallet_sid);
    if (isRefusal(wallet)) return wallet;
    return await readAutoRechargeOf(call.house.db, wallet, call.house.ports.clock.now());
  },
});
