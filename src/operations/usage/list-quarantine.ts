import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { listQuarantine, type QuarantineRow } from '../../store/usage-file.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { instant, sidField } from '../schema.ts';

const quarantinedSchema = z
  .object({
    sid: sidField,
    node_sid: sidField,
    path: z.string().describe('The file in the repository.'),
    position: z.int().describe('The number of the record in the file, from 1; 0: the file as a whole.'),
    blob_sha: z.string().describe('Which content of the file.'),
    idempotency_key: z.string().nullable(),
    code: z.string().describe('One of the codes of errors.'),
    reason: z.string(),
    first_seen_at: instant,
    resolved_at: instant.nullable().describe('When the file was found in order, or gone; null: it stands.'),
  })
  .meta({ id: 'QuarantinedUsage' });

export const usageListQuarantine = operation({
  name: 'usage.list-quarantine',
  summary: 'List what nodes left on the Forge and nobody could charge, newest first',
  description:
    'A mended file is read by itself. After a missing price or user was made, `usage aggregate --is-full` reads everything again.',
  http: { method: 'get', path: '/v1/usage/quarantine', status: 200 },
  access: 'operator',
  idempotency: 'none',
  input: z.strictObject({
    node_sid: sidField.optional(),
    has_resolved: z.boolean().default(false).describe('Also what no longer stands.'),
    ...pageInput,
  }),
  output: pageOutput(quarantinedSchema),
  refusals: [],
  async run({ house }, input) {
    const before = readCursor(house, 'usage.list-quarantine', input.cursor);
    if (isRefusal(before)) return before;
    const rows = await listQuarantine(house.db, {
      before,
      nodeSid: input.node_sid ?? null,
      hasResolved: input.has_resolved,
      limit: input.limit + 1,
    });
    return pageOf(house, 'usage.list-quarantine', rows, input.limit, ({ sid }) => sid, toQuarantined);
  },
});

const toQuarantined = (row: QuarantineRow): z.input<typeof quarantinedSchema> => ({
  sid: row.sid,
  node_sid: row.nodeSid,
  path: `nodes/${row.nodeName}/${row.file}`,
  position: row.position,
  blob_sha: row.blobSha,
  idempotency_key: row.idempotencyKey,
  code: row.code,
  reason: row.reason,
  first_seen_at: row.firstSeenAt.toISOString(),
  resolved_at: row.resolvedAt?.toISOString() ?? null,
});
