import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { aggregateUsage } from './aggregate-usage.ts';

export const usageAggregate = operation({
  name: 'usage.aggregate',
  summary: 'Collect usage that nodes left on the Forge now; it runs by itself too',
  description:
    'Each record is judged and charged as if the node had sent it to `POST /v1/usage`, and once, by whatever way it came. What has been read ' +
    'is skipped. Files and records that cannot be taken are listed by `usage list-quarantine`.',
  http: { method: 'post', path: '/admin/aggregate-now', status: 200 },
  access: 'operator',
  right: 'work',
  idempotency: 'none',
  input: z.strictObject({
    is_full: z
      .boolean()
      .default(false)
      .describe('Read everything again, for example after a missing price was made. Nothing is charged twice.'),
  }),
  output: z.object({
    folders: z.array(
      z.object({
        name: z.string(),
        node_sid: sidField.nullable(),
        outcome: z
          .enum(['read', 'unchanged', 'again', 'failed', 'unknown_node'])
          .describe(
            'again: some records were told to come later, and the folder is read again at the next tick. failed: the Forge broke. unknown_node: ' +
              'not read.',
          ),
        commit: z.string().nullable(),
        files: z.int().describe('Files that were read: new or changed.'),
        applied: z.int(),
        repeated: z.int().describe('Records that had their answer before.'),
        unbilled: z.int(),
        refused: z.int(),
        malformed: z.int().describe('Files that could not be read.'),
        message: z.string().nullable(),
      }),
    ),
  }),
  refusals: ['unavailable'],
  async run({ house }, input) {
    const folders = await aggregateUsage(house, { isFull: input.is_full });
    if (isRefusal(folders)) return folders;
    return { folders: folders.map(({ nodeSid, ...folder }) => ({ ...folder, node_sid: nodeSid })) };
  },
});
