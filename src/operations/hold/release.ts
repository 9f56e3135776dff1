import { z } from 'zod';
import { refusalOfRelease } from '../../domain/hold/decide.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { holdSchema, holdToEnd, toHold } from './hold.ts';
import { returnHold } from './return-hold.ts';

export const holdRelease = operation({
  name: 'hold.release',
  summary: 'Return the whole hold to the wallet',
  description: 'Users release what users have set aside.',
  http: { method: 'post', path: '/v1/holds/{sid}/release', status: 200 },
  access: 'user',
  right: 'money',
  scope: 'spend',
  member: 'member',
  idempotency: 'required',
  input: z.strictObject({ sid: sidField }),
  output: holdSchema,
  refusals: ['not_found', 'forbidden', 'state_conflict'],
  async run(call, input) {
    return call.commit(async (tx) => {
      const hold = await holdToEnd(tx, call.actor, input.sid);
      if (isRefusal(hold)) return hold;
      return refusalOfRelease(hold) ?? toHold(await returnHold(tx, call.house.ports, hold, 'released'));
    });
  },
});
