import { z } from 'zod';
import { assert } from '../../domain/assert.ts';
import { refusalOfAnother, refusalOfJoining } from '../../domain/organisation/member.ts';
import { isRefusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import { endInvitation, findInvitation } from '../../store/invitation.ts';
import { insertMembership, listMembers, lockMembers, readMembershipsOf } from '../../store/membership.ts';
import { readOrganisation } from '../../store/organisation.ts';
import { recordAudit } from '../audit/record.ts';
import { factsOf } from '../member/member.ts';
import { operation } from '../operation.ts';
import { organisationSchema, personOf, toOrganisation } from '../organisation/organisation.ts';
import { hashOfToken, noSuchInvitation, openInvitation, tokenField } from './invitation.ts';

export const invitationAccept = operation({
  name: 'invitation.accept',
  summary: 'Join the organisation of an invitation',
  description: 'Once. Sent again by the one who accepted, it answers as the first time while they are a member.',
  http: { method: 'post', path: '/v1/invitations/accept', status: 200 },
  access: 'user',
  right: 'people',
  idempotency: 'none',
  input: z.strictObject({ token: tokenField }),
  output: organisationSchema,
  refusals: ['forbidden', 'not_found', 'state_conflict'],
  async run(call, input) {
    const userSid = personOf(call.actor);
    if (isRefusal(userSid)) return userSid;
    const { db, ports } = call.house;
    return db.transaction('invitation.accept', async (tx) => {
      const now = ports.clock.now();
      const known = await findInvitation(tx, hashOfToken(input.token));
      if (known === null) return noSuchInvitation();
      const { organisationSid } = known;
      await lockMembers(tx, [organisationSid, userSid]);
      // Read again behind the locks: of two who accept, or accept and revoke, one comes first.
      const invitation = await openInvitation(tx, input.token, now);
      if (isRefusal(invitation)) return (await answerAgain(tx, input.token, userSid)) ?? invitation;
      const members = await listMembers(tx, organisationSid);
      const refused =
        refusalOfJoining(userSid, members) ?? refusalOfAnother((await readMembershipsOf(tx, userSid)).size);
      if (refused) return refused;
      if (!(await endInvitation(tx, invitation, { outcome: 'accepted', endedBy: userSid, endedAt: now })))
        return noSuchInvitation();
      const { role, monthlyCap } = invitation;
      await insertMembership(tx, { organisationSid, userSid, role, monthlyCap, joinedAt: now });
      await recordAudit(tx, call, {
        action: 'invitation.accept',
        subject: organisationSid,
        after: { invitation_sid: invitation.sid, ...factsOf({ userSid, role, monthlyCap }) },
      });
      const organisation = await readOrganisation(tx, organisationSid);
      assert(organisation !== null, 'an invitation is to an organisation');
      return toOrganisation(organisation, role);
    });
  },
});

/** For the one who accepted it and did not get the answer; null for everybody else. */
async function answerAgain(tx: Tx, token: string, userSid: string) {
  const invitation = await findInvitation(tx, hashOfToken(token));
  if (invitation?.outcome !== 'accepted' || invitation.endedBy !== userSid) return null;
  const role = (await readMembershipsOf(tx, userSid)).get(invitation.organisationSid);
  const organisation = role === undefined ? null : await readOrganisation(tx, invitation.organisationSid);
  return organisation && toOrganisation(organisation, role ?? null);
}
