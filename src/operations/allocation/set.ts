import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { updateAllocation } from '../../store/allocation.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { allocationSchema, readerOf, toAllocation, visibleAllocation } from './allocation.ts';
import { nameField, stopOrderField } from './create.ts';

export const allocationSet = operation({
  name: 'allocation.set',
  summary: 'Rename a VM, or say when it is stopped',
  description: 'The new name is what it is called here; the machine itself is not told.',
  http: { method: 'patch', path: '/v1/allocations/{sid}', status: 200 },
  access: 'user',
  right: 'work',
  scope: 'spend',
  member: 'member',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField, name: nameField.optional(), stop_order: stopOrderField.optional() }),
  output: allocationSchema,
  refusals: ['not_found'],
  async run(call, input) {
    return await call.house.db.transaction('allocation.set', async (tx) => {
      const row = await visibleAllocation(tx, call.actor, input.sid, 'lock');
      if (isRefusal(row)) return row;
      const after = { ...row, name: input.name ?? row.name, stopOrder: input.stop_order ?? row.stopOrder };
      await updateAllocation(tx, after);
      await recordAudit(tx, call, {
        action: 'allocation.set',
        subject: row.sid,
        // Not its name: that is the owner's own word, and goes with them; the trail stays.
        before: { stop_order: row.stopOrder },
        after: { stop_order: after.stopOrder, is_renamed: after.name !== row.name },
      });
      return toAllocation(after, readerOf(call.actor));
    });
  },
});
