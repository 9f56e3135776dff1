import { z } from 'zod';
import { MAILED_TYPES } from '../../domain/mail/compose.ts';
import { LANGUAGES } from '../../domain/language/language.ts';
import { MAIL_STATES, type MailRow } from '../../store/mail.ts';
import { instant, sidField } from '../schema.ts';

/** A mail as operators see it. */
export const mailSchema = z
  .object({
    sid: sidField,
    event_sid: sidField,
    event_type: z.enum(MAILED_TYPES),
    user_sid: sidField,
    recipient: z.string().describe('Given by the user, and not proven to be theirs.'),
    language: z.enum(LANGUAGES),
    state: z
      .enum(MAIL_STATES)
      .describe(
        'pending: will be sent (again) · sent: the mail server has it · kept: there is no mail server · failed: given up',
      ),
    reason: z.string().nullable().describe('Why it waits or has failed.'),
    tries: z.int(),
    subject: z.string().nullable().describe('Null until it is written, which is a moment after the event.'),
    text: z.string().nullable(),
    html: z.string().nullable(),
    created_at: instant,
    ended_at: instant.nullable(),
  })
  .meta({ id: 'Mail' });

export const toMail = (row: MailRow): z.input<typeof mailSchema> => ({
  sid: row.sid,
  event_sid: row.event,
  event_type: row.eventType,
  user_sid: row.userSid,
  recipient: row.recipient,
  language: row.language,
  state: row.state,
  reason: row.reason,
  tries: row.tries,
  subject: row.subject,
  text: row.text,
  html: row.html,
  created_at: row.createdAt.toISOString(),
  ended_at: row.endedAt?.toISOString() ?? null,
});
