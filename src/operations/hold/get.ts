import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { holdSchema, toHold, visibleHold } from './hold.ts';

export const holdGet = operation({
  name: 'hold.get',
  summary: 'Read a hold',
  http: { method: 'get', path: '/v1/holds/{sid}', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: holdSchema,
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    const hold = await visibleHold(house.db, actor, input.sid, 'look');
    return isRefusal(hold) ? hold : toHold(hold);
  },
});
