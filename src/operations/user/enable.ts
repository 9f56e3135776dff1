import { z } from 'zod';
import { refuse } from '../../domain/refusal.ts';
import { lockRoles } from '../../store/operator-role.ts';
import { readUser, setDisabled } from '../../store/user.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { sidField, textField } from '../schema.ts';
import { toUser, userSchema } from './user.ts';

export const userEnable = operation({
  name: 'user.enable',
  summary: 'Let a user in again who was barred',
  description: 'Sessions that ended stay ended; keys that were not revoked work again.',
  http: { method: 'post', path: '/v1/users/{sid}/enable', status: 200 },
  access: 'operator',
  right: 'people',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField, reason: textField(500).optional() }),
  output: userSchema,
  refusals: ['not_found', 'state_conflict'],
  async run(call, input) {
    const { house } = call;
    return house.db.transaction('user.enable', async (tx) => {
      // Whoever disables holds it: of two at once the later one sees what the earlier one did.
      await lockRoles(tx);
      const user = await readUser(tx, input.sid);
      if (user === null) return refuse('not_found', 'There is no user with this sid.');
      if (user.disabledAt === null) return toUser(user);
      if (!(await setDisabled(tx, user.sid, null))) return refuse('state_conflict', 'This account is deleted.');
      await recordAudit(tx, call, {
        action: 'user.enable',
        subject: user.sid,
        reason: input.reason ?? null,
        before: { disabled_at: user.disabledAt.toISOString() },
      });
      return toUser({ ...user, disabledAt: null });
    });
  },
});
