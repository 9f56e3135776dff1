import { z } from 'zod';
import { formatDecimal } from '../../domain/money.ts';
import { OUTAGE_SOURCES, OUTAGE_STATES, OUTAGE_SUBJECTS } from '../../domain/outage/outage.ts';
import type { OutageRow } from '../../store/outage.ts';
import { instant, sidField, signedAmount } from '../schema.ts';

export const outageSchema = z
  .object({
    sid: sidField,
    subject: z.enum(OUTAGE_SUBJECTS),
    subject_ref: z.string().describe('The sid of the node, machine or allocation, or the name of the host.'),
    state: z
      .enum(OUTAGE_STATES)
      .describe(
        'open: it goes on. settling: it is over, and VMs are being given back for, or, of a node, what was on its way is waited for. done. cancelled.',
      ),
    from: instant,
    until: instant.nullable().describe('Null while it goes on.'),
    reason: z.string(),
    source: z.enum(OUTAGE_SOURCES).describe('provisioner: who gives VMs said that one did not run that should.'),
    correction_sid: sidField.nullable().describe('Of a node: what takes back the usage that was charged.'),
    vms: z.int().describe('VMs that were given something back for.'),
    returned: signedAmount.describe('What their wallets were given.'),
    created_at: instant,
    created_by: z.string(),
    cancelled_at: instant.nullable(),
  })
  .meta({ id: 'Outage' });

export const toOutage = (row: OutageRow): z.input<typeof outageSchema> => ({
  sid: row.sid,
  subject: row.subject,
  subject_ref: row.subjectRef,
  state: row.state,
  from: row.fromAt.toISOString(),
  until: row.untilAt?.toISOString() ?? null,
  reason: row.reason,
  source: row.source,
  correction_sid: row.correction,
  vms: row.vms,
  returned: formatDecimal(row.returned),
  created_at: row.createdAt.toISOString(),
  created_by: row.createdBy,
  cancelled_at: row.cancelledAt?.toISOString() ?? null,
});
