import { z } from 'zod';
import { MOVEMENT_STATES } from '../../domain/movement/movement.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { listMovements } from '../../store/movement.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { movementSchema, toMovement } from './movement.ts';

const NAME = 'movement.list';

export const movementList = operation({
  name: NAME,
  summary: 'List the lines of the providers’ statements, newest first',
  description: 'With `state=unmatched`: the money that an operator must decide about.',
  http: { method: 'get', path: '/v1/movements', status: 200 },
  access: 'operator',
  idempotency: 'none',
  input: z.strictObject({
    state: z.enum(MOVEMENT_STATES).optional().describe('Only those in this state.'),
    provider: z.string().max(40).optional().describe("Only this provider's."),
    ...pageInput,
  }),
  output: pageOutput(movementSchema),
  refusals: [],
  async run({ house }, input) {
    const before = readCursor(house, NAME, input.cursor);
    if (isRefusal(before)) return before;
    const rows = await listMovements(house.db, {
      before,
      state: input.state ?? null,
      provider: input.provider ?? null,
      limit: input.limit + 1,
    });
    return pageOf(house, NAME, rows, input.limit, (row) => row.sid, toMovement);
  },
});
