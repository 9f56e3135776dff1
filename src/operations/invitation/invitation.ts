import { createHash } from 'node:crypto';
import { z } from 'zod';
import { MEMBER_ROLES } from '../../domain/identity/role.ts';
import { formatDecimal } from '../../domain/money.ts';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import { findInvitation, type InvitationRow } from '../../store/invitation.ts';
import { instant, sidField, signedAmount } from '../schema.ts';

/** Owners are made of members, by `member.set` or `organisation.transfer`: a link may get into wrong hands. */
export const INVITED_ROLES = ['viewer', 'member'] as const satisfies readonly (typeof MEMBER_ROLES)[number][];

export const invitationSchema = z
  .object({
    sid: sidField,
    organisation_sid: sidField,
    role: z.enum(INVITED_ROLES),
    monthly_cap: signedAmount.nullable().describe('What they may spend in a UTC month; null: no limit.'),
    email: z.string().nullable().describe('Where the invitation was to be mailed; null: nowhere.'),
    created_at: instant,
    expires_at: instant,
  })
  .meta({ id: 'Invitation' });

export const toInvitation = (row: InvitationRow): z.input<typeof invitationSchema> => ({
  sid: row.sid,
  organisation_sid: row.organisationSid,
  role: row.role,
  monthly_cap: row.monthlyCap === null ? null : formatDecimal(row.monthlyCap),
  email: row.email,
  created_at: row.createdAt.toISOString(),
  expires_at: row.expiresAt.toISOString(),
});

/** 256 random bits in base64url. */
export const tokenField = z
  .string()
  .min(1)
  .max(100)
  .describe('The last part of the link. Sent in the body, so that no log of addresses has it.');

export const hashOfToken = (token: string): Uint8Array => createHash('sha256').update(`invitation:${token}`).digest();

/** What never was, was used and is over look alike: whoever tries tokens learns nothing. */
export const noSuchInvitation = (): Refusal =>
  refuse('not_found', 'This invitation is not valid, or not any more. Ask for a new one.');

/** An invitation that can still be answered. */
export async function openInvitation(tx: Tx, token: string, now: Date): Promise<InvitationRow | Refusal> {
  const invitation = await findInvitation(tx, hashOfToken(token));
  const isOpen = invitation !== null && invitation.outcome === null && invitation.expiresAt > now;
  return isOpen ? invitation : noSuchInvitation();
}
