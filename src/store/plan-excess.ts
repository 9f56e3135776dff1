import { statement, type Tx } from './db.ts';

const listExcessStatement = statement(
  'subscription.list_excess',
  `select id from subscription where has_excess order by id limit $1`,
);

/** Subscriptions that may have more VMs than they include. */
export async function listExcess(tx: Tx, limit: number): Promise<bigint[]> {
  return (await tx.query<{ id: bigint }>(listExcessStatement, [limit])).map(({ id }) => id);
}

const findExcessStatement = statement(
  'subscription.find_excess',
  // Which VM goes first: of another size than the plan's, then by the order that the user chose; equal ones, the newest first. Those that are
  // asked to go already come first of all: they are counted and not asked again.
  `select ranked.sid, ranked.state from (
     select allocation.sid, allocation.state, allocation.size <> plan.vm_size as is_of_other_size,
            row_number() over (order by allocation.state = 'releasing' desc, allocation.size <> plan.vm_size desc, allocation.stop_order,
                                        allocation.id desc) as rank,
            count(*) over () - plan.vm_count as excess
     from subscription
     join lateral (
       select plan_sid from plan_period where plan_period.subscription = subscription.id order by number desc, part desc limit 1
     ) as period on true
     join plan on plan.sid = period.plan_sid
     join allocation on allocation.subscription = subscription.id and allocation.state in ('requested', 'active', 'suspended', 'releasing')
     where subscription.id = $1 and subscription.state <> 'ended'
   ) as ranked
   where (ranked.rank <= ranked.excess or ranked.is_of_other_size) and ranked.state <> 'releasing' order by ranked.rank`,
);

/** The VMs of a subscription that are over what its plan includes, in the order in which they go. */
export async function findExcessVms(tx: Tx, subscription: bigint): Promise<string[]> {
  return (await tx.query<{ sid: string }>(findExcessStatement, [subscription])).map(({ sid }) => sid);
}

const clearExcessStatement = statement(
  'subscription.clear_excess',
  `update subscription set has_excess = false where id = $1`,
);

export async function clearExcess(tx: Tx, subscription: bigint): Promise<void> {
  await tx.query(clearExcessStatement, [subscription]);
}
