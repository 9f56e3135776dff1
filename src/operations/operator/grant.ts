import { z } from 'zod';
import { OPERATOR_ROLES } from '../../domain/identity/role.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { operation } from '../operation.ts';
import { sidField, textField } from '../schema.ts';
import { changeRole } from './change-role.ts';

export const operatorGrant = operation({
  name: 'operator.grant',
  summary: 'Make a user an operator, or another kind of operator',
  description:
    'Instead of what an admin made of them before. What the configuration or their provider gives them stays beside it; the strongest counts. ' +
    'All their sessions end: they sign in again as what they are now.',
  http: { method: 'post', path: '/v1/operators/{sid}/grant', status: 200 },
  access: 'operator',
  right: 'people',
  idempotency: 'none',
  input: z.strictObject({
    sid: sidField.describe('Of the user.'),
    role: z.enum(OPERATOR_ROLES),
    reason: textField(500).optional(),
  }),
  output: z.object({
    user_sid: sidField,
    role: z.enum(OPERATOR_ROLES),
    sessions_ended: z.int(),
  }),
  refusals: ['not_found', 'state_conflict'],
  async run(call, input) {
    const { sid: userSid, role, reason = null } = input;
    return call.house.db.transaction('operator.grant', async (tx) => {
      const changed = await changeRole(tx, call, { userSid, role, reason });
      return isRefusal(changed) ? changed : { user_sid: userSid, role, sessions_ended: changed.ended };
    });
  },
});
