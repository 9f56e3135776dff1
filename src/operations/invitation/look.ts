import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { operation } from '../operation.ts';
import { openInvitation, invitationSchema, toInvitation, tokenField } from './invitation.ts';

const { role, monthly_cap, expires_at } = invitationSchema.shape;

export const invitationLook = operation({
  name: 'invitation.look',
  summary: 'Read what an invitation is to, before it is answered',
  http: { method: 'post', path: '/v1/invitations/look', status: 200 },
  access: 'user',
  right: 'look',
  idempotency: 'none',
  input: z.strictObject({ token: tokenField }),
  output: z.object({ organisation_name: z.string(), role, monthly_cap, expires_at }).meta({ id: 'InvitationLook' }),
  refusals: ['not_found'],
  async run({ house }, input) {
    const row = await openInvitation(house.db, input.token, house.ports.clock.now());
    if (isRefusal(row)) return row;
    const invitation = toInvitation(row);
    return {
      organisation_name: row.organisationName,
      role: invitation.role,
      monthly_cap: invitation.monthly_cap,
      expires_at: invitation.expires_at,
    };
  },
});
