import { z } from 'zod';
import { refuse } from '../../domain/refusal.ts';
import { readUser } from '../../store/user.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { maySee } from '../visible.ts';
import { toUser, userSchema } from './user.ts';

export const userGet = operation({
  name: 'user.get',
  summary: 'Read a user',
  http: { method: 'get', path: '/v1/users/{sid}', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: userSchema,
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    const user = maySee(actor, input.sid) ? await readUser(house.db, input.sid) : null;
    return user === null ? refuse('not_found', 'There is no user with this sid.') : toUser(user);
  },
});
