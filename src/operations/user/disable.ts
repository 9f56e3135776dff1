import { z } from 'zod';
import { refuse } from '../../domain/refusal.ts';
import { lockRoles } from '../../store/operator-role.ts';
import { revokeSessionsOf } from '../../store/session.ts';
import { readUser, setDisabled } from '../../store/user.ts';
import { recordAudit } from '../audit/record.ts';
import { isAdminLeft, lastAdmin } from '../operator/change-role.ts';
import { operation } from '../operation.ts';
import { sidField, textField } from '../schema.ts';
import { toUser, userSchema } from './user.ts';

export const userDisable = operation({
  name: 'user.disable',
  summary: 'Bar a user: sessions and keys are dead at once, in every process',
  description:
    'Only the person is barred: the wallet keeps its money, usage is charged and payments under way are credited. Freeze the wallet to stop ' +
    'spending too.',
  http: { method: 'post', path: '/v1/users/{sid}/disable', status: 200 },
  access: 'operator',
  right: 'people',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField, reason: textField(500) }),
  output: userSchema,
  refusals: ['not_found', 'state_conflict'],
  async run(call, input) {
    const { house, actor } = call;
    const now = house.ports.clock.now();
    return house.db.transaction('user.disable', async (tx) => {
      await lockRoles(tx);
      const user = await readUser(tx, input.sid);
      if (user === null) return refuse('not_found', 'There is no user with this sid.');
      if (user.disabledAt !== null) return toUser(user);
      if (actor.kind === 'operator' && actor.userSid === user.sid)
        return refuse('state_conflict', 'This is yourself: another admin has to do it.');
      if (!(await isAdminLeft(tx, house, user.sid, { keepsOther: false }))) return lastAdmin();
      await setDisabled(tx, user.sid, now);
      const ended = await revokeSessionsOf(tx, user.sid, {}, now);
      await recordAudit(tx, call, {
        action: 'user.disable',
        subject: user.sid,
        reason: input.reason,
        after: { sessions_ended: ended.length },
      });
      return toUser({ ...user, disabledAt: now });
    });
  },
});
