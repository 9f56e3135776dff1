import { z } from 'zod';
import { planForSale } from '../../domain/plan/plan.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { listPlans, readPlans } from '../../store/plan.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { planCodeField, planSchema, toPlan } from './plan.ts';

export const planList = operation({
  name: 'plan.list',
  summary: 'List the plans that are for sale, the cheapest first',
  description: 'Operators may ask for every version that there is or was, the newest first.',
  http: { method: 'get', path: '/v1/plans', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({
    is_all: z
      .boolean()
      .default(false)
      .describe(
        'Every version, those of the past and of the future too. For operators; others are shown what is for sale.',
      ),
    code: planCodeField.optional(),
    ...pageInput,
  }),
  output: pageOutput(planSchema),
  refusals: [],
  async run({ house, actor }, input) {
    const before = readCursor(house, 'plan.list', input.cursor);
    if (isRefusal(before)) return before;
    if (input.is_all && actor.kind === 'operator') {
      const rows = await listPlans(house.db, { before, code: input.code ?? null, limit: input.limit + 1 });
      return pageOf(house, 'plan.list', rows, input.limit, (plan) => plan.sid, toPlan);
    }
    const now = house.ports.clock.now();
    const versions = await readPlans(house.db);
    const onSale = versions
      .filter(({ sid, code }) => planForSale(versions, code, now)?.sid === sid && code === (input.code ?? code))
      .toSorted((a, b) => (a.price === b.price ? (a.code < b.code ? -1 : 1) : a.price < b.price ? -1 : 1));
    const from = before === null ? 0 : onSale.findIndex(({ sid }) => sid === before) + 1;
    return pageOf(house, 'plan.list', onSale.slice(from), input.limit, (plan) => plan.sid, toPlan);
  },
});
