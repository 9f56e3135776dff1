import { z } from 'zod';
import { refusalOfLosing } from '../../domain/organisation/member.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { endMembership } from '../../store/membership.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { lockedMembers } from '../organisation/organisation.ts';
import { sidField } from '../schema.ts';
import { factsOf, noSuchMember } from './member.ts';

export const memberRemove = operation({
  name: 'member.remove',
  summary: 'Take somebody out of an organisation, unless they are its last owner',
  description:
    'At once. What their holds have set aside stays so until it is captured, released or expires. For owners.',
  http: { method: 'delete', path: '/v1/organisations/{sid}/members/{user_sid}', status: 200 },
  access: 'user',
  right: 'people',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField, user_sid: sidField }),
  output: z.object({ organisation_sid: sidField, user_sid: sidField }),
  refusals: ['not_found', 'state_conflict'],
  async run(call, input) {
    const { house, actor } = call;
    const { sid: organisationSid, user_sid: userSid } = input;
    return house.db.transaction('member.remove', async (tx) => {
      const members = await lockedMembers(tx, actor, organisationSid, 'owner');
      if (isRefusal(members)) return members;
      const before = members.find((member) => member.userSid === userSid);
      if (!before) return noSuchMember();
      const refused = refusalOfLosing(userSid, members);
      if (refused) return refused;
      await endMembership(tx, before, house.ports.clock.now());
      await recordAudit(tx, call, { action: 'member.remove', subject: organisationSid, before: factsOf(before) });
      return { organisation_sid: organisationSid, user_sid: userSid };
    });
  },
});
