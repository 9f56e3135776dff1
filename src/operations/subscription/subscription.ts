import { z } from 'zod';
import { formatDecimal } from '../../domain/money.ts';
import { END_REASONS, SUBSCRIPTION_STATES } from '../../domain/plan/subscription.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import { lockSubscription, readSubscription, type SubscriptionRow } from '../../store/subscription.ts';
import type { House } from '../house.ts';
import type { Actor } from '../operation.ts';
import { instant, sidField, signedAmount } from '../schema.ts';
import { maySee } from '../visible.ts';
import { catchUp } from './settle-due.ts';

export const subscriptionSchema = z
  .object({
    sid: sidField,
    wallet_sid: sidField,
    plan: z.string().describe('The code of its plan.'),
    plan_name: z.string(),
    plan_version: z.int().describe('The version by which the present period was paid.'),
    price: signedAmount.describe('Of a period, by that version.'),
    state: z
      .enum(SUBSCRIPTION_STATES)
      .describe('past_due: the next period is due, and the wallet could not pay it. It is tried again by itself.'),
    is_renewing: z.boolean().describe('False: it ends with its period.'),
    next_plan: z.string().nullable().describe('What it becomes when its period ends; null: what it is.'),
    period_number: z.int(),
    period_starts_at: instant.describe('Of the period that was paid last, or of its part since a change of plan.'),
    period_ends_at: instant.describe('When it renews, or ends.'),
    past_due_since: instant.nullable(),
    due: signedAmount.nullable().describe('What the period costs that is due; null: none is.'),
    vm_total: z.int(),
    vm_used: z.int(),
    vm_size: z.string(),
    created_at: instant,
    ended_at: instant.nullable(),
    end_reason: z.enum(END_REASONS).nullable(),
  })
  .meta({ id: 'Subscription' });

export const toSubscription = (row: SubscriptionRow): z.input<typeof subscriptionSchema> => ({
  sid: row.sid,
  wallet_sid: row.walletSid,
  plan: row.planCode,
  plan_name: row.plan.name,
  plan_version: row.plan.version,
  price: formatDecimal(row.plan.price),
  state: row.state,
  is_renewing: row.isRenewing,
  next_plan: row.nextPlanCode,
  period_number: row.periodNumber,
  period_starts_at: row.periodStartsAt.toISOString(),
  period_ends_at: row.periodEndsAt.toISOString(),
  past_due_since: row.pastDueSince?.toISOString() ?? null,
  due: row.dueAmount === null ? null : formatDecimal(row.dueAmount),
  vm_total: row.plan.vmCount,
  vm_used: row.vmsUsed,
  vm_size: row.plan.vmSize,
  created_at: row.createdAt.toISOString(),
  ended_at: row.endedAt?.toISOString() ?? null,
  end_reason: row.endReason,
});

/** A subscription that the actor may see. What is not theirs answers exactly as what is not there. */
export async function visibleSubscription(tx: Tx, actor: Actor, sid: string): Promise<SubscriptionRow | Refusal> {
  const row = await readSubscription(tx, sid);
  return row && maySee(actor, row.userSid) ? row : noSubscription();
}

/** The same, locked until the transaction ends, and brought up to the present. */
export async function presentSubscription(
  tx: Tx,
  house: House,
  actor: Actor,
  sid: string,
): Promise<SubscriptionRow | Refusal> {
  const visible = await visibleSubscription(tx, actor, sid);
  if (isRefusal(visible)) return visible;
  const row = await lockSubscription(tx, sid);
  return row === null ? noSubscription() : catchUp(tx, house, row);
}

const noSubscription = (): Refusal => refuse('not_found', 'There is no subscription with this sid.');

export const hasEnded = (row: SubscriptionRow): Refusal =>
  refuse('state_conflict', 'The plan has ended. Buy one anew.', {
    details: { ended_at: row.endedAt?.toISOString() ?? null, end_reason: row.endReason },
  });
