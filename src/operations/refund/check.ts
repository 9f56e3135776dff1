import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { readRefund } from '../../store/refund.ts';
import { operation } from '../operation.ts';
import { causeOf } from '../payment/cause.ts';
import { sidField } from '../schema.ts';
import { lookAtRefund } from './look.ts';
import { refundSchema, toRefund, visibleRefund } from './refund.ts';

export const refundCheck = operation({
  name: 'refund.check',
  summary: 'Ask the provider now where a refund stands',
  description:
    'What is done by itself every few seconds to hours, at once. Never a second refund: what is not answered is asked for with the same key.',
  http: { method: 'post', path: '/v1/refunds/{sid}/check', status: 200 },
  access: 'operator',
  right: 'work',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: refundSchema,
  refusals: ['not_found'],
  async run(call, { sid }) {
    const { house, actor } = call;
    const seen = await visibleRefund(house.db, actor, sid);
    if (isRefusal(seen)) return seen;
    await lookAtRefund(house, sid, causeOf(call, 'refund'));
    const refund = await readRefund(house.db, sid);
    assert(refund !== null, 'a refund is never deleted');
    return toRefund(refund, actor);
  },
});
