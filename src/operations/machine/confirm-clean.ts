import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { refuse } from '../../domain/refusal.ts';
import { allocationOnMachine, lockAllocationToTell } from '../../store/allocation.ts';
import { lockMachine, updateMachine } from '../../store/machine.ts';
import { applyStatus } from '../allocation/apply-status.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { noMachine } from './get.ts';
import { machineSchema, toMachine } from './machine.ts';

export const machineConfirmClean = operation({
  name: 'machine.confirm-clean',
  summary: 'Confirm that a machine that was given back is clean',
  description:
    'Nothing is left on it of whoever had it: its disk is wiped, their SSH keys are gone. From now on it is free, or, if it drains, out of use; the ' +
    'VM that was on it is released. For a person, or for the agent that cleans.',
  http: { method: 'post', path: '/v1/machines/{sid}/confirm-clean', status: 200 },
  access: 'operator',
  right: 'work',
  // What is clean is confirmed once.
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: machineSchema,
  refusals: ['not_found', 'state_conflict'],
  async run(call, input) {
    const { house } = call;
    return await house.db.transaction('machine.confirm-clean', async (tx) => {
      // The allocation before the machine, as everybody locks them.
      const sid = await allocationOnMachine(tx, input.sid);
      const allocation = sid === null ? null : await lockAllocationToTell(tx, sid);
      const machine = await lockMachine(tx, input.sid);
      if (machine === null) return noMachine();
      if (machine.state === 'free') return toMachine(machine);
      if (machine.state !== 'cleaning')
        return refuse('state_conflict', 'The machine is not being cleaned.', { details: { state: machine.state } });
      assert((machine.allocation?.sid ?? null) === sid, 'nobody comes onto a machine that is being cleaned');
      const now = house.ports.clock.now();
      await updateMachine(tx, { ...machine, state: 'free' }, now);
      await recordAudit(tx, call, {
        action: 'machine.confirm-clean',
        subject: machine.sid,
        before: { allocation_sid: sid },
      });
      if (allocation) {
        const answer = { kind: 'vm', state: 'released', problem: null } as const;
        await applyStatus(tx, house, allocation, { answer, status: null });
      }
      return toMachine({ ...machine, state: 'free', changedAt: now, allocation: null });
    });
  },
});
