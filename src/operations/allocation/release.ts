import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { allocationSchema, readerOf, toAllocation, visibleAllocation } from './allocation.ts';
import { releaseVm } from './steer.ts';

export const allocationRelease = operation({
  name: 'allocation.release',
  summary: 'Give a VM back, with all that is on it',
  description:
    'Cannot be undone: its disk is wiped. Its place of the plan is free again when it is confirmed clean; until then the VM is `releasing`. ' +
    'Sent again it answers how far that is.',
  http: { method: 'post', path: '/v1/allocations/{sid}/release', status: 200 },
  access: 'user',
  right: 'work',
  scope: 'spend',
  member: 'member',
  // A VM goes once.
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: allocationSchema,
  refusals: ['not_found'],
  async run(call, input) {
    const { house, actor } = call;
    const seen = await visibleAllocation(house.db, actor, input.sid, 'look');
    if (isRefusal(seen)) return seen;
    const row = await releaseVm(house, seen.sid, actor.kind === 'user' ? 'user' : 'operator', call);
    assert(row !== null, 'an allocation is never deleted');
    return toAllocation(row, readerOf(actor));
  },
});
