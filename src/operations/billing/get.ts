import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { visibleWallet } from '../visible.ts';
import { billingSchema, toBilling } from './billing.ts';

export const billingGet = operation({
  name: 'billing.get',
  summary: 'Read a wallet',
  http: { method: 'get', path: '/v1/billings/{sid}', status: 200 },
  rpcMethod: 'BillingService.billing_get',
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: billingSchema,
  refusals: ['not_found'],
  async run(call, input) {
    const wallet = await visibleWallet(call.house.db, call.actor, input.sid);
    return isRefusal(wallet) ? wallet : toBilling(wallet);
  },
});
