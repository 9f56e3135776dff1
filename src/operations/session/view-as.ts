import { z } from 'zod';
import { refuse } from '../../domain/refusal.ts';
import { setViewed } from '../../store/session.ts';
import { readUser } from '../../store/user.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { sidField, textField } from '../schema.ts';

export const sessionViewAs = operation({
  name: 'session.view-as',
  summary: 'See the pages of a user as they do, and change nothing',
  description:
    'For the session that asks, until session.stop-viewing or its end: everything it reads is what the user would be told, everything else is ' +
    'refused. It shows nothing that operators cannot read anyway.',
  http: { method: 'post', path: '/v1/users/{sid}/view-as', status: 200 },
  access: 'operator',
  right: 'look',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField, reason: textField(500).describe('Why; kept in the audit row.') }),
  output: z.object({ user_sid: sidField, display_name: z.string() }),
  refusals: ['not_found', 'state_conflict'],
  async run(call, input) {
    const { house, actor } = call;
    const session = actor.kind === 'operator' && actor.credential?.kind === 'session' ? actor.credential : null;
    if (session === null)
      return refuse('state_conflict', 'Only a session can look as a user: sign in, and do not send the secret itself.');
    return house.db.transaction('session.view_as', async (tx) => {
      const user = await readUser(tx, input.sid);
      if (user === null) return refuse('not_found', 'There is no user with this sid.');
      if (!(await setViewed(tx, session.sid, user.sid)))
        return refuse('state_conflict', 'This session has just ended. Sign in again.');
      await recordAudit(tx, call, {
        action: 'session.view-as',
        subject: user.sid,
        reason: input.reason,
        after: { session_sid: session.sid },
      });
      return { user_sid: user.sid, display_name: user.displayName };
    });
  },
});
