import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { listAudit, type AuditRow } from '../../store/audit.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { instant, sidField, textField } from '../schema.ts';

const factsSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).nullable();

const auditEventSchema = z
  .object({
    sid: sidField,
    at: instant,
    actor: z
      .string()
      .describe(
        'admin:<id of the secret>, operator:<sid of the user>, user:<sid>, user:<sid>/key:<sid>, node:<sid> or system:<job>.',
      ),
    action: z.string(),
    subject: z.string().describe('The sid of what was changed.'),
    outcome: z.enum(['done', 'refused', 'failed']),
    reason: z.string().nullable(),
    before: factsSchema,
    after: factsSchema,
    request_id: z.string(),
  })
  .meta({ id: 'AuditEvent' });

export const auditList = operation({
  name: 'audit.list',
  summary: 'List who changed what, newest first',
  http: { method: 'get', path: '/v1/audit-events', status: 200 },
  access: 'operator',
  idempotency: 'none',
  input: z.strictObject({ subject: textField(100).optional(), ...pageInput }),
  output: pageOutput(auditEventSchema),
  refusals: [],
  async run({ house }, input) {
    const before = readCursor(house, 'audit.list', input.cursor);
    if (isRefusal(before)) return before;
    const rows = await listAudit(house.db, { before, subject: input.subject ?? null, limit: input.limit + 1 });
    return pageOf(house, 'audit.list', rows, input.limit, (row) => row.sid, toAuditEvent);
  },
});

function toAuditEvent({ requestId, at, ...row }: AuditRow): z.input<typeof auditEventSchema> {
  return { ...row, at: at.toISOString(), request_id: requestId };
}
