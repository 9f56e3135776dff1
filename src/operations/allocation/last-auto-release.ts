import { z } from 'zod';
import { readAutoReleaseRun } from '../../store/auto-release-run.ts';
import { operation } from '../operation.ts';
import { instant } from '../schema.ts';
import { releaseCountsFields } from './auto-release.ts';

export const allocationLastAutoRelease = operation({
  name: 'allocation.last-auto-release',
  summary: 'Say when VMs were last taken back by themselves, and how many',
  description: 'Of the last run of any process, by the clock or asked for.',
  http: { method: 'get', path: '/admin/auto-release', status: 200 },
  access: 'operator',
  idempotency: 'none',
  input: z.strictObject({}),
  output: z.object({
    last_run: z
      .object({ ran_at: instant.describe('When it ended.'), ...releaseCountsFields })
      .nullable()
      .describe('Null: it has never run.'),
  }),
  refusals: [],
  async run({ house }) {
    const run = await readAutoReleaseRun(house.db);
    if (run === null) return { last_run: null };
    const { ranAt, alreadyReleased, ...counts } = run;
    return { last_run: { ran_at: ranAt.toISOString(), ...counts, already_released: alreadyReleased } };
  },
});
