import { statement, type Tx } from './db.ts';

/** What a wallet may use by the plan that it has paid, and what it uses of it. */
export interface Quota {
  /** The subscription's number. */
  readonly subscription: bigint;
  readonly planCode: string;
  readonly state: 'active' | 'past_due';
  readonly vmTotal: number;
  readonly vmSize: string;
  /** Open allocations: asked for, running, stopped, or asked to go and not gone yet. */
  readonly vmUsed: number;
  readonly periodEndsAt: Date;
}

interface QuotaRecord extends Record<string, unknown> {
  subscription: bigint;
  plan_code: string;
  state: 'active' | 'past_due';
  vm_total: number;
  vm_size: string;
  vm_used: number;
  period_ends_at: Date;
}

const fromRow = (row: QuotaRecord): Quota => ({
  subscription: row.subscription,
  planCode: row.plan_code,
  state: row.state,
  vmTotal: row.vm_total,
  vmSize: row.vm_size,
  vmUsed: row.vm_used,
  periodEndsAt: row.period_ends_at,
});

const lockStatement = statement(
  'quota.lock',
  `select id from subscription where wallet = $1 and state <> 'ended' for no key update`,
);

const readStatement = statement(
  'quota.read',
  `select subscription.id as subscription, plan.code as plan_code, subscription.state, plan.vm_count as vm_total, plan.vm_size,
          (select count(*)::int4 from allocation where allocation.wallet = subscription.wallet
             and allocation.state in ('requested', 'active', 'suspended', 'releasing')) as vm_used,
          subscription.period_ends_at
   from subscription
   join lateral (
     select plan_sid from plan_period where plan_period.subscription = subscription.id
     order by number desc, part desc limit 1
   ) as period on true
   join plan on plan.sid = period.plan_sid
   where subscription.wallet = $1 and subscription.state <> 'ended'`,
);

/** Null: the wallet has no plan. */
export async function readQuota(tx: Tx, wallet: bigint): Promise<Quota | null> {
  const [row] = await tx.query<QuotaRecord>(readStatement, [wallet]);
  return row ? fromRow(row) : null;
}

/** The same with its subscription locked until the transaction ends: nobody allocates, renews or changes the plan meanwhile. */
export async function lockQuota(tx: Tx, wallet: bigint): Promise<Quota | null> {
  const locked = await tx.query(lockStatement, [wallet]);
  return locked.length === 0 ? null : readQuota(tx, wallet);
}
