import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { operation } from '../operation.ts';
import { sidField, textField } from '../schema.ts';
import { changeRole } from './change-role.ts';

export const operatorRevoke = operation({
  name: 'operator.revoke',
  summary: 'Take away what an admin made of a user',
  description:
    'What the configuration or their provider gives them stays. All their sessions end. The last admin is kept where there is no admin secret.',
  http: { method: 'post', path: '/v1/operators/{sid}/revoke', status: 200 },
  access: 'operator',
  right: 'people',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField.describe('Of the user.'), reason: textField(500).optional() }),
  output: z.object({ user_sid: sidField, sessions_ended: z.int() }),
  refusals: ['not_found', 'state_conflict'],
  async run(call, input) {
    const { sid: userSid, reason = null } = input;
    return call.house.db.transaction('operator.revoke', async (tx) => {
      const changed = await changeRole(tx, call, { userSid, role: null, reason });
      return isRefusal(changed) ? changed : { user_sid: userSid, sessions_ended: changed.ended };
    });
  },
});
