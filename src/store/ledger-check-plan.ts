import { POSTING_KINDS } from '../domain/ledger/posting.ts';
import { statement } from './db.ts';
import type { Invariant } from './invariant.ts';

/** As in `ledger-check.ts`: what is broken is shown, not all of it. */
const ROWS_MAX = 20;
const PLAN = POSTING_KINDS.plan;

/** The promises about plans and their periods. */
export const PLAN_INVARIANTS: readonly Invariant[] = [
  {
    id: 'L50',
    promise:
      'each part of a plan’s period that cost something has one posting of its wallet and amount, and each such posting its part',
    violations: statement(
      'ledger_check.plan_periods',
      // Legs of a posting differ in the last digit of their key.
      `with posted as (
         select left(entry.idem::text, 35) as key, entry.account / 16 as wallet, -sum(entry.amount) as amount
         from entry where entry.kind = ${PLAN} group by 1, 2
       ), parts as (
         select left(idem::text, 35) as key, wallet, paid, subscription, number, part from plan_period where paid <> 0
       )
       select parts.subscription, parts.number, parts.part, parts.paid, posted.key, posted.wallet, posted.amount
       from posted full join parts on parts.key = posted.key and parts.wallet = posted.wallet
       where parts.paid is distinct from posted.amount limit ${ROWS_MAX}`,
    ),
  },
  {
    id: 'L51',
    promise:
      'the periods of a subscription follow one another and never overlap, and it stands where the last of them ends',
    violations: statement(
      'ledger_check.plan_order',
      `with ordered as (
         select subscription, number, part, starts_at, ends_at,
                lag(ends_at) over each_one as ended_before, lead(number) over each_one is null as is_last
         from plan_period window each_one as (partition by subscription order by number, part)
       )
       select ordered.subscription, ordered.number, ordered.part, ordered.starts_at, ordered.ended_before
       from ordered join subscription on subscription.id = ordered.subscription
       where ordered.starts_at < ordered.ended_before
          or (ordered.part > 0 and ordered.starts_at <> ordered.ended_before)
          or (ordered.is_last and (subscription.period_ends_at <> ordered.ends_at or subscription.period_number <> ordered.number))
       limit ${ROWS_MAX}`,
    ),
  },
  {
    id: 'L52',
    promise: 'no plan has more VMs than it includes, unless it has just become smaller and they are being given back',
    violations: statement(
      'ledger_check.plan_quota',
      `select subscription.id as subscription, plan.vm_count, count(*) as vms
       from subscription
       join lateral (
         select plan_sid from plan_period where plan_period.subscription = subscription.id order by number desc, part desc limit 1
       ) as period on true
       join plan on plan.sid = period.plan_sid
       join allocation on allocation.subscription = subscription.id and allocation.state in ('requested', 'active', 'suspended')
       where subscription.state <> 'ended' and not subscription.has_excess
       group by subscription.id, plan.vm_count having count(*) > plan.vm_count limit ${ROWS_MAX}`,
    ),
  },
];
