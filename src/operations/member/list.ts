import { z } from 'zod';
import { monthStartOf } from '../../domain/organisation/cap.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { listMembers, readSpentOf } from '../../store/membership.ts';
import { operation } from '../operation.ts';
import { visibleOrganisation } from '../organisation/organisation.ts';
import { sidField } from '../schema.ts';
import { memberSchema, toMember } from './member.ts';

export const memberList = operation({
  name: 'member.list',
  summary: 'List who is in an organisation, as what, and what they spent this month',
  http: { method: 'get', path: '/v1/organisations/{sid}/members', status: 200 },
  access: 'user',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: z.object({ items: z.array(memberSchema), next_cursor: z.null() }),
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    const organisation = await visibleOrganisation(house.db, actor, input.sid);
    if (isRefusal(organisation)) return organisation;
    const members = await listMembers(house.db, input.sid);
    const spent = await readSpentOf(house.db, input.sid, monthStartOf(house.ports.clock.now()));
    return { items: members.map((member) => toMember(member, spent.get(member.userSid))), next_cursor: null };
  },
});
