import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { isRefusal, refuse } from '../../domain/refusal.ts';
import { rotateKey } from '../../store/key.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { keyToHold, keyWithSecretSchema, overlapField, stateOf, toKey } from './key.ts';
import { makeKey } from './new-key.ts';
import { tellOwner } from './tell-owner.ts';

export const keyRotate = operation({
  name: 'key.rotate',
  summary: 'Give a script a new key, with a while in which the old one is good too',
  description:
    'Name, scopes and expiry stay. A call that was sent with the old key and is repeated with the new one is done once.',
  http: { method: 'post', path: '/v1/keys/{sid}/rotate', status: 200 },
  access: 'user',
  right: 'secrets',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField, overlap_seconds: overlapField }),
  output: keyWithSecretSchema,
  refusals: ['not_found', 'state_conflict'],
  async run(call, input) {
    const { house } = call;
    const { text, ...key } = makeKey(house, 'user');
    return house.db.transaction('key.rotate', async (tx) => {
      const before = await keyToHold(tx, call.actor, input.sid);
      if (isRefusal(before)) return before;
      // An attempt whose commit came through and whose answer was lost: once more would end the old key now.
      if (before.keyId === key.keyId) return { ...toKey(house, before), key: text };
      const now = house.ports.clock.now();
      const state = stateOf(before, now);
      if (state !== 'live')
        return refuse('state_conflict', `This key is ${state}. Make a new one.`, { details: { state } });
      const after = await rotateKey(tx, before.sid, key, new Date(now.getTime() + input.overlap_seconds * 1_000));
      assert(after !== null, 'the key is locked');
      await recordAudit(tx, call, {
        action: 'key.rotate',
        subject: before.sid,
        before: { key_id: before.keyId },
        after: { key_id: after.keyId, overlap_seconds: input.overlap_seconds },
      });
      await tellOwner(tx, house, 'key.rotated', after);
      return { ...toKey(house, after), key: text };
    });
  },
});
