import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { returnHold } from '../hold/return-hold.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { fromCloudEvent, isCloudEvent } from '../usage/cloud-event.ts';
import { recordInDocuments, RECORDS_MAX, reportSchema, toReport } from '../usage/record.ts';
import { recordUsage } from '../usage/record-usage.ts';
import { leaseSchema, ownLease, toLease } from './lease.ts';

export const leaseSettle = operation({
  name: 'lease.settle',
  summary: 'Report the last usage under a lease, and give back what is left of it',
  description:
    'The records are charged as by `usage.record`, under this lease. It stays open when some of them must be sent again ' +
    '(`retry_after_seconds`): settle it again with those.',
  http: { method: 'post', path: '/v1/leases/{sid}/settle', status: 200 },
  access: 'node',
  // A record is known by its key, and a lease ends once.
  idempotency: 'none',
  input: z.strictObject({
    sid: sidField,
    records: z.array(z.unknown()).max(RECORDS_MAX).default([]).meta({ items: recordInDocuments, default: [] }),
  }),
  output: z.object({ lease: leaseSchema, ...reportSchema.shape }),
  refusals: ['not_found', 'rate_limited'],
  async run({ house, actor }, input) {
    assert(actor.kind === 'node', 'only nodes are let in');
    const { node } = actor;
    const found = await ownLease(house.db, node, input.sid, 'look');
    if (isRefusal(found)) return found;
    const report = await recordUsage(
      house,
      node,
      input.records.map((record) => underLease(record, input.sid)),
    );
    if (isRefusal(report)) return report;
    const answer = toReport(report);
    // If we die before this, the node settles again: its records are known then.
    const lease = await house.db.transaction('lease.settle', async (tx) => {
      const locked = await ownLease(tx, node, input.sid, 'lock');
      if (isRefusal(locked) || locked.state !== 'open' || answer.retry_after_seconds !== null) return locked;
      return await returnHold(tx, house.ports, locked, 'released');
    });
    return isRefusal(lease) ? lease : { lease: toLease(lease), ...answer };
  },
});

/** What is no record stays what it is, and is refused as such. */
function underLease(record: unknown, lease: string): unknown {
  if (isCloudEvent(record)) return { ...fromCloudEvent(record), lease };
  return typeof record === 'object' && record !== null && !Array.isArray(record) ? { ...record, lease } : record;
}
