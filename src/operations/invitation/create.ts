import { z } from 'zod';
import { composeInvitation } from '../../domain/mail/invitation.ts';
import type { Language } from '../../domain/language/language.ts';
import { INVITATION_DAYS, refusalOfInviting } from '../../domain/organisation/member.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { assert } from '../../domain/assert.ts';
import { MailNotSent } from '../../ports/ports.ts';
import { countInvitations, insertInvitation, type InvitationRow } from '../../store/invitation.ts';
import { readOrganisation } from '../../store/organisation.ts';
import { readUser } from '../../store/user.ts';
import { recordAudit } from '../audit/record.ts';
import type { House } from '../house.ts';
import { capField, readCap } from '../member/member.ts';
import { operation } from '../operation.ts';
import { lockedMembers } from '../organisation/organisation.ts';
import { sidField } from '../schema.ts';
import { emailField } from '../user/update.ts';
import { hashOfToken, INVITED_ROLES, invitationSchema, toInvitation } from './invitation.ts';

const DAY_MS = 86_400_000;

export const invitationCreate = operation({
  name: 'invitation.create',
  summary: 'Make a link by which somebody can join an organisation',
  description:
    'Whoever is signed in and opens the link can accept, once, within 7 days. The link is told this once; with an address it is mailed as well, ' +
    'and the answer says whether the mail server took it. For owners.',
  http: { method: 'post', path: '/v1/organisations/{sid}/invitations', status: 201 },
  access: 'user',
  right: 'secrets',
  idempotency: 'none',
  input: z.strictObject({
    sid: sidField,
    role: z.enum(INVITED_ROLES),
    monthly_cap: capField.default(null),
    email: emailField.optional().describe('Where to mail the link.'),
  }),
  output: z
    .object({
      ...invitationSchema.shape,
      token: z.string(),
      url: z.string().describe('The page that accepts it.'),
      is_mailed: z.boolean().describe('Whether a mail server took it. If not, pass the link on by yourself.'),
    })
    .meta({ id: 'InvitationWithToken' }),
  refusals: ['not_found', 'state_conflict', 'rate_limited'],
  async run(call, input) {
    const { house, actor } = call;
    const { db, ports } = house;
    const monthlyCap = readCap(input.role, input.monthly_cap);
    if (isRefusal(monthlyCap)) return monthlyCap;
    const token = Buffer.from(ports.random.bytes(32)).toString('base64url');
    const made = await db.transaction('invitation.create', async (tx) => {
      const members = await lockedMembers(tx, actor, input.sid, 'owner');
      if (isRefusal(members)) return members;
      const now = ports.clock.now();
      const since = new Date(now.getTime() - DAY_MS);
      const refused = refusalOfInviting(await countInvitations(tx, input.sid, { now, since }));
      if (refused) return refused;
      const organisation = await readOrganisation(tx, input.sid);
      assert(organisation !== null, 'what has members is an organisation');
      const row: InvitationRow = {
        sid: ports.ids.sid(),
        organisationSid: input.sid,
        organisationName: organisation.name,
        role: input.role,
        monthlyCap,
        email: input.email ?? null,
        createdAt: now,
        expiresAt: new Date(now.getTime() + INVITATION_DAYS * DAY_MS),
        outcome: null,
        endedBy: null,
      };
      await insertInvitation(tx, { ...row, tokenHash: hashOfToken(token), invitedBy: actor.id });
      const { role, monthly_cap: cap } = toInvitation(row);
      await recordAudit(tx, call, {
        action: 'invitation.create',
        subject: input.sid,
        after: { invitation_sid: row.sid, role, monthly_cap: cap, is_to_be_mailed: row.email !== null },
      });
      const inviter = actor.kind === 'user' ? await readUser(tx, actor.userSid) : null;
      return { row, language: inviter?.language ?? ('en' as const) };
    });
    if (isRefusal(made)) return made;
    const url = `${house.settings.publicUrl}/invitations/${token}`;
    return { ...toInvitation(made.row), token, url, is_mailed: await mailTo(house, made, url) };
  },
});

/**
 * Handed to the mail server here and now, and kept nowhere: the link would open the organisation to whoever reads kept mail. Should it get
 * lost, its owner still has the link, and can make another.
 */
async function mailTo(
  { mailer, ports }: House,
  { row, language }: { readonly row: InvitationRow; readonly language: Language },
  link: string,
): Promise<boolean> {
  if (mailer === null || row.email === null) return false;
  const letter = composeInvitation({ language, organisation: row.organisationName, days: INVITATION_DAYS, link });
  try {
    await mailer.send({ to: row.email, ...letter, id: row.sid });
    return true;
  } catch (error) {
    if (!(error instanceof MailNotSent)) throw error;
    ports.log.warn({ invitation_sid: row.sid, reason: error.message }, 'an invitation could not be mailed');
    return false;
  }
}
