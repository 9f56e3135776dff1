import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { causeOf } from './cause.ts';
import { visiblePayment } from './get.ts';
import { paymentSchema, toPayment } from './payment.ts';
import { settlePayment } from './settle.ts';

export const paymentCheck = operation({
  name: 'payment.check',
  summary: 'Ask the provider now where a top-up stands',
  description:
    'What the page does that the customer comes back to. Nothing in its address is trusted: the provider is asked, and if the money came it is credited here and now.',
  http: { method: 'post', path: '/v1/payments/{sid}/check', status: 200 },
  access: 'user',
  right: 'work',
  scope: 'top_up',
  member: 'member',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: paymentSchema,
  refusals: ['not_found', 'provider_error', 'provider_timeout'],
  async run(call, input) {
    const payment = await visiblePayment(call, input.sid);
    if ('kind' in payment) return payment;
    const settled = await settlePayment(call.house, payment.sid, causeOf(call, 'page'));
    assert(settled !== null, 'a payment is never deleted');
    return toPayment(settled.payment);
  },
});
