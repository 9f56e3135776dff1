import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { DELIVERY_STATES, listDeliveries } from '../../store/delivery.ts';
import { ownEndpoint } from '../endpoint/endpoint.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { sidField } from '../schema.ts';
import { deliverySchema, toDelivery } from './delivery.ts';

const NAME = 'delivery.list';

export const deliveryList = operation({
  name: NAME,
  summary: 'List what was sent to an endpoint, newest first',
  http: { method: 'get', path: '/v1/endpoints/{sid}/deliveries', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({
    sid: sidField.describe('The endpoint.'),
    state: z.enum(DELIVERY_STATES).optional(),
    ...pageInput,
  }),
  output: pageOutput(deliverySchema),
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    const before = readCursor(house, NAME, input.cursor);
    if (isRefusal(before)) return before;
    const endpoint = await ownEndpoint(house.db, actor, input.sid, 'look');
    if (isRefusal(endpoint)) return endpoint;
    const page = { endpoint: endpoint.sid, before, state: input.state ?? null, limit: input.limit + 1 };
    return pageOf(house, NAME, await listDeliveries(house.db, page), input.limit, (row) => row.sid, toDelivery);
  },
});
