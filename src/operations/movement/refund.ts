import { z } from 'zod';
import { isRefusal, refuse } from '../../domain/refusal.ts';
import { operation } from '../operation.ts';
import { sidField, textField } from '../schema.ts';
import { lockUndecided, postToSuspense, writeDecision } from './decide.ts';
import { movementSchema, toMovement } from './movement.ts';
import { sendBack } from './send-back.ts';

export const movementRefund = operation({
  name: 'movement.refund',
  summary: 'Send unmatched money back to whoever paid it',
  description:
    'The intent is stored first, and the money lies on `suspense` until it is gone; then the provider is asked, with the movement’s sid as the ' +
    'key. While the provider does not answer, the movement is `refunding` and is asked about every few minutes; if it refuses, the money stays on ' +
    '`suspense`, with the reason. Only for payments that our books have nothing of, at providers that send money back the way it came.',
  http: { method: 'post', path: '/v1/movements/{sid}/refund', status: 200 },
  access: 'operator',
  right: 'money',
  idempotency: 'required',
  input: z.strictObject({ sid: sidField, reason: textField(255) }),
  output: movementSchema,
  refusals: ['not_found', 'state_conflict', 'currency_not_supported', 'amount_out_of_range'],
  async run(call, { sid, reason }) {
    const { house } = call;
    const intended = await call.commit(async (tx) => {
      const before = await lockUndecided(tx, sid);
      if (isRefusal(before)) return before;
      if (before.kind !== 'payment' || before.paymentRef === null || before.booked !== 0n || before.amount <= 0n)
        return refuse('state_conflict', 'Only a payment that our books have nothing of can be sent back from here.');
      if (house.providers.get(before.provider)?.description.can.refund !== 'direct')
        return refuse(
          'state_conflict',
          'This provider cannot send money back the way it came; assign it or set it aside.',
        );
      await postToSuspense(tx, house, before);
      const updatedAt = house.ports.clock.now();
      const after = { ...before, state: 'refunding' as const, booked: before.amount, reason, updatedAt };
      await writeDecision(tx, call, { before, after, action: 'movement.refund' });
      return toMovement(after);
    });
    if (!isRefusal(intended)) await sendBack(house, sid);
    return intended;
  },
});
