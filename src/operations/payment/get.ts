import { z } from 'zod';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import { readPayment, type PaymentRow } from '../../store/payment.ts';
import { operation, type Call } from '../operation.ts';
import { sidField } from '../schema.ts';
import { maySee } from '../visible.ts';
import { paymentSchema, toPayment } from './payment.ts';

export const paymentGet = operation({
  name: 'payment.get',
  summary: 'Read one top-up',
  http: { method: 'get', path: '/v1/payments/{sid}', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: paymentSchema,
  refusals: ['not_found'],
  async run(call, input) {
    const payment = await visiblePayment(call, input.sid);
    return 'kind' in payment ? payment : toPayment(payment);
  },
});

/** A payment the caller may see. What is not theirs answers exactly as what is not there. */
export async function visiblePayment(call: Call, sid: string): Promise<PaymentRow | Refusal> {
  const payment = await readPayment(call.house.db, sid);
  return payment && maySee(call.actor, payment.userSid)
    ? payment
    : refuse('not_found', 'There is no payment with this sid.');
}
