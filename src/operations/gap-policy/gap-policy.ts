import { z } from 'zod';
import { GAP_POLICIES, type GapPolicyRow } from '../../store/gap-policy.ts';
import { categoryField } from '../price/price.ts';
import { instant } from '../schema.ts';

export const gapPolicySchema = z
  .object({
    category: categoryField,
    policy: z
      .enum(GAP_POLICIES)
      .describe('ignore: shown to whoever looks. report: a warning in the log, and a metric, for gaps that stay open.'),
    grace_seconds: z.int().describe('How old a gap must be to be spoken of.'),
    set_at: instant,
  })
  .meta({ id: 'GapPolicy' });

export const toGapPolicy = (row: GapPolicyRow): z.input<typeof gapPolicySchema> => ({
  category: row.category,
  policy: row.policy,
  grace_seconds: row.graceSeconds,
  set_at: row.setAt.toISOString(),
});
