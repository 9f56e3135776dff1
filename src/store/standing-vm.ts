import { statement, type Tx } from './db.ts';

/** A VM, as far as its wallet's standing has to do with it. */
export interface StandingVm {
  readonly sid: string;
  readonly name: string;
  readonly state: string;
  readonly stopOrder: number;
  /** Why it is not what it should be; null: nobody said. */
  readonly problem: string | null;
}

interface VmRecord extends Record<string, unknown> {
  sid: string;
  name: string;
  state: string;
  stop_order: number;
  problem: string | null;
}
const fromRow = ({ stop_order: stopOrder, ...row }: VmRecord): StandingVm => ({ ...row, stopOrder });

const openStatement = statement(
  'standing.open_vms',
  `select sid, name, state, stop_order, problem from allocation
   where wallet = $1 and state in ('requested', 'active', 'suspended') order by stop_order, id desc`,
);

/** Those that are not given back, in the order in which they are stopped. */
export async function listOpenVms(tx: Tx, wallet: bigint): Promise<StandingVm[]> {
  return (await tx.query<VmRecord>(openStatement, [wallet])).map(fromRow);
}

const lostStatement = statement(
  'standing.lost_vms',
  `select sid, name, state, stop_order, problem from allocation
   where wallet = $1 and release_reason = 'unpaid' and releasing_at >= $2 order by stop_order, id desc limit 100`,
);

/** Those that were given back for want of money since then. */
export async function listLostVms(tx: Tx, wallet: bigint, since: Date): Promise<StandingVm[]> {
  return (await tx.query<VmRecord>(lostStatement, [wallet, since])).map(fromRow);
}

const toStopStatement = statement(
  'standing.vms_to_stop',
  // From the suspended wallets, which are few, to their VMs. Of one wallet in the order that its user has chosen. One whose provisioner has
  // not answered is asked again when its row says so.
  `select allocation.sid from wallet_standing as told
   join allocation on allocation.wallet = told.wallet
   where told.state = 'suspended' and (told.rescue_until is null or told.rescue_until <= $1)
     and allocation.state = 'active' and (allocation.check_at is null or allocation.check_at <= $1)
   order by allocation.wallet, allocation.stop_order, allocation.id desc limit $2`,
);
const toStartStatement = statement(
  'standing.vms_to_start',
  // From the stopped VMs, which are few. The one that would be stopped last comes first.
  `select allocation.sid from allocation
   join wallet_standing as told on told.wallet = allocation.wallet
   join subscription on subscription.id = allocation.subscription
   where allocation.state = 'suspended' and (allocation.check_at is null or allocation.check_at <= $1) and subscription.state <> 'ended'
     and (told.state not in ('suspended', 'released') or (told.state = 'suspended' and told.rescue_until > $1))
   order by allocation.wallet, allocation.stop_order desc, allocation.id limit $2`,
);

/** VMs that run and may not, in the order in which they are to be stopped. */
export async function findVmsToStop(tx: Tx, now: Date, limit: number): Promise<string[]> {
  return (await tx.query<{ sid: string }>(toStopStatement, [now, limit])).map(({ sid }) => sid);
}

/** VMs that were stopped and may run, in the order in which they are to be started. */
export async function findVmsToStart(tx: Tx, now: Date, limit: number): Promise<string[]> {
  return (await tx.query<{ sid: string }>(toStartStatement, [now, limit])).map(({ sid }) => sid);
}

const restoringStatement = statement(
  'standing.find_restoring',
  `select wallet from wallet_standing where restoring_since is not null order by restoring_since, wallet limit $1`,
);

/** Wallets whose VMs are being started again, the longest first. */
export async function findRestoring(tx: Tx, limit: number): Promise<bigint[]> {
  return (await tx.query<{ wallet: bigint }>(restoringStatement, [limit])).map(({ wallet }) => wallet);
}
