import { z } from 'zod';
import { listLadders } from '../../store/ladder.ts';
import { operation } from '../operation.ts';
import { ladderSchema, toLadder } from './ladder.ts';

export const ladderList = operation({
  name: 'ladder.list',
  summary: 'List the discount ladders of all categories, every version of them',
  http: { method: 'get', path: '/v1/ladders', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({}),
  output: z.object({ items: z.array(ladderSchema), next_cursor: z.null() }),
  refusals: [],
  async run({ house }) {
    return { items: (await listLadders(house.db, null)).map(toLadder), next_cursor: null };
  },
});
