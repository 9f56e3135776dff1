import { z } from 'zod';
import { writeAudit } from '../../store/audit.ts';
import { GAP_POLICIES, setGapPolicy } from '../../store/gap-policy.ts';
import { operation } from '../operation.ts';
import { categoryField } from '../price/price.ts';
import { gapPolicySchema, toGapPolicy } from './gap-policy.ts';

export const gapPolicySet = operation({
  name: 'gap-policy.set',
  summary: 'Say what a gap in the numbers of a category’s records means',
  description:
    'Counts at once, for gaps that are open already too. Nobody is ever charged for a number that has not come.',
  http: { method: 'post', path: '/v1/gap-policies', status: 200 },
  access: 'operator',
  right: 'configure',
  // Set twice it is the same.
  idempotency: 'none',
  input: z.strictObject({
    category: categoryField,
    policy: z
      .enum(GAP_POLICIES)
      .describe('ignore: shown to whoever looks. report: a warning in the log, and a metric, for gaps that stay open.'),
    grace_seconds: z
      .int()
      .min(0)
      .max(7 * 86_400)
      .default(300)
      .describe('How old a gap must be to be spoken of: records overtake each other.'),
  }),
  output: gapPolicySchema,
  refusals: [],
  async run(call, input) {
    const { db, ports } = call.house;
    const { category, policy, grace_seconds: graceSeconds } = input;
    const setAt = ports.clock.now();
    return db.transaction('gap_policy.set', async (tx) => {
      const row = { category, policy, graceSeconds, setAt };
      await setGapPolicy(tx, row, call.actor.id);
      await writeAudit(tx, {
        sid: ports.ids.sid(),
        at: setAt,
        actor: call.actor.id,
        action: 'gap-policy.set',
        subject: category,
        outcome: 'done',
        reason: null,
        before: null,
        after: { policy, grace_seconds: graceSeconds },
        requestId: call.requestId,
      });
      return toGapPolicy(row);
    });
  },
});
