import { z } from 'zod';
import { ALLOCATION_STATES, isOpen, type AllocationState } from '../../domain/allocation/state.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { listAllocations } from '../../store/allocation.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { ownerField, ownersListed } from '../visible.ts';
import { allocationSchema, readerOf, toAllocation } from './allocation.ts';

const OPEN = ALLOCATION_STATES.filter(isOpen);

export const allocationList = operation({
  name: 'allocation.list',
  summary: 'List VMs, newest first',
  http: { method: 'get', path: '/v1/allocations', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({
    wallet_sid: ownerField,
    state: z
      .enum(['open', ...ALLOCATION_STATES])
      .optional()
      .describe('open: those that take a place of the plan. Left out: all that ever were.'),
    ...pageInput,
  }),
  output: pageOutput(allocationSchema),
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    const before = readCursor(house, 'allocation.list', input.cursor);
    if (isRefusal(before)) return before;
    const owners = await ownersListed(house.db, actor, input.wallet_sid);
    if (isRefusal(owners)) return owners;
    const states = statesOf(input.state);
    const rows = await listAllocations(house.db, { before, owners, states, limit: input.limit + 1 });
    const reader = readerOf(actor);
    return pageOf(
      house,
      'allocation.list',
      rows,
      input.limit,
      (row) => row.sid,
      (row) => toAllocation(row, reader),
    );
  },
});

function statesOf(state: AllocationState | 'open' | undefined): readonly AllocationState[] | null {
  if (state === undefined) return null;
  return state === 'open' ? OPEN : [state];
}
