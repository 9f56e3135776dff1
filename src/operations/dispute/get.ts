import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { disputeSchema, toDispute, visibleDispute } from './dispute.ts';

export const disputeGet = operation({
  name: 'dispute.get',
  summary: 'Read a dispute',
  http: { method: 'get', path: '/v1/disputes/{sid}', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: disputeSchema,
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    const dispute = await visibleDispute(house.db, actor, input.sid);
    return isRefusal(dispute) ? dispute : toDispute(dispute);
  },
});
