import { z } from 'zod';
import { refuse } from '../../domain/refusal.ts';
import { revokeSessionsOf } from '../../store/session.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { maySee } from '../visible.ts';

export const sessionRevoke = operation({
  name: 'session.revoke',
  summary: 'End one session of a user, or all of them but the one that asks',
  description:
    'Ended sessions are dead at once, in every process. Without session_sid all of them end, except the one that asks.',
  http: { method: 'post', path: '/v1/users/{sid}/sessions/revoke', status: 200 },
  access: 'user',
  right: 'people',
  forSelf: true,
  idempotency: 'none',
  input: z.strictObject({ sid: sidField, session_sid: sidField.optional() }),
  output: z.object({ revoked: z.int().describe('How many were open until now.') }),
  refusals: ['not_found'],
  async run(call, input) {
    const { house, actor } = call;
    if (!maySee(actor, input.sid)) return refuse('not_found', 'There is no user with this sid.');
    const current = 'credential' in actor ? (actor.credential?.sid ?? null) : null;
    const only = input.session_sid ?? null;
    return house.db.transaction('session.revoke', async (tx) => {
      const which = only === null ? { except: current } : { only };
      const revoked = await revokeSessionsOf(tx, input.sid, which, house.ports.clock.now());
      if (revoked.length > 0)
        await recordAudit(tx, call, {
          action: 'session.revoke',
          subject: input.sid,
          after: { sessions: revoked.length },
        });
      return { revoked: revoked.length };
    });
  },
});
