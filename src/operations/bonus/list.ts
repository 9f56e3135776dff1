import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { listBonusRules } from '../../store/bonus.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { bonusRuleSchema, toBonusRule } from './bonus.ts';

export const bonusList = operation({
  name: 'bonus.list',
  summary: 'List what a first top-up is given, newest rule first',
  description: 'Of the past and of the future too: the one that began last counts for whoever begins to pay.',
  http: { method: 'get', path: '/v1/bonus-rules', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({ ...pageInput }),
  output: pageOutput(bonusRuleSchema),
  refusals: [],
  async run({ house }, input) {
    const before = readCursor(house, 'bonus.list', input.cursor);
    if (isRefusal(before)) return before;
    const rows = await listBonusRules(house.db, { before, limit: input.limit + 1 });
    return pageOf(house, 'bonus.list', rows, input.limit, (rule) => rule.sid, toBonusRule);
  },
});
