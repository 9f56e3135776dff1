import { z } from 'zod';
import { operation } from '../operation.ts';
import { sidField, textField } from '../schema.ts';
import { answerDispute, answerSchema } from './answer.ts';
import { gather } from './evidence.ts';
import { evidenceParts } from './evidence-text.ts';

export const disputeSubmitEvidence = operation({
  name: 'dispute.submit-evidence',
  summary: 'Hand in evidence for a dispute at the provider, once',
  description:
    'What `dispute.evidence` shows, gathered now, with a statement of your own before it. It is stored with the intent; then the provider is asked, ' +
    'with the answer’s sid as the key, until it has it. A bank reads one answer: nothing can be added later. Only where the provider takes answers ' +
    'from us.',
  http: { method: 'post', path: '/v1/disputes/{sid}/evidence', status: 201 },
  access: 'operator',
  right: 'money',
  idempotency: 'required',
  input: z.strictObject({
    sid: sidField,
    statement: textField(5_000).describe('To the bank: why the payment was the customer’s own.'),
  }),
  output: answerSchema,
  refusals: ['not_found', 'state_conflict'],
  run: (call, { sid, statement }) =>
    answerDispute(call, {
      disputeSid: sid,
      kind: 'evidence',
      reason: statement,
      gather: async (tx, dispute) => ({
        statement,
        ...evidenceParts(await gather(tx, dispute, call.house.ports.clock.now())),
      }),
    }),
});
