import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { returnHold } from '../hold/return-hold.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { leaseSchema, ownLease, toLease } from './lease.ts';

export const leaseRelease = operation({
  name: 'lease.release',
  summary: 'Give back what is left of a lease',
  description: 'One that is closed already is answered as it is. An operator releases it as a hold.',
  http: { method: 'post', path: '/v1/leases/{sid}/release', status: 200 },
  access: 'node',
  // A lease ends once.
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: leaseSchema,
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    assert(actor.kind === 'node', 'only nodes are let in');
    return house.db.transaction('lease.release', async (tx) => {
      const lease = await ownLease(tx, actor.node, input.sid, 'lock');
      if (isRefusal(lease)) return lease;
      return toLease(lease.state === 'open' ? await returnHold(tx, house.ports, lease, 'released') : lease);
    });
  },
});
