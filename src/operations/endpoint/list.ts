import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { listEndpoints } from '../../store/endpoint.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { ownerField, ownersListed } from '../visible.ts';
import { endpointSchema, toEndpoint } from './endpoint.ts';

const NAME = 'endpoint.list';

export const endpointList = operation({
  name: NAME,
  summary: 'List where events are sent, newest first',
  description: 'A user sees those of wallets that they reach, an operator all.',
  http: { method: 'get', path: '/v1/endpoints', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({ wallet_sid: ownerField, ...pageInput }),
  output: pageOutput(endpointSchema),
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    const before = readCursor(house, NAME, input.cursor);
    if (isRefusal(before)) return before;
    const owners = await ownersListed(house.db, actor, input.wallet_sid);
    if (isRefusal(owners)) return owners;
    const page = { before, owners, limit: input.limit + 1 };
    return pageOf(house, NAME, await listEndpoints(house.db, page), input.limit, (row) => row.sid, toEndpoint);
  },
});
