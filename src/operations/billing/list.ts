import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { listWallets } from '../../store/wallet.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { searchField } from '../schema.ts';
import { billingSchema, toBilling } from './billing.ts';

export const billingList = operation({
  name: 'billing.list',
  summary: 'List and search wallets, newest first',
  http: { method: 'get', path: '/v1/billings', status: 200 },
  rpcMethod: 'BillingService.billing_list',
  access: 'operator',
  idempotency: 'none',
  input: z.strictObject({ search: searchField, ...pageInput }),
  output: pageOutput(billingSchema),
  refusals: [],
  async run({ house }, input) {
    const before = readCursor(house, 'billing.list', input.cursor);
    if (isRefusal(before)) return before;
    const rows = await listWallets(house.db, { before, search: input.search ?? null, limit: input.limit + 1 });
    return pageOf(house, 'billing.list', rows, input.limit, (wallet) => wallet.sid, toBilling);
  },
});
