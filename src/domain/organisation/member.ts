import type { MemberRole } from '../identity/role.ts';
import { refuse, type Refusal } from '../refusal.ts';

/** People in one organisation: past that it is no wallet that people share, but a business with accounts of its own. */
export const MEMBERS_MAX = 100;
/** Organisations of one user, made or joined. */
export const ORGANISATIONS_MAX = 20;
/** Open invitations of one organisation, and how many it may make in a day: each may be a mail to a stranger. */
export const INVITATIONS_OPEN_MAX = 20;
export const INVITATIONS_A_DAY_MAX = 40;
export const INVITATION_DAYS = 7;

/** What the rules look at. */
export interface MemberFacts {
  readonly userSid: string;
  readonly role: MemberRole;
}

/** Whether it would leave the organisation without an owner if this one were none any more; null means go ahead. */
export function refusalOfLosing(userSid: string, members: readonly MemberFacts[]): Refusal | null {
  const owners = members.filter(({ role }) => role === 'owner');
  if (owners.length !== 1 || owners[0]?.userSid !== userSid) return null;
  return refuse('state_conflict', 'This is the last owner. Make another member an owner first.');
}

export function refusalOfJoining(userSid: string, members: readonly MemberFacts[]): Refusal | null {
  if (members.some((member) => member.userSid === userSid))
    return refuse('state_conflict', 'You are in this organisation already.');
  if (members.length < MEMBERS_MAX) return null;
  return refuse('state_conflict', 'The organisation has as many members as it may have.', {
    details: { members_max: MEMBERS_MAX },
  });
}

export function refusalOfAnother(organisations: number): Refusal | null {
  if (organisations < ORGANISATIONS_MAX) return null;
  return refuse('state_conflict', 'You are in as many organisations as you may be in. Leave one first.', {
    details: { organisations_max: ORGANISATIONS_MAX },
  });
}

export function refusalOfInviting(made: { readonly open: number; readonly today: number }): Refusal | null {
  if (made.open >= INVITATIONS_OPEN_MAX)
    return refuse('state_conflict', 'Too many invitations wait for an answer. Revoke one first.', {
      details: { invitations_open_max: INVITATIONS_OPEN_MAX },
    });
  if (made.today < INVITATIONS_A_DAY_MAX) return null;
  return refuse('rate_limited', 'Too many invitations were made within a day. Make the next one tomorrow.', {
    details: { invitations_a_day_max: INVITATIONS_A_DAY_MAX },
    retryAfterSeconds: 3_600,
  });
}
