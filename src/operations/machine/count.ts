import { z } from 'zod';
import { countMachines } from '../../store/machine.ts';
import { operation } from '../operation.ts';

export const machineCount = operation({
  name: 'machine.count',
  summary: 'Count the machines of the pool, by size and state',
  http: { method: 'get', path: '/v1/machine-counts', status: 200 },
  access: 'operator',
  idempotency: 'none',
  input: z.strictObject({}),
  output: z.object({
    items: z.array(
      z
        .object({
          size: z.string(),
          free: z.int().describe('The next VMs are on these.'),
          allocated: z.int(),
          cleaning: z.int().describe('Given back, and not confirmed clean yet.'),
          draining: z.int().describe('Of all of them: given to nobody any more.'),
        })
        .meta({ id: 'MachineCount' }),
    ),
    next_cursor: z.null(),
  }),
  refusals: [],
  async run({ house }) {
    return { items: await countMachines(house.db), next_cursor: null };
  },
});
