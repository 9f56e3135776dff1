import { z } from 'zod';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import { lockMachine, updateMachine, type MachineState } from '../../store/machine.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { noMachine } from './get.ts';
import { machineSchema, toMachine } from './machine.ts';

export const machineRemove = operation({
  name: 'machine.remove',
  summary: 'Remove a free machine from the pool',
  description: 'Only when nobody is on it. Its address can be added anew.',
  http: { method: 'post', path: '/v1/machines/{sid}/remove', status: 200 },
  access: 'operator',
  right: 'configure',
  // A machine goes once.
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: machineSchema,
  refusals: ['not_found', 'state_conflict'],
  async run(call, input) {
    const { db, ports } = call.house;
    return await db.transaction('machine.remove', async (tx) => {
      const before = await lockMachine(tx, input.sid);
      if (before === null) return noMachine();
      if (before.state === 'removed') return toMachine(before);
      if (before.state !== 'free') return inUse(before.state);
      const now = ports.clock.now();
      const after = { ...before, state: 'removed', changedAt: now } as const;
      await updateMachine(tx, after, now);
      await recordAudit(tx, call, {
        action: 'machine.remove',
        subject: before.sid,
        before: { address: before.address },
      });
      return toMachine(after);
    });
  },
});

const inUse = (state: MachineState): Refusal =>
  refuse(
    'state_conflict',
    state === 'cleaning'
      ? 'The machine is not confirmed clean yet. Confirm that first.'
      : 'A VM is on this machine. Drain it, and remove it when its user has given it back.',
    { details: { state } },
  );
