import { formatDecimal } from '../../domain/money.ts';
import type { Plan } from '../../domain/plan/plan.ts';
import type { NextPeriod } from '../../domain/plan/renew.ts';
import type { SubscriptionRow } from '../../store/subscription.ts';
import type { EventFacts } from '../../domain/event/types.ts';
import type { EventOwner, WalletEvent } from '../event/emit.ts';
import { payableOf, type Funds } from './funds.ts';

type Told = EventOwner & Pick<SubscriptionRow, 'sid' | 'currency'>;

const ownerOf = ({ wallet, walletSid, userSid }: EventOwner): EventOwner => ({ wallet, walletSid, userSid });

const factsOf = (of: Told, plan: Plan): EventFacts => ({
  subscription_sid: of.sid,
  plan: plan.code,
  plan_name: plan.name,
  vm_count: plan.vmCount,
  price: formatDecimal(plan.price),
  currency: of.currency,
});

export const boughtEvent = (of: Told, plan: Plan, endsAt: Date): WalletEvent => ({
  type: 'plan.bought',
  of: ownerOf(of),
  facts: { ...factsOf(of, plan), period_ends_at: endsAt.toISOString() },
});

export function renewedEvents(row: SubscriptionRow, next: NextPeriod): WalletEvent[] {
  const renewed: WalletEvent = {
    type: 'plan.renewed',
    of: ownerOf(row),
    facts: {
      ...factsOf(row, next.plan),
      period_starts_at: next.startsAt.toISOString(),
      period_ends_at: next.endsAt.toISOString(),
      was_past_due: row.state === 'past_due',
      periods_skipped: next.skipped,
    },
  };
  return next.plan.code === row.planCode ? [renewed] : [changedEvent(row, next.plan, next.startsAt), renewed];
}

export const changedEvent = (row: SubscriptionRow, plan: Plan, at: Date): WalletEvent => ({
  type: 'plan.changed',
  of: ownerOf(row),
  facts: { ...factsOf(row, plan), plan_before: row.planCode, effective_at: at.toISOString() },
});

export const pastDueEvent = (row: SubscriptionRow, next: NextPeriod, funds: Funds): WalletEvent => ({
  type: 'plan.past_due',
  of: ownerOf(row),
  facts: {
    ...factsOf(row, next.plan),
    since: row.periodEndsAt.toISOString(),
    available: formatDecimal(payableOf(funds, row.wallet)),
    missing: formatDecimal(next.plan.price - payableOf(funds, row.wallet)),
  },
});

export const endedEvent = (row: SubscriptionRow): WalletEvent => ({
  type: 'plan.ended',
  of: ownerOf(row),
  facts: {
    ...factsOf(row, row.plan),
    reason: row.endReason,
    ended_at: row.endedAt?.toISOString() ?? null,
    // Null: none, so that nobody is told of VMs that they have not.
    vms: row.vmsUsed > 0 ? row.vmsUsed : null,
  },
});

export const renewsSoonEvent = (row: SubscriptionRow, plan: Plan, available: bigint): WalletEvent => ({
  type: 'plan.renews_soon',
  of: ownerOf(row),
  facts: {
    ...factsOf(row, plan),
    renews_at: row.periodEndsAt.toISOString(),
    available: formatDecimal(available),
    suffices: available >= plan.price,
    missing: available >= plan.price ? null : formatDecimal(plan.price - available),
  },
});
