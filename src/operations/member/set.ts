import { z } from 'zod';
import { MEMBER_ROLES } from '../../domain/identity/role.ts';
import { formatDecimal } from '../../domain/money.ts';
import { monthStartOf } from '../../domain/organisation/cap.ts';
import { refusalOfLosing } from '../../domain/organisation/member.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { readSpentOf, setMembership } from '../../store/membership.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { lockedMembers } from '../organisation/organisation.ts';
import { sidField } from '../schema.ts';
import { capField, factsOf, memberSchema, noSuchMember, readCap, toMember } from './member.ts';

export const memberSet = operation({
  name: 'member.set',
  summary: 'Change what somebody may do in an organisation, and their monthly cap',
  description:
    'Fields that are left out stay; the cap ends with the role of a member. A lower cap counts for what is asked from then on. For owners.',
  http: { method: 'patch', path: '/v1/organisations/{sid}/members/{user_sid}', status: 200 },
  access: 'user',
  // It decides who may spend: it takes a fresh proof.
  right: 'secrets',
  idempotency: 'none',
  input: z.strictObject({
    sid: sidField,
    user_sid: sidField,
    role: z.enum(MEMBER_ROLES).optional(),
    monthly_cap: capField.optional(),
  }),
  output: memberSchema,
  refusals: ['not_found', 'state_conflict'],
  async run(call, input) {
    const { house, actor } = call;
    return house.db.transaction('member.set', async (tx) => {
      const members = await lockedMembers(tx, actor, input.sid, 'owner');
      if (isRefusal(members)) return members;
      const before = members.find(({ userSid }) => userSid === input.user_sid);
      if (!before) return noSuchMember();
      const role = input.role ?? before.role;
      const kept = role === 'member' && before.monthlyCap !== null ? formatDecimal(before.monthlyCap) : null;
      const monthlyCap = readCap(role, input.monthly_cap === undefined ? kept : input.monthly_cap);
      if (isRefusal(monthlyCap)) return monthlyCap;
      const refused = role === 'owner' ? null : refusalOfLosing(before.userSid, members);
      if (refused) return refused;
      const after = { ...before, role, monthlyCap };
      await setMembership(tx, after);
      const change = { action: 'member.set', subject: input.sid };
      await recordAudit(tx, call, { ...change, before: factsOf(before), after: factsOf(after) });
      const spent = await readSpentOf(tx, input.sid, monthStartOf(house.ports.clock.now()));
      return toMember(after, spent.get(after.userSid));
    });
  },
});
