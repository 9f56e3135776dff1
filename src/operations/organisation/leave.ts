import { z } from 'zod';
import { refusalOfLosing } from '../../domain/organisation/member.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { endMembership } from '../../store/membership.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { sidField } from '../schema.ts';
import { lockedMembers, personOf } from './organisation.ts';

export const organisationLeave = operation({
  name: 'organisation.leave',
  summary: 'Leave an organisation, unless you are its last owner',
  http: { method: 'post', path: '/v1/organisations/{sid}/leave', status: 200 },
  access: 'user',
  right: 'people',
  member: 'viewer',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: z.object({ sid: sidField.describe('The organisation that was left.') }),
  refusals: ['forbidden', 'not_found', 'state_conflict'],
  async run(call, input) {
    const { house, actor } = call;
    const userSid = personOf(actor);
    if (isRefusal(userSid)) return userSid;
    return house.db.transaction('organisation.leave', async (tx) => {
      const members = await lockedMembers(tx, actor, input.sid, 'viewer');
      if (isRefusal(members)) return members;
      const refused = refusalOfLosing(userSid, members);
      if (refused) return refused;
      await endMembership(tx, { organisationSid: input.sid, userSid }, house.ports.clock.now());
      const before = { role: members.find((member) => member.userSid === userSid)?.role ?? null };
      await recordAudit(tx, call, { action: 'organisation.leave', subject: input.sid, before });
      return { sid: input.sid };
    });
  },
});
