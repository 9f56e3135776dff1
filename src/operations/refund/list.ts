import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { listRefunds } from '../../store/refund.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { listedWallets } from '../payment/listed-wallets.ts';
import { sidField } from '../schema.ts';
import { originField, refundSchema, stateField, toRefund } from './refund.ts';

const NAME = 'refund.list';

export const refundList = operation({
  name: NAME,
  summary: 'List refunds, newest first, whoever made them',
  http: { method: 'get', path: '/v1/refunds', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({
    wallet_sid: sidField.optional().describe("One wallet's; when left out, all that the caller reaches."),
    payment_sid: sidField.optional().describe("One payment's."),
    state: stateField.optional(),
    origin: originField.optional(),
    ...pageInput,
  }),
  output: pageOutput(refundSchema),
  refusals: ['not_found'],
  async run(call, input) {
    const { house, actor } = call;
    const before = readCursor(house, NAME, input.cursor);
    if (isRefusal(before)) return before;
    const wallets = await listedWallets(call, input.wallet_sid);
    if (isRefusal(wallets)) return wallets;
    const rows = await listRefunds(house.db, {
      wallets,
      paymentSid: input.payment_sid ?? null,
      state: input.state ?? null,
      origin: input.origin ?? null,
      before,
      limit: input.limit + 1,
    });
    return pageOf(
      house,
      NAME,
      rows,
      input.limit,
      (row) => row.sid,
      (row) => toRefund(row, actor),
    );
  },
});
