import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { listOpenInvitations } from '../../store/invitation.ts';
import { operation } from '../operation.ts';
import { visibleOrganisation } from '../organisation/organisation.ts';
import { sidField } from '../schema.ts';
import { invitationSchema, toInvitation } from './invitation.ts';

export const invitationList = operation({
  name: 'invitation.list',
  summary: 'List the invitations of an organisation that wait for an answer',
  http: { method: 'get', path: '/v1/organisations/{sid}/invitations', status: 200 },
  access: 'user',
  member: 'owner',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField }),
  output: z.object({ items: z.array(invitationSchema), next_cursor: z.null() }),
  refusals: ['not_found'],
  async run({ house, actor }, input) {
    const organisation = await visibleOrganisation(house.db, actor, input.sid);
    if (isRefusal(organisation)) return organisation;
    const rows = await listOpenInvitations(house.db, input.sid, house.ports.clock.now());
    return { items: rows.map(toInvitation), next_cursor: null };
  },
});
