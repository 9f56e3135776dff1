import { z } from 'zod';
import { memberReaches, MEMBER_ROLES, type MemberRole } from '../../domain/identity/role.ts';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import { listMembers, lockMembers, type MembershipRow } from '../../store/membership.ts';
import { readOrganisation, type OrganisationRow } from '../../store/organisation.ts';
import type { Actor } from '../operation.ts';
import { instant, sidField, textField } from '../schema.ts';
import { maySee } from '../visible.ts';

export const organisationSchema = z
  .object({
    sid: sidField.describe('Also the user_sid of its wallet.'),
    name: z.string(),
    email: z.string().nullable().describe('Where its mail goes; null: nowhere. Not proven to be theirs.'),
    wallet_sid: sidField,
    role: z.enum(MEMBER_ROLES).nullable().describe('What the caller is in it; null: an operator, who is not in it.'),
    members: z.int().describe('How many people are in it.'),
    created_at: instant,
  })
  .meta({ id: 'Organisation' });

export const nameField = textField(100).describe('What members and receipts call it.');

export function toOrganisation(row: OrganisationRow, role: MemberRole | null): z.input<typeof organisationSchema> {
  return {
    sid: row.sid,
    name: row.name,
    email: row.email,
    wallet_sid: row.walletSid,
    role,
    members: Number(row.members),
    created_at: row.createdAt.toISOString(),
  };
}

/** What the caller is in an organisation, as far as the operation needs it. */
export const roleIn = (actor: Actor, sid: string): MemberRole | null =>
  actor.kind === 'user' ? (actor.memberships?.get(sid) ?? null) : null;

export const noSuchOrganisation = (): Refusal => refuse('not_found', 'There is no organisation with this sid.');

/** An organisation that the caller reaches. What is not theirs answers exactly as what is not there. */
export async function visibleOrganisation(tx: Tx, actor: Actor, sid: string): Promise<OrganisationRow | Refusal> {
  const organisation = maySee(actor, sid) ? await readOrganisation(tx, sid) : null;
  return organisation ?? noSuchOrganisation();
}

/**
 * The members of an organisation whose members are about to change, locked until the transaction ends.
 *
 * Refuses not_found when there is none, and when the caller, since the request began, is not what it takes any more.
 */
export async function lockedMembers(
  tx: Tx,
  actor: Actor,
  sid: string,
  needed: MemberRole,
): Promise<MembershipRow[] | Refusal> {
  if (!maySee(actor, sid)) return noSuchOrganisation();
  await lockMembers(tx, [sid]);
  const members = await listMembers(tx, sid);
  if (members.length === 0) return noSuchOrganisation();
  if (actor.kind !== 'user') return members;
  const own = members.find(({ userSid }) => userSid === actor.userSid);
  return own && memberReaches(own.role, needed) ? members : noSuchOrganisation();
}

/** The user who acts for themselves. Refuses forbidden for an operator, who acts for the house. */
export function personOf(actor: Actor): string | Refusal {
  if (actor.kind === 'user') return actor.userSid;
  return refuse('forbidden', 'Operators act for the house: to be in an organisation takes an account without a role.');
}
