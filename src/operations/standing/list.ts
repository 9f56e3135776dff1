import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { STANDING_STATES } from '../../domain/standing/state.ts';
import { listStandings } from '../../store/standing-facts.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { standingSchema, toStanding } from './standing.ts';

const NAME = 'standing.list';

export const standingList = operation({
  name: NAME,
  summary: 'List how wallets stand, the newest wallets first',
  http: { method: 'get', path: '/v1/standings', status: 200 },
  access: 'operator',
  idempotency: 'none',
  input: z.strictObject({
    state: z.enum(STANDING_STATES).optional().describe('Only those in this state.'),
    ...pageInput,
  }),
  output: pageOutput(standingSchema),
  refusals: [],
  async run({ house }, input) {
    const before = readCursor(house, NAME, input.cursor);
    if (isRefusal(before)) return before;
    const rows = await listStandings(house.db, {
      state: input.state ?? null,
      before: before === null ? null : BigInt(before),
      limit: input.limit + 1,
    });
    return pageOf(house, NAME, rows, input.limit, (row) => row.wallet.toString(), toStanding);
  },
});
