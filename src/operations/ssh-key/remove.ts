import { z } from 'zod';
import { refuse } from '../../domain/refusal.ts';
import { deleteSshKey, readSshKey } from '../../store/ssh-key.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { actsFor } from '../visible.ts';
import { sshKeySchema, toSshKey } from './ssh-key.ts';

export const sshKeyRemove = operation({
  name: 'ssh-key.remove',
  summary: 'Remove an SSH key',
  description: 'VMs that were asked for before keep it: what may come in there is changed on the VM itself.',
  http: { method: 'post', path: '/v1/ssh-keys/{sid}/remove', status: 200 },
  access: 'user',
  right: 'secrets',
  forSelf: true,
  // A key goes once; then there is none.
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: sshKeySchema,
  refusals: ['not_found'],
  async run(call, input) {
    return await call.house.db.transaction('ssh-key.remove', async (tx) => {
      const key = await readSshKey(tx, input.sid);
      const isTheirs = key !== null && actsFor(call.actor, key.userSid);
      if (!isTheirs || !(await deleteSshKey(tx, key.sid)))
        return refuse('not_found', 'There is no SSH key with this sid.');
      await recordAudit(tx, call, {
        action: 'ssh-key.remove',
        subject: key.sid,
        before: { user_sid: key.userSid, fingerprint: key.fingerprint },
      });
      return toSshKey(key);
    });
  },
});
