import { memberReaches } from '../../domain/identity/role.ts';
import type { Budget } from '../../domain/ledger/posting.ts';
import { formatDecimal } from '../../domain/money.ts';
import { countOf, monthEndOf, type CapMark, type Spender } from '../../domain/organisation/cap.ts';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import type { HoldRow } from '../../store/hold.ts';
import { findPastMembership, readMembership } from '../../store/membership.ts';
import type { Actor } from '../operation.ts';

/**
 * Who spends of a wallet by a call, where it is counted: a member of the organisation that has the wallet. Null: whoever spends what is
 * their own, and the house.
 *
 * Refuses not_found for somebody who is no member any more since the request began.
 */
export async function spenderOf(tx: Tx, actor: Actor, ownerSid: string): Promise<Spender | null | Refusal> {
  if (actor.kind !== 'user' || actor.userSid === ownerSid) return null;
  const own = await readMembership(tx, { organisationSid: ownerSid, userSid: actor.userSid });
  if (!own || !memberReaches(own.role, 'member')) return refuse('not_found', 'There is no wallet with this sid.');
  return { membership: own.id, userSid: own.userSid, monthlyCap: own.monthlyCap };
}

/** Where what a hold took is counted, so that what it returns is given back there; null: nowhere. */
export async function markOfHold(tx: Tx, hold: HoldRow): Promise<CapMark | null> {
  if (hold.byUserSid === null || hold.byUserSid === hold.userSid) return null;
  const membership = await findPastMembership(tx, { organisationSid: hold.userSid, userSid: hold.byUserSid });
  return membership && countOf({ membership: membership.id, userSid: hold.byUserSid }, hold.wallet, hold.createdAt);
}

/** What a mark adds to a posting. */
export const budgetIn = (mark: CapMark | null): { readonly budget?: Budget } => (mark ? { budget: mark.budget } : {});

export const capReached = ({ limit, windowStart }: Budget): Refusal =>
  refuse('cap_reached', 'This is more than is left of what you may spend of this wallet this month.', {
    details: { monthly_cap: formatDecimal(limit), next_month_at: monthEndOf(windowStart).toISOString() },
  });
