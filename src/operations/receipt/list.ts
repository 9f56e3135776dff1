import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { listReceipts } from '../../store/receipt.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { sidField } from '../schema.ts';
import { ownerField, ownersListed } from '../visible.ts';
import { receiptSchema, toReceipt } from './receipt.ts';

const NAME = 'receipt.list';

export const receiptList = operation({
  name: NAME,
  summary: 'List receipts and credit notes, newest first',
  description: 'A user sees what they reach, an operator all.',
  http: { method: 'get', path: '/v1/receipts', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({
    wallet_sid: ownerField,
    payment_sid: sidField.optional().describe('Only those of this payment.'),
    ...pageInput,
  }),
  output: pageOutput(receiptSchema),
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    const before = readCursor(house, NAME, input.cursor);
    if (isRefusal(before)) return before;
    const owners = await ownersListed(house.db, actor, input.wallet_sid);
    if (isRefusal(owners)) return owners;
    const page = {
      before,
      owners,
      paymentSid: input.payment_sid ?? null,
      limit: input.limit + 1,
    };
    return pageOf(house, NAME, await listReceipts(house.db, page), input.limit, (row) => row.sid, toReceipt);
  },
});
