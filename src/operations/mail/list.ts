import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { listMails, MAIL_STATES } from '../../store/mail.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { mailSchema, toMail } from './mail.ts';

const NAME = 'mail.list';

export const mailList = operation({
  name: NAME,
  summary: 'List the mail to users with what it says, newest first',
  description: 'Without a mail server nothing is sent, and this is where to read it.',
  http: { method: 'get', path: '/v1/mails', status: 200 },
  access: 'operator',
  idempotency: 'none',
  input: z.strictObject({ state: z.enum(MAIL_STATES).optional(), ...pageInput }),
  output: pageOutput(mailSchema),
  refusals: [],
  async run({ house }, input) {
    const before = readCursor(house, NAME, input.cursor);
    if (isRefusal(before)) return before;
    const rows = await listMails(house.db, { before, state: input.state ?? null, limit: input.limit + 1 });
    return pageOf(house, NAME, rows, input.limit, (row) => row.sid, toMail);
  },
});
