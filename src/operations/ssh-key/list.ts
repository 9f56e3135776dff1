import { z } from 'zod';
import { isRefusal, refuse } from '../../domain/refusal.ts';
import { listSshKeys } from '../../store/ssh-key.ts';
import { operation } from '../operation.ts';
import { pageInput, pageOf, pageOutput, readCursor } from '../page.ts';
import { sidField } from '../schema.ts';
import { actsFor } from '../visible.ts';
import { ownerOf } from './add.ts';
import { sshKeySchema, toSshKey } from './ssh-key.ts';

export const sshKeyList = operation({
  name: 'ssh-key.list',
  summary: 'List a user’s SSH keys, newest first',
  http: { method: 'get', path: '/v1/ssh-keys', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({ user_sid: sidField.optional().describe('Whose; left out: your own.'), ...pageInput }),
  output: pageOutput(sshKeySchema),
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    const before = readCursor(house, 'ssh-key.list', input.cursor);
    if (isRefusal(before)) return before;
    const userSid = input.user_sid ?? ownerOf(actor);
    if (isRefusal(userSid)) return userSid;
    if (!actsFor(actor, userSid)) return refuse('not_found', 'There is no user with this sid.');
    const rows = await listSshKeys(house.db, { userSid, before, limit: input.limit + 1 });
    return pageOf(house, 'ssh-key.list', rows, input.limit, (key) => key.sid, toSshKey);
  },
});
