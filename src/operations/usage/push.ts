import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { operation } from '../operation.ts';
import { pushUsage } from './push-usage.ts';

export const usagePush = operation({
  name: 'usage.push',
  summary: 'Push queued usage to the Forge now; it runs every hour by itself',
  description:
    'Each hour has a file, `nodes/<node>/usage_<YYYY-MM-DD-HH>.otoml`, which is read, merged by idempotency_key and written only when that ' +
    'adds something. A second time does nothing.',
  http: { method: 'post', path: '/admin/push-usage-now', status: 200 },
  access: 'operator',
  right: 'work',
  idempotency: 'none',
  input: z.strictObject({}),
  output: z.object({
    files: z.array(
      z.object({
        path: z.string(),
        outcome: z
          .enum(['written', 'unchanged', 'malformed', 'too_large'])
          .describe('unchanged: it had everything. malformed, too_large: nothing was done, and its records wait.'),
        added: z.int(),
        conflicts: z
          .array(z.string())
          .describe('Keys that the repository has with another content, which counts: nothing was overwritten.'),
        message: z.string().nullable(),
      }),
    ),
    commits: z.int(),
    waiting: z.int().describe('Records that still wait to be pushed.'),
  }),
  refusals: ['unavailable'],
  async run({ house }) {
    const pushed = await pushUsage(house);
    if (isRefusal(pushed)) return pushed;
    return { ...pushed, files: pushed.files.map((file) => ({ ...file, conflicts: [...file.conflicts] })) };
  },
});
