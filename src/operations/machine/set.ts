import { z } from 'zod';
import { refuse } from '../../domain/refusal.ts';
import { lockMachine, updateMachine } from '../../store/machine.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { noMachine } from './get.ts';
import { labelsField, machineSchema, toMachine } from './machine.ts';

export const machineSet = operation({
  name: 'machine.set',
  summary: 'Label a machine, or take it out of use when it is free',
  description:
    'A draining machine is given to nobody any more; who has it keeps it. It can be removed when it is free.',
  http: { method: 'patch', path: '/v1/machines/{sid}', status: 200 },
  access: 'operator',
  right: 'configure',
  idempotency: 'none',
  input: z.strictObject({
    sid: sidField,
    labels: labelsField.optional().describe('All of them: what is left out is gone.'),
    is_draining: z.boolean().optional(),
    cleans_itself: z.boolean().optional(),
  }),
  output: machineSchema,
  refusals: ['not_found', 'state_conflict'],
  async run(call, input) {
    const { db, ports } = call.house;
    return await db.transaction('machine.set', async (tx) => {
      const before = await lockMachine(tx, input.sid);
      if (before === null) return noMachine();
      if (before.state === 'removed') return refuse('state_conflict', 'The machine was removed.');
      const now = ports.clock.now();
      const after = {
        ...before,
        labels: input.labels ?? before.labels,
        isDraining: input.is_draining ?? before.isDraining,
        cleansItself: input.cleans_itself ?? before.cleansItself,
      };
      await updateMachine(tx, after, now);
      await recordAudit(tx, call, {
        action: 'machine.set',
        subject: before.sid,
        before: {
          is_draining: before.isDraining,
          cleans_itself: before.cleansItself,
          labels: JSON.stringify(before.labels),
        },
        after: {
          is_draining: after.isDraining,
          cleans_itself: after.cleansItself,
          labels: JSON.stringify(after.labels),
        },
      });
      return toMachine({ ...after, changedAt: now });
    });
  },
});
