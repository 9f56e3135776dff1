import { statement } from './db.ts';
import type { Invariant } from './invariant.ts';

/** As in `ledger-check.ts`: what is broken is shown, not all of it. */
const ROWS_MAX = 20;

/** The promises about VMs and the machines that they are on. */
export const ALLOCATION_INVARIANTS: readonly Invariant[] = [
  {
    id: 'L30',
    promise:
      'a machine of the pool that is not free has one VM on it that is not given back, and each VM from the pool its machine',
    violations: statement(
      'ledger_check.pool',
      // One that is asked for may have no machine yet, one that goes none any more.
      `select machine.sid as machine, machine.state as machine_state, allocation.sid as allocation, allocation.state as allocation_state
       from machine
       full join (
         select sid, state, machine from allocation
         where provisioner = 'pool' and state in ('requested', 'active', 'suspended', 'releasing')
           and (machine is not null or state in ('active', 'suspended'))
       ) as allocation on allocation.machine = machine.id
       where (machine.state in ('allocated', 'cleaning')) is distinct from (allocation.sid is not null)
          or (machine.state = 'cleaning' and allocation.state <> 'releasing') limit ${ROWS_MAX}`,
    ),
  },
  {
    id: 'L33',
    promise: 'no wallet has more VMs than its plan, but for those that go and those that a smaller plan has left over',
    violations: statement(
      'ledger_check.quota',
      `select wallet.sid as wallet, plan.code as plan, plan.vm_count as allowed, used.count as used
       from (
         select wallet, subscription, count(*) as count from allocation
         where state in ('requested', 'active', 'suspended') group by wallet, subscription
       ) as used
       join wallet on wallet.id = used.wallet
       join subscription on subscription.id = used.subscription
       join lateral (
         select plan_sid from plan_period where plan_period.subscription = subscription.id order by number desc, part desc limit 1
       ) as period on true
       join plan on plan.sid = period.plan_sid
       where used.count > plan.vm_count and subscription.state <> 'ended' and not subscription.has_excess limit ${ROWS_MAX}`,
    ),
  },
];
