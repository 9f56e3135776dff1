import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { allocationSchema, readerOf, toAllocation, visibleAllocation } from './allocation.ts';

export const allocationGet = operation({
  name: 'allocation.get',
  summary: 'Show one VM',
  http: { method: 'get', path: '/v1/allocations/{sid}', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: allocationSchema,
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    const row = await visibleAllocation(house.db, actor, input.sid, 'look');
    return isRefusal(row) ? row : toAllocation(row, readerOf(actor));
  },
});
