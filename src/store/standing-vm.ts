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
