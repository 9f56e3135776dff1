import type { Span } from '../domain/outage/outage.ts';
import { statement, type Tx } from './db.ts';

/** What was paid for a time, and what of it has been given back. */
export interface PaidForTime {
  /** The postings that paid it, and those that gave back. */
  readonly idems: readonly string[];
  /** What is left of it: paid less given back. */
  readonly cost: bigint;
}

const paidStatement = statement(
  'outage_paid.read',
  // Whole periods, however little of one the time takes; what was given back of them is what was given back of any of their VMs.
  `with period as (
     select min(starts_at) as from_at, max(ends_at) as until_at, coalesce(sum(paid), 0) as paid, array_agg(idem) filter (where idem is not null) as idems
     from plan_period
     where subscription = $1 and number in (
       select number from plan_period where subscription = $1 and starts_at < $3 and ends_at > $2)
   ), credit as (
     select coalesce(sum(outage_credit.amount), 0) as amount, array_agg(outage_credit.idem) as idems
     from period cross join outage_credit join allocation on allocation.id = outage_credit.allocation
     where allocation.subscription = $1 and outage_credit.from_at[1] < period.until_at and outage_credit.from_at[1] >= period.from_at
   )
   select (period.paid - credit.amount)::int8 as cost, coalesce(period.idems, '{}') || coalesce(credit.idems, '{}') as idems from period cross join credit`,
);

/** For the periods of a subscription that a time falls into, up to what this transaction has given back. */
export async function readPaidForTime(tx: Tx, subscription: bigint, { from, until }: Span): Promise<PaidForTime> {
  const [row] = await tx.query<{ cost: bigint; idems: string[] }>(paidStatement, [subscription, from, until]);
  return { idems: row?.idems ?? [], cost: row?.cost ?? 0n };
}
