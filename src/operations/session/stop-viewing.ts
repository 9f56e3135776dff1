import { z } from 'zod';
import { setViewed } from '../../store/session.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';

export const sessionStopViewing = operation({
  name: 'session.stop-viewing',
  summary: 'Stop seeing the pages of a user as they do',
  description: 'Safe to repeat: who does not look at anybody goes on as before.',
  http: { method: 'post', path: '/v1/session/stop-viewing', status: 200 },
  access: 'user',
  right: 'look',
  endsViewing: true,
  idempotency: 'none',
  input: z.strictObject({}),
  output: z.object({ was_viewing: z.boolean() }),
  refusals: [],
  async run(call) {
    const { house, actor } = call;
    if (actor.kind !== 'user' || actor.viewer === undefined || actor.credential === undefined)
      return { was_viewing: false };
    const { viewer, userSid, credential } = actor;
    return house.db.transaction('session.stop_viewing', async (tx) => {
      await setViewed(tx, credential.sid, null);
      const author = { ...call, actor: { id: viewer } };
      await recordAudit(tx, author, {
        action: 'session.stop-viewing',
        subject: userSid,
        after: { session_sid: credential.sid },
      });
      return { was_viewing: true };
    });
  },
});
