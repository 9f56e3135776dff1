import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { refundSchema, toRefund, visibleRefund } from './refund.ts';

export const refundGet = operation({
  name: 'refund.get',
  summary: 'Read one refund',
  http: { method: 'get', path: '/v1/refunds/{sid}', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: refundSchema,
  refusals: ['not_found'],
  async run({ house, actor }, { sid }) {
    const refund = await visibleRefund(house.db, actor, sid);
    return isRefusal(refund) ? refund : toRefund(refund, actor);
  },
});
