import { z } from 'zod';
import { operation } from '../operation.ts';
import { sidField, textField } from '../schema.ts';
import { answerDispute, answerSchema } from './answer.ts';

export const disputeAccept = operation({
  name: 'dispute.accept',
  summary: 'Accept the loss of a dispute at the provider, for good',
  description:
    'The intent is stored first; then the provider is asked, with the answer’s sid as the key, until it has it. The dispute is then lost and what ' +
    'it has set aside is written off, as if the bank had decided. It cannot be taken back. Only where the provider takes answers from us.',
  http: { method: 'post', path: '/v1/disputes/{sid}/accept', status: 201 },
  access: 'operator',
  right: 'money',
  idempotency: 'required',
  input: z.strictObject({ sid: sidField, reason: textField(255) }),
  output: answerSchema,
  refusals: ['not_found', 'state_conflict'],
  run: (call, { sid, reason }) => answerDispute(call, { disputeSid: sid, kind: 'accept', reason, gather: null }),
});
