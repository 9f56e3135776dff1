import { z } from 'zod';
import { isRefusal, refuse } from '../../domain/refusal.ts';
import { endInvitation } from '../../store/invitation.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { lockedMembers } from '../organisation/organisation.ts';
import { sidField } from '../schema.ts';

export const invitationRevoke = operation({
  name: 'invitation.revoke',
  summary: 'Make the link of an invitation worth nothing',
  http: { method: 'delete', path: '/v1/organisations/{sid}/invitations/{invitation_sid}', status: 200 },
  access: 'user',
  right: 'people',
  idempotency: 'none',
  input: z.strictObject({ sid: sidField, invitation_sid: sidField }),
  output: z.object({ sid: sidField.describe('The invitation.') }),
  refusals: ['not_found'],
  async run(call, input) {
    const { house, actor } = call;
    return house.db.transaction('invitation.revoke', async (tx) => {
      const members = await lockedMembers(tx, actor, input.sid, 'owner');
      if (isRefusal(members)) return members;
      const invitation = { sid: input.invitation_sid, organisationSid: input.sid };
      const end = { outcome: 'revoked', endedBy: actor.id, endedAt: house.ports.clock.now() } as const;
      if (!(await endInvitation(tx, invitation, end)))
        return refuse('not_found', 'There is no such invitation that waits for an answer.');
      await recordAudit(tx, call, {
        action: 'invitation.revoke',
        subject: input.sid,
        before: { invitation_sid: invitation.sid },
      });
      return { sid: invitation.sid };
    });
  },
});
