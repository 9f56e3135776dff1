import { z } from 'zod';
import { DISPUTE_STATES } from '../../domain/dispute/state.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { listDisputes } from '../../store/dispute.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { sidField } from '../schema.ts';
import { ownRowsOf } from '../visible.ts';
import { disputeSchema, toDispute } from './dispute.ts';

export const disputeList = operation({
  name: 'dispute.list',
  summary: 'List disputed payments, newest first',
  http: { method: 'get', path: '/v1/disputes', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({
    wallet_sid: sidField.optional(),
    state: z.enum(DISPUTE_STATES).optional(),
    ...pageInput,
  }),
  output: pageOutput(disputeSchema),
  refusals: [],
  async run({ house, actor }, input) {
    const before = readCursor(house, 'dispute.list', input.cursor);
    if (isRefusal(before)) return before;
    const rows = await listDisputes(house.db, {
      before,
      walletSid: input.wallet_sid ?? null,
      owners: ownRowsOf(actor),
      state: input.state ?? null,
      limit: input.limit + 1,
    });
    return pageOf(house, 'dispute.list', rows, input.limit, (row) => row.sid, toDispute);
  },
});
