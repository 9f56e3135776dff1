import { z } from 'zod';
import { refuse } from '../../domain/refusal.ts';
import { lockOutage, updateOutage } from '../../store/outage.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { sidField, textField } from '../schema.ts';
import { outageSchema, toOutage } from './outage.ts';

export const outageCancel = operation({
  name: 'outage.cancel',
  summary: 'Say that something was not down after all',
  description:
    'A node’s records of the time are taken again from now on; it may send again what was refused. What was given back stays given back: nobody is ' +
    'charged a second time for a mistake of ours. `billing.adjust` is for what must be put right all the same.',
  http: { method: 'post', path: '/v1/outages/{sid}/cancel', status: 200 },
  access: 'operator',
  right: 'money',
  // An outage is cancelled once.
  idempotency: 'none',
  input: z.strictObject({ sid: sidField, reason: textField(255) }),
  output: outageSchema,
  refusals: ['not_found'],
  async run(call, { sid, reason }) {
    const { db, ports } = call.house;
    return await db.transaction('outage.cancel', async (tx) => {
      const row = await lockOutage(tx, sid);
      if (!row) return refuse('not_found', 'There is no outage with this sid.');
      if (row.state === 'cancelled') return toOutage(row);
      const cancelled = { ...row, state: 'cancelled', cancelledAt: ports.clock.now() } as const;
      await updateOutage(tx, cancelled);
      const [before, after] = [{ state: row.state }, { state: cancelled.state, vms: row.vms }];
      await recordAudit(tx, call, { action: 'outage.cancel', subject: sid, reason, before, after });
      return toOutage(cancelled);
    });
  },
});
