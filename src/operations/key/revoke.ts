import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { revokeKey } from '../../store/key.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { keySchema, ownKey, toKey } from './key.ts';

export const keyRevoke = operation({
  name: 'key.revoke',
  summary: 'End a key at once and for good, in every process',
  description: 'Also the key before its last rotation. Safe to repeat. Operators may do it for whoever cannot.',
  http: { method: 'post', path: '/v1/keys/{sid}/revoke', status: 200 },
  access: 'user',
  // To end something takes no fresh sign-in: whoever finds a key in the wrong place must not be held up.
  right: 'people',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: keySchema,
  refusals: ['not_found'],
  async run(call, input) {
    const { house } = call;
    return house.db.transaction('key.revoke', async (tx) => {
      const before = await ownKey(tx, call.actor, input.sid);
      if (isRefusal(before)) return before;
      const after = await revokeKey(tx, before.sid, house.ports.clock.now());
      assert(after !== null, 'the key is locked');
      if (before.revokedAt === null)
        await recordAudit(tx, call, { action: 'key.revoke', subject: after.sid, after: { key_id: after.keyId } });
      return toKey(house, after);
    });
  },
});
