import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { operation } from '../operation.ts';
import { sidField, textField } from '../schema.ts';
import { lockUndecided, postToSuspense, writeDecision } from './decide.ts';
import { movementSchema, toMovement } from './movement.ts';

export const movementSuspend = operation({
  name: 'movement.suspend',
  summary: 'Set unmatched money aside on the suspense account',
  description:
    'What our books do not have of the line is posted to `suspense`, so that the provider’s account agrees with its statement. It concerns ' +
    'nobody’s wallet, and it is final.',
  http: { method: 'post', path: '/v1/movements/{sid}/suspend', status: 200 },
  access: 'operator',
  right: 'money',
  idempotency: 'required',
  input: z.strictObject({ sid: sidField, reason: textField(255) }),
  output: movementSchema,
  refusals: ['not_found', 'state_conflict', 'currency_not_supported', 'amount_out_of_range'],
  run: (call, { sid, reason }) =>
    call.commit(async (tx) => {
      const before = await lockUndecided(tx, sid);
      if (isRefusal(before)) return before;
      await postToSuspense(tx, call.house, before);
      const updatedAt = call.house.ports.clock.now();
      const after = { ...before, state: 'suspended' as const, booked: before.amount, reason, updatedAt };
      await writeDecision(tx, call, { before, after, action: 'movement.suspend' });
      return toMovement(after);
    }),
});
