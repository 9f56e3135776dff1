import { z } from 'zod';
import { listGapPolicies } from '../../store/gap-policy.ts';
import { operation } from '../operation.ts';
import { gapPolicySchema, toGapPolicy } from './gap-policy.ts';

export const gapPolicyList = operation({
  name: 'gap-policy.list',
  summary: 'List what gaps mean, by category; those not listed ignore them',
  http: { method: 'get', path: '/v1/gap-policies', status: 200 },
  access: 'operator',
  idempotency: 'none',
  input: z.strictObject({}),
  output: z.object({ items: z.array(gapPolicySchema), next_cursor: z.null() }),
  refusals: [],
  async run({ house }) {
    return { items: (await listGapPolicies(house.db)).map(toGapPolicy), next_cursor: null };
  },
});
