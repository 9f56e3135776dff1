import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { listMachines, MACHINE_STATES } from '../../store/machine.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { machineSchema, sizeField, toMachine } from './machine.ts';

export const machineList = operation({
  name: 'machine.list',
  summary: 'List the machines of the pool, newest first',
  description:
    'Also what whoever looks after them needs: the SSH keys that belong on each, whether it is to stand still, and whether it is to be cleaned.',
  http: { method: 'get', path: '/v1/machines', status: 200 },
  access: 'operator',
  idempotency: 'none',
  input: z.strictObject({
    state: z.enum(MACHINE_STATES).optional().describe('Left out: all but the removed ones.'),
    size: sizeField.optional(),
    ...pageInput,
  }),
  output: pageOutput(machineSchema),
  refusals: [],
  async run({ house }, input) {
    const before = readCursor(house, 'machine.list', input.cursor);
    if (isRefusal(before)) return before;
    const page = { before, state: input.state ?? null, size: input.size ?? null, limit: input.limit + 1 };
    const rows = await listMachines(house.db, page);
    return pageOf(house, 'machine.list', rows, input.limit, (machine) => machine.sid, toMachine);
  },
});
