import { z } from 'zod';
import { MEMBER_ROLES, type MemberRole } from '../../domain/identity/role.ts';
import { formatDecimal, micros, parseDecimal, type Micros } from '../../domain/money.ts';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import type { MembershipRow } from '../../store/membership.ts';
import { amountField, instant, sidField, signedAmount } from '../schema.ts';

export const memberSchema = z
  .object({
    organisation_sid: sidField,
    user_sid: sidField,
    display_name: z.string(),
    role: z
      .enum(MEMBER_ROLES)
      .describe('viewer: looks · member: also puts money in, and spends up to the cap · owner: everything else.'),
    monthly_cap: signedAmount.nullable().describe('What they may spend in a UTC month; null: no limit.'),
    spent_this_month: signedAmount.describe('With what their open holds have set aside.'),
    joined_at: instant,
  })
  .meta({ id: 'Member' });

export const toMember = (row: MembershipRow, spent: Micros | undefined): z.input<typeof memberSchema> => ({
  organisation_sid: row.organisationSid,
  user_sid: row.userSid,
  display_name: row.displayName,
  role: row.role,
  monthly_cap: row.monthlyCap === null ? null : formatDecimal(row.monthlyCap),
  spent_this_month: formatDecimal(spent ?? micros(0n)),
  joined_at: row.joinedAt.toISOString(),
});

export const capField = amountField
  .nullable()
  .describe('What a member may spend in a UTC month; null: no limit. Of members only.');

/** The most that a cap says: past a million dollars it limits nothing. */
const CAP_MAX = micros(1_000_000_000_000n);

/** The cap of somebody in this role, as it was asked for. Viewers spend nothing and owners what they like: they have none. */
export function readCap(role: MemberRole, asked: string | null): Micros | null | Refusal {
  if (asked === null) return null;
  const cap = parseDecimal(asked);
  const detail =
    role !== 'member'
      ? 'is for members only: leave it out, or make it null'
      : cap === null || cap > CAP_MAX
        ? `must be at most ${formatDecimal(CAP_MAX)}`
        : null;
  if (detail === null) return cap;
  return refuse('invalid_request', 'This cap cannot be set.', { errors: [{ pointer: '#/monthly_cap', detail }] });
}

/** Of a membership, for audit rows. */
export const factsOf = ({ userSid, role, monthlyCap }: Pick<MembershipRow, 'userSid' | 'role' | 'monthlyCap'>) => ({
  user_sid: userSid,
  role,
  monthly_cap: monthlyCap === null ? null : formatDecimal(monthlyCap),
});

export const noSuchMember = (): Refusal => refuse('not_found', 'The organisation has no such member.');
