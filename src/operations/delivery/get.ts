import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { readAttempts } from '../../store/delivery.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { attemptSchema, deliverySchema, ownDelivery, toAttempt, toDelivery } from './delivery.ts';

const ATTEMPTS_MAX = 50;

export const deliveryGet = operation({
  name: 'delivery.get',
  summary: 'Read what came of each attempt at a delivery, newest first',
  http: { method: 'get', path: '/v1/deliveries/{sid}', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: z.object({ ...deliverySchema.shape, log: z.array(attemptSchema) }),
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    const delivery = await ownDelivery(house.db, actor, input.sid);
    if (isRefusal(delivery)) return delivery;
    const log = await readAttempts(house.db, delivery.sid, ATTEMPTS_MAX);
    return { ...toDelivery(delivery), log: log.map(toAttempt) };
  },
});
