import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { readStatement, type StatementRow } from '../../store/wallet.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { sidField } from '../schema.ts';
import { visibleWallet } from '../visible.ts';
import { statementLineSchema, toStatementLine } from './billing.ts';

export const billingStatement = operation({
  name: 'billing.statement',
  summary: 'List what moved in a wallet, newest first, with the running balance',
  http: { method: 'get', path: '/v1/billings/{sid}/statement', status: 200 },
  rpcMethod: 'BillingService.statement',
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField, ...pageInput }),
  output: pageOutput(statementLineSchema),
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    const cursor = readCursor(house, 'billing.statement', input.cursor);
    if (isRefusal(cursor)) return cursor;
    const wallet = await visibleWallet(house.db, actor, input.sid);
    if (isRefusal(wallet)) return wallet;
    const before = cursor === null ? null : BigInt(cursor);
    const rows = await readStatement(house.db, { wallet: wallet.id, before, limit: input.limit + 1 });
    const reader = actor.kind === 'user' ? 'owner' : 'operator';
    const keyOf = (row: StatementRow) => row.seq.toString();
    return pageOf(house, 'billing.statement', rows, input.limit, keyOf, (row) => toStatementLine(row, reader));
  },
});
