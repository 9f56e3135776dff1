import { z } from 'zod';
import { refuse } from '../../domain/refusal.ts';
import { readQuietHours } from '../../store/notice-setting.ts';
import { readUser } from '../../store/user.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { maySee } from '../visible.ts';
import { noticeSchema, toNotice } from './notice.ts';

export const noticeGet = operation({
  name: 'notice.get',
  summary: 'Read when a user is not written to',
  http: { method: 'get', path: '/v1/users/{sid}/notices', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: noticeSchema,
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    const user = maySee(actor, input.sid) ? await readUser(house.db, input.sid) : null;
    if (user === null) return refuse('not_found', 'There is no user with this sid.');
    return toNotice(user.sid, await readQuietHours(house.db, user.sid));
  },
});
