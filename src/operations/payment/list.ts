import { z } from 'zod';
import { PAYMENT_STATES } from '../../domain/payment/state.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { listPayments } from '../../store/payment.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { sidField } from '../schema.ts';
import { listedWallets } from './listed-wallets.ts';
import { paymentSchema, toPayment } from './payment.ts';

const NAME = 'payment.list';

export const paymentList = operation({
  name: NAME,
  summary: 'List top-ups, newest first',
  http: { method: 'get', path: '/v1/payments', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({
    wallet_sid: sidField.optional().describe("One wallet's; when left out, all that the caller reaches."),
    state: z.enum(PAYMENT_STATES).optional(),
    ...pageInput,
  }),
  output: pageOutput(paymentSchema),
  refusals: ['not_found'],
  async run(call, input) {
    const { house } = call;
    const before = readCursor(house, NAME, input.cursor);
    if (isRefusal(before)) return before;
    const wallets = await listedWallets(call, input.wallet_sid);
    if (isRefusal(wallets)) return wallets;
    const rows = await listPayments(house.db, {
      wallets,
      before,
      state: input.state ?? null,
      limit: input.limit + 1,
    });
    return pageOf(house, NAME, rows, input.limit, (row) => row.sid, toPayment);
  },
});
