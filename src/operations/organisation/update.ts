import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { readOrganisation, updateOrganisation } from '../../store/organisation.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { emailField } from '../user/update.ts';
import { lockedMembers, nameField, organisationSchema, roleIn, toOrganisation } from './organisation.ts';

export const organisationUpdate = operation({
  name: 'organisation.update',
  summary: 'Change the name of an organisation, and where it is written to',
  description: 'Fields that are left out stay; an e-mail address of null ends mail. For owners.',
  http: { method: 'patch', path: '/v1/organisations/{sid}', status: 200 },
  access: 'user',
  right: 'people',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField, name: nameField.optional(), email: emailField.nullable().optional() }),
  output: organisationSchema,
  refusals: ['not_found'],
  async run(call, input) {
    const { house, actor } = call;
    return house.db.transaction('organisation.update', async (tx) => {
      const members = await lockedMembers(tx, actor, input.sid, 'owner');
      if (isRefusal(members)) return members;
      const before = await readOrganisation(tx, input.sid);
      assert(before !== null, 'what has members is an organisation');
      const after = {
        ...before,
        name: input.name ?? before.name,
        email: input.email === undefined ? before.email : input.email,
      };
      await updateOrganisation(tx, after);
      await recordAudit(tx, call, {
        action: 'organisation.update',
        subject: before.sid,
        before: { name: before.name, has_email: before.email !== null },
        after: { name: after.name, has_email: after.email !== null, is_email_changed: after.email !== before.email },
      });
      return toOrganisation(after, roleIn(actor, input.sid));
    });
  },
});
