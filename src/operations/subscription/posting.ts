import { deriveIdem, fingerprintOf } from '../../domain/idem.ts';
import { liveAccount, type AccountId, type PostingRecord } from '../../domain/ledger/posting.ts';
import { micros, type Micros } from '../../domain/money.ts';
import type { CapMark } from '../../domain/organisation/cap.ts';
import type { NextPeriod } from '../../domain/plan/renew.ts';
import type { Plan } from '../../domain/plan/plan.ts';
import type { Tx } from '../../store/db.ts';
import { ensureSystemAccount } from '../../store/ledger.ts';
import type { SubscriptionRow } from '../../store/subscription.ts';
import { budgetIn } from '../organisation/spender.ts';

/** Where what plans cost goes. */
const REVENUE = 'revenue:vm_plan';

export const planRevenue = (tx: Tx, currency: string): Promise<AccountId> => ensureSystemAccount(tx, REVENUE, currency);

/** What a period, or a part of one, is paid by. */
export interface PlanPayment {
  readonly idem: string;
  readonly fingerprint: string;
  readonly wallet: bigint;
  readonly revenue: AccountId;
  /** Above zero. */
  readonly amount: Micros;
  readonly occurredAt: Date;
  readonly plan: Plan;
  readonly subscriptionSid: string;
  readonly number: number;
  readonly part: number;
  readonly startsAt: Date;
  readonly endsAt: Date;
  /** Whom it counts against; null: nobody's cap. */
  readonly mark: CapMark | null;
  /** Who asked for it; null: nobody, it renewed. */
  readonly author: { readonly actor: string; readonly requestId: string } | null;
}

/** The one posting by which plans are paid. It takes only what is there, and nothing of a frozen wallet. */
export function planPosting(payment: PlanPayment): PostingRecord {
  const { wallet, revenue, amount, plan, mark, author } = payment;
  return {
    idem: payment.idem,
    fingerprint: payment.fingerprint,
    kind: 'plan',
    legs: [
      { account: liveAccount(wallet, 'wallet'), amount: micros(-amount) },
      { account: revenue, amount },
    ],
    mayOverdraw: false,
    passesFreeze: false,
    fromGiven: true,
    occurredAt: payment.occurredAt,
    about: JSON.stringify({
      description: plan.name,
      plan: plan.code,
      plan_version: plan.version,
      subscription_sid: payment.subscriptionSid,
      period: payment.number,
      part: payment.part,
      from: payment.startsAt.toISOString(),
      until: payment.endsAt.toISOString(),
      ...(author && { actor: author.actor, request_id: author.requestId }),
      ...mark?.about,
    }),
    ...budgetIn(mark),
  };
}

/** A renewal is named by its subscription and its period, so that it can be posted once, whoever does it and however often. */
export function renewalPosting(row: SubscriptionRow, next: NextPeriod, revenue: AccountId): PostingRecord {
  const key = [row.sid, String(next.number)];
  return planPosting({
    idem: deriveIdem('plan.renew', ...key),
    fingerprint: fingerprintOf(key),
    wallet: row.wallet,
    revenue,
    amount: next.plan.price,
    occurredAt: next.startsAt,
    plan: next.plan,
    subscriptionSid: row.sid,
    number: next.number,
    part: 0,
    startsAt: next.startsAt,
    endsAt: next.endsAt,
    mark: null,
    author: null,
  });
}
