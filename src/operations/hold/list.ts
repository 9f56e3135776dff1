import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { HOLD_KINDS, HOLD_STATES, listHolds } from '../../store/hold.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { sidField } from '../schema.ts';
import { ownRowsOf } from '../visible.ts';
import { holdSchema, toHold } from './hold.ts';

export const holdList = operation({
  name: 'hold.list',
  summary: 'List holds, newest first',
  http: { method: 'get', path: '/v1/holds', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({
    wallet_sid: sidField.optional(),
    state: z.enum(HOLD_STATES).optional(),
    kind: z.enum(HOLD_KINDS).optional(),
    ...pageInput,
  }),
  output: pageOutput(holdSchema),
  refusals: [],
  async run({ house, actor }, input) {
    const before = readCursor(house, 'hold.list', input.cursor);
    if (isRefusal(before)) return before;
    const rows = await listHolds(house.db, {
      before,
      walletSid: input.wallet_sid ?? null,
      owners: ownRowsOf(actor),
      state: input.state ?? null,
      kind: input.kind ?? null,
      node: null,
      limit: input.limit + 1,
    });
    return pageOf(house, 'hold.list', rows, input.limit, (hold) => hold.sid, toHold);
  },
});
