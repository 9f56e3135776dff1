import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { readDelivery, replayDelivery } from '../../store/delivery.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { deliverySchema, ownDelivery, toDelivery } from './delivery.ts';

export const deliveryReplay = operation({
  name: 'delivery.replay',
  summary: 'Send an event to an endpoint again',
  description:
    'With the same webhook-id and the same text, whatever came of it before. It is tried as often as a new one.',
  http: { method: 'post', path: '/v1/deliveries/{sid}/replay', status: 202 },
  access: 'user',
  right: 'work',
  member: 'member',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: deliverySchema,
  refusals: ['not_found'],
  async run(call, input) {
    const { house, actor } = call;
    return house.db.transaction('delivery.replay', async (tx) => {
      const before = await ownDelivery(tx, actor, input.sid);
      if (isRefusal(before)) return before;
      await replayDelivery(tx, before.sid, house.ports.clock.now());
      await recordAudit(tx, call, {
        action: 'delivery.replay',
        subject: before.sid,
        before: { state: before.state, attempts: before.attempts },
      });
      const after = await readDelivery(tx, before.sid);
      assert(after !== null, 'a delivery that is due is not deleted');
      return toDelivery(after);
    });
  },
});
