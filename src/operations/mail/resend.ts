import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { refuse } from '../../domain/refusal.ts';
import { markMail, readMail } from '../../store/mail.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { mailSchema, toMail } from './mail.ts';

export const mailResend = operation({
  name: 'mail.resend',
  summary: 'Send a mail that was kept or has failed',
  description: 'To the address and with the words that it has.',
  http: { method: 'post', path: '/v1/mails/{sid}/resend', status: 202 },
  access: 'operator',
  right: 'work',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: mailSchema,
  refusals: ['not_found', 'state_conflict'],
  async run(call, input) {
    const { db, ports } = call.house;
    return db.transaction('mail.resend', async (tx) => {
      const before = await readMail(tx, input.sid);
      if (!before) return refuse('not_found', 'There is no mail with this sid.');
      if (before.state === 'sent') return refuse('state_conflict', 'The mail server has it already.');
      const due = { sid: before.sid, state: 'pending', reason: null, tries: 0, endedAt: null } as const;
      await markMail(tx, { ...due, dueAt: ports.clock.now() });
      await recordAudit(tx, call, { action: 'mail.resend', subject: before.sid, before: { state: before.state } });
      const after = await readMail(tx, input.sid);
      assert(after !== null, 'a mail that is due is not deleted');
      return toMail(after);
    });
  },
});
