import { z } from 'zod';
import { refuse } from '../../domain/refusal.ts';
import { deleteIdentity, listIdentities, lockIdentitiesOf } from '../../store/identity.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { maySee } from '../visible.ts';
import { identitySchema, toIdentity } from './list.ts';

export const identityUnlink = operation({
  name: 'identity.unlink',
  summary: 'Take away one way in which a user can sign in, unless it is the last',
  http: { method: 'delete', path: '/v1/users/{sid}/identities/{identity_sid}', status: 200 },
  access: 'user',
  right: 'secrets',
  forSelf: true,
  idempotency: 'none',
  input: z.strictObject({ sid: sidField, identity_sid: sidField }),
  output: identitySchema,
  refusals: ['not_found', 'state_conflict'],
  async run(call, input) {
    const { house, actor } = call;
    return house.db.transaction('identity.unlink', async (tx) => {
      if (!maySee(actor, input.sid) || !(await lockIdentitiesOf(tx, input.sid)))
        return refuse('not_found', 'There is no user with this sid.');
      const all = await listIdentities(tx, input.sid);
      const identity = all.find(({ sid }) => sid === input.identity_sid);
      if (!identity) return refuse('not_found', 'This user has no such identity.');
      if (all.length === 1)
        return refuse('state_conflict', 'This is the last way in which this user can sign in. Link another one first.');
      await deleteIdentity(tx, identity.sid);
      const before = { kind: identity.kind, issuer: identity.issuer };
      await recordAudit(tx, call, { action: 'identity.unlink', subject: input.sid, before });
      return toIdentity(identity);
    });
  },
});
