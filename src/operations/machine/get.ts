import { z } from 'zod';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import { readMachine } from '../../store/machine.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { machineSchema, toMachine } from './machine.ts';

export const machineGet = operation({
  name: 'machine.get',
  summary: 'Show one machine of the pool, and the VM on it',
  http: { method: 'get', path: '/v1/machines/{sid}', status: 200 },
  access: 'operator',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: machineSchema,
  refusals: ['not_found'],
  async run({ house }, input) {
    const machine = await readMachine(house.db, input.sid);
    return machine ? toMachine(machine) : noMachine();
  },
});

export const noMachine = (): Refusal => refuse('not_found', 'There is no machine with this sid.');
