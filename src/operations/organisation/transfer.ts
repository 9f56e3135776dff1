import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { setMembership } from '../../store/membership.ts';
import { readOrganisation } from '../../store/organisation.ts';
import { recordAudit } from '../audit/record.ts';
import { noSuchMember } from '../member/member.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { lockedMembers, organisationSchema, toOrganisation } from './organisation.ts';

export const organisationTransfer = operation({
  name: 'organisation.transfer',
  summary: 'Make a member the owner in the place of the one who asks',
  description:
    'The owner who asks becomes a member without a cap; other owners stay owners. Asked by an operator, for an organisation whose owner ' +
    'is gone, nobody stops being one.',
  http: { method: 'post', path: '/v1/organisations/{sid}/transfer', status: 200 },
  access: 'user',
  // Nothing is worth more to a stranger at an open browser than the wallet itself: it takes a fresh proof.
  right: 'secrets',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField, user_sid: sidField.describe('A member of the organisation.') }),
  output: organisationSchema,
  refusals: ['not_found'],
  async run(call, input) {
    const { house, actor } = call;
    const { sid: organisationSid, user_sid: userSid } = input;
    return house.db.transaction('organisation.transfer', async (tx) => {
      const members = await lockedMembers(tx, actor, organisationSid, 'owner');
      if (isRefusal(members)) return members;
      const heir = members.find((member) => member.userSid === userSid);
      if (!heir) return noSuchMember();
      const giver = actor.kind === 'user' ? actor.userSid : null;
      await setMembership(tx, { organisationSid, userSid, role: 'owner', monthlyCap: null });
      const isGiven = giver !== null && giver !== userSid;
      if (isGiven) await setMembership(tx, { organisationSid, userSid: giver, role: 'member', monthlyCap: null });
      await recordAudit(tx, call, {
        action: 'organisation.transfer',
        subject: organisationSid,
        before: { user_sid: userSid, role: heir.role },
        after: { owner_sid: userSid, was_owner_sid: isGiven ? giver : null },
      });
      const organisation = await readOrganisation(tx, organisationSid);
      assert(organisation !== null, 'what has members is an organisation');
      const role = giver === null ? null : isGiven ? 'member' : 'owner';
      return toOrganisation(organisation, role);
    });
  },
});
