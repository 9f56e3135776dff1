import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { HOLD_STATES, listHolds } from '../../store/hold.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { leaseSchema, toLease } from './lease.ts';

export const leaseList = operation({
  name: 'lease.list',
  summary: 'List the leases of the calling node, newest first',
  description: 'Users and operators find them among the holds, with `kind=lease`.',
  http: { method: 'get', path: '/v1/leases', status: 200 },
  access: 'node',
  idempotency: 'none',
  input: z.strictObject({ state: z.enum(HOLD_STATES).optional(), ...pageInput }),
  output: pageOutput(leaseSchema),
  refusals: [],
  async run({ house, actor }, input) {
    assert(actor.kind === 'node', 'only nodes are let in');
    const before = readCursor(house, 'lease.list', input.cursor);
    if (isRefusal(before)) return before;
    const rows = await listHolds(house.db, {
      before,
      walletSid: null,
      owners: null,
      state: input.state ?? null,
      kind: 'lease',
      node: actor.node.id,
      limit: input.limit + 1,
    });
    return pageOf(house, 'lease.list', rows, input.limit, (lease) => lease.sid, toLease);
  },
});
