import { z } from 'zod';
import { refuse, type InputError } from '../../domain/refusal.ts';
import { isZone, QUIET_MINUTES_MAX, quietMinutes, type QuietHours } from '../../domain/standing/quiet-hours.ts';
import { readQuietHours, setQuietHours } from '../../store/notice-setting.ts';
import { readUser } from '../../store/user.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { maySee } from '../visible.ts';
import { fromClock, noticeSchema, quietHoursFields, toNotice } from './notice.ts';

export const noticeSet = operation({
  name: 'notice.set',
  summary: 'Say when a user is not to be written to',
  description:
    'Mail that can wait comes at the end of the quiet hours: a low balance, the runway, something that is due. What is urgent, or was ' +
    'asked for a moment ago, comes at once. Webhooks and pages do not wait.',
  http: { method: 'post', path: '/v1/users/{sid}/notices', status: 200 },
  access: 'user',
  right: 'people',
  forSelf: true,
  // Set twice it is the same.
  idempotency: 'none',
  input: z.strictObject({
    sid: sidField,
    quiet_hours: z
      .strictObject(quietHoursFields)
      .nullable()
      .describe(`At most ${QUIET_MINUTES_MAX / 60} hours of the day; null: mail may come at any time.`),
  }),
  output: noticeSchema,
  refusals: ['not_found'],
  async run(call, input) {
    const { db, ports } = call.house;
    const wish = input.quiet_hours;
    const quiet = wish && { from: fromClock(wish.from), until: fromClock(wish.until), zone: wish.zone };
    const errors = quiet === null ? [] : wrongIn(quiet);
    if (errors.length > 0) return refuse('invalid_request', 'These are no quiet hours.', { errors });
    return db.transaction('notice.set', async (tx) => {
      const user = maySee(call.actor, input.sid) ? await readUser(tx, input.sid) : null;
      if (user === null) return refuse('not_found', 'There is no user with this sid.');
      const before = await readQuietHours(tx, user.sid);
      await setQuietHours(tx, { userSid: user.sid, quiet, now: ports.clock.now() });
      await recordAudit(tx, call, {
        action: 'notice.set',
        subject: user.sid,
        before: { has_quiet_hours: before !== null },
        after: { has_quiet_hours: quiet !== null },
      });
      return toNotice(user.sid, quiet);
    });
  },
});

function wrongIn(quiet: QuietHours): InputError[] {
  const minutes = quietMinutes(quiet);
  return [
    ...(isZone(quiet.zone)
      ? []
      : [{ pointer: '#/quiet_hours/zone', detail: 'must be a name of the IANA time zone database' }]),
    ...(minutes > 0 && minutes <= QUIET_MINUTES_MAX
      ? []
      : [{ pointer: '#/quiet_hours/until', detail: `must be at most ${QUIET_MINUTES_MAX / 60} hours after from` }]),
  ];
}
