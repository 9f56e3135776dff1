import { z } from 'zod';
import { isRefusal } from '../../domain/refusal.ts';
import { endInvitation } from '../../store/invitation.ts';
import { recordAudit } from '../audit/record.ts';
import { operation } from '../operation.ts';
import { personOf } from '../organisation/organisation.ts';
import { noSuchInvitation, openInvitation, tokenField } from './invitation.ts';

export const invitationDecline = operation({
  name: 'invitation.decline',
  summary: 'Say no to an invitation: its link is worth nothing from then on',
  http: { method: 'post', path: '/v1/invitations/decline', status: 200 },
  access: 'user',
  right: 'people',
  idempotency: 'none',
  input: z.strictObject({ token: tokenField }),
  output: z.object({ organisation_name: z.string() }),
  refusals: ['forbidden', 'not_found'],
  async run(call, input) {
    const userSid = personOf(call.actor);
    if (isRefusal(userSid)) return userSid;
    const { db, ports } = call.house;
    return db.transaction('invitation.decline', async (tx) => {
      const now = ports.clock.now();
      const invitation = await openInvitation(tx, input.token, now);
      if (isRefusal(invitation)) return invitation;
      if (!(await endInvitation(tx, invitation, { outcome: 'declined', endedBy: userSid, endedAt: now })))
        return noSuchInvitation();
      await recordAudit(tx, call, {
        action: 'invitation.decline',
        subject: invitation.organisationSid,
        before: { invitation_sid: invitation.sid },
      });
      return { organisation_name: invitation.organisationName };
    });
  },
});
