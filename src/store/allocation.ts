import type { AllocationFacts, AllocationState } from '../domain/allocation/state.ts';
import type { ProvisionerName } from '../domain/allocation/provisioner-name.ts';
import { statement, type Tx } from './db.ts';

/** One VM given to one user. */
export interface AllocationRow extends AllocationFacts {
  readonly id: bigint;
  readonly sid: string;
  readonly wallet: bigint;
  readonly walletSid: string;
  /** Whose wallet it is: a user or an organisation. */
  readonly ownerSid: string;
  /** Who asked for it, and has their SSH keys on it. */
  readonly userSid: string;
  readonly subscription: bigint;
  readonly provisioner: ProvisionerName;
  readonly name: string;
  readonly size: string;
  /** Of the pool only. */
  readonly machine: bigint | null;
  readonly externalRef: string | null;
  readonly host: string | null;
  readonly address: string | null;
  readonly forgeId: string | null;
  readonly sshKeys: readonly string[];
  readonly stopOrder: number;
  readonly expiresAt: Date;
  readonly createdAt: Date;
  readonly createdBy: string;
  /** Of the call that asked for it; null: no call did. */
  readonly fingerprint: string | null;
}

interface AllocationRecord extends Record<string, unknown> {
  id: bigint;
  sid: string;
  wallet: bigint;
  wallet_sid: string;
  owner_sid: string;
  user_sid: string;
  subscription: bigint;
  provisioner: ProvisionerName;
  state: AllocationState;
  wanted: AllocationFacts['wanted'];
  name: string;
  size: string;
  machine: bigint | null;
  external_ref: string | null;
  host: string | null;
  address: string | null;
  forge_id: string | null;
  ssh_keys: string[];
  stop_order: number;
  expires_at: Date;
  created_at: Date;
  created_by: string;
  active_at: Date | null;
  suspended_at: Date | null;
  release_reason: AllocationFacts['releaseReason'];
  releasing_at: Date | null;
  released_at: Date | null;
  check_at: Date | null;
  checks: number;
  problem: string | null;
  fingerprint: string | null;
}

const fromRow = (row: AllocationRecord): AllocationRow => ({
  id: row.id,
  sid: row.sid,
  wallet: row.wallet,
  walletSid: row.wallet_sid,
  ownerSid: row.owner_sid,
  userSid: row.user_sid,
  subscription: row.subscription,
  provisioner: row.provisioner,
  state: row.state,
  wanted: row.wanted,
  name: row.name,
  size: row.size,
  machine: row.machine,
  externalRef: row.external_ref,
  host: row.host,
  address: row.address,
  forgeId: row.forge_id,
  sshKeys: row.ssh_keys,
  stopOrder: row.stop_order,
  expiresAt: row.expires_at,
  createdAt: row.created_at,
  createdBy: row.created_by,
  activeAt: row.active_at,
  suspendedAt: row.suspended_at,
  releaseReason: row.release_reason,
  releasingAt: row.releasing_at,
  releasedAt: row.released_at,
  checkAt: row.check_at,
  checks: row.checks,
  problem: row.problem,
  fingerprint: row.fingerprint,
});

const SELECT = `select allocation.id, allocation.sid, allocation.wallet, wallet.sid as wallet_sid, wallet.user_sid as owner_sid, allocation.user_sid,
    allocation.subscription, allocation.provisioner, allocation.state, allocation.wanted, allocation.name, allocation.size, allocation.machine,
    allocation.external_ref, allocation.host, allocation.address, allocation.forge_id, allocation.ssh_keys, allocation.stop_order,
    allocation.expires_at, allocation.created_at, allocation.created_by, allocation.active_at, allocation.suspended_at,
    allocation.release_reason, allocation.releasing_at, allocation.released_at, allocation.check_at, allocation.checks, allocation.problem,
    allocation.fingerprint
  from allocation join wallet on wallet.id = allocation.wallet`;

const insertStatement = statement(
  'allocation.insert',
  `insert into allocation (sid, wallet, user_sid, subscription, provisioner, state, name, size, forge_id, ssh_keys, stop_order, expires_at,
     created_at, created_by, check_at, idem, fingerprint)
   values ($1, $2, $3, $4, $5, 'requested', $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
);

export type NewAllocation = Pick<
  AllocationRow,
  | 'sid'
  | 'wallet'
  | 'userSid'
  | 'subscription'
  | 'provisioner'
  | 'name'
  | 'size'
  | 'forgeId'
  | 'sshKeys'
  | 'stopOrder'
  | 'expiresAt'
  | 'createdAt'
  | 'createdBy'
  | 'fingerprint'
> & { readonly checkAt: Date; readonly idem: string };

/** The intent: committed before anybody is asked for a VM. */
export async function insertAllocation(tx: Tx, made: NewAllocation): Promise<void> {
  await tx.query(insertStatement, [
    made.sid,
    made.wallet,
    made.userSid,
    made.subscription,
    made.provisioner,
    made.name,
    made.size,
    made.forgeId,
    [...made.sshKeys],
    made.stopOrder,
    made.expiresAt,
    made.createdAt,
    made.createdBy,
    made.checkAt,
    made.idem,
    made.fingerprint,
  ]);
}

const readStatement = statement('allocation.read', `${SELECT} where allocation.sid = $1`);
const readByIdemStatement = statement('allocation.read_by_idem', `${SELECT} where allocation.idem = $1`);
const lockStatement = statement(
  'allocation.lock',
  `${SELECT} where allocation.sid = $1 for no key update of allocation`,
);

export async function readAllocation(tx: Tx, sid: string): Promise<AllocationRow | null> {
  const [row] = await tx.query<AllocationRecord>(readStatement, [sid]);
  return row ? fromRow(row) : null;
}

/** By the call that asked for it. */
export async function readAllocationByIdem(tx: Tx, idem: string): Promise<AllocationRow | null> {
  const [row] = await tx.query<AllocationRecord>(readByIdemStatement, [idem]);
  return row ? fromRow(row) : null;
}

/** Behind the lock of its subscription and before that of its machine, by everybody who takes more than one of them. */
export async function lockAllocation(tx: Tx, sid: string): Promise<AllocationRow | null> {
  const [row] = await tx.query<AllocationRecord>(lockStatement, [sid]);
  return row ? fromRow(row) : null;
}

const lockSubscriptionStatement = statement(
  'allocation.lock_subscription',
  `select subscription.id from subscription where id = (select subscription from allocation where sid = $1) for no key update`,
);

/**
 * The same with its subscription locked before it: by whoever may tell of what happens to it. Events of a wallet are numbered, and those of
 * its VMs come one after another by this.
 */
export async function lockAllocationToTell(tx: Tx, sid: string): Promise<AllocationRow | null> {
  await tx.query(lockSubscriptionStatement, [sid]);
  return await lockAllocation(tx, sid);
}

const updateStatement = statement(
  'allocation.update',
  `update allocation set state = $2, wanted = $3, name = $4, machine = $5, external_ref = $6, host = $7, address = $8, stop_order = $9,
     active_at = $10, suspended_at = $11, release_reason = $12, releasing_at = $13, released_at = $14, check_at = $15, checks = $16, problem = $17
   where sid = $1`,
);

/** Writes all that can change, but for its expiry: only a period that is paid moves that. */
export async function updateAllocation(tx: Tx, row: AllocationRow): Promise<void> {
  await tx.query(updateStatement, [
    row.sid,
    row.state,
    row.wanted,
    row.name,
    row.machine,
    row.externalRef,
    row.host,
    row.address,
    row.stopOrder,
    row.activeAt,
    row.suspendedAt,
    row.releaseReason,
    row.releasingAt,
    row.releasedAt,
    row.checkAt,
    row.checks,
    row.problem,
  ]);
}

const listStatement = statement(
  'allocation.list',
  `${SELECT} where ($1::text is null or allocation.sid < $1) and ($2::text[] is null or wallet.user_sid = any($2))
     and ($3::text[] is null or allocation.state = any($3))
   order by allocation.sid desc limit $4`,
);

/** Newest first. A null owner means all. */
export async function listAllocations(
  tx: Tx,
  page: {
    readonly before: string | null;
    readonly owners: readonly string[] | null;
    readonly states: readonly AllocationState[] | null;
    readonly limit: number;
  },
): Promise<AllocationRow[]> {
  const { before, owners, states, limit } = page;
  return (await tx.query<AllocationRecord>(listStatement, [before, owners, states, limit])).map(fromRow);
}

const openStatement = statement(
  'allocation.open_of_wallet',
  `${SELECT} where allocation.wallet = $1 and allocation.state in ('requested', 'active', 'suspended', 'releasing')
   order by allocation.stop_order, allocation.id desc`,
);

/** Those that take a place of the quota, in the order in which they are stopped when the wallet runs dry. */
export async function openAllocationsOf(tx: Tx, wallet: bigint): Promise<AllocationRow[]> {
  return (await tx.query<AllocationRecord>(openStatement, [wallet])).map(fromRow);
}

const claimStatement = statement(
  'allocation.claim_due',
  `update allocation set check_at = $2 where id in (
     select id from allocation where check_at <= $1 order by check_at, id limit $3 for no key update skip locked)
   returning sid`,
);

/** Takes those that the provisioner is to be asked about; they are due again at `leaseEndsAt` unless they are answered before. */
export async function claimDueAllocations(
  tx: Tx,
  claim: { readonly now: Date; readonly leaseEndsAt: Date; readonly limit: number },
): Promise<string[]> {
  const rows = await tx.query<{ sid: string }>(claimStatement, [claim.now, claim.leaseEndsAt, claim.limit]);
  return rows.map((row) => row.sid).toSorted();
}

/** What decides whether a VM goes because its time is over. */
export interface ExpiryRow {
  readonly id: bigint;
  readonly sid: string;
  readonly state: AllocationState;
  readonly problem: string | null;
  /** When its time is over: the end of the paid period, or of the subscription where that came before. */
  readonly overAt: Date;
  readonly subscriptionState: 'active' | 'past_due' | 'ended';
  readonly isRenewing: boolean;
  readonly endReason: 'cancelled' | 'unpaid' | 'operator' | 'erased' | null;
}

interface ExpiryRecord extends Record<string, unknown> {
  id: bigint;
  sid: string;
  state: AllocationState;
  problem: string | null;
  over_at: Date;
  subscription_state: ExpiryRow['subscriptionState'];
  is_renewing: boolean;
  end_reason: ExpiryRow['endReason'];
}

const expiryFromRow = (row: ExpiryRecord): ExpiryRow => ({
  id: row.id,
  sid: row.sid,
  state: row.state,
  problem: row.problem,
  overAt: row.over_at,
  subscriptionState: row.subscription_state,
  isRenewing: row.is_renewing,
  endReason: row.end_reason,
});

const EXPIRY = `select allocation.id, allocation.sid, allocation.state, allocation.problem,
    least(allocation.expires_at, subscription.ended_at) as over_at, subscription.state as subscription_state,
    subscription.is_renewing, subscription.end_reason
  from allocation join subscription on subscription.id = allocation.subscription`;

// Two ways in, each with its index: by the end of the paid period, and by a subscription that ended before it.
const expiredStatement = statement(
  'allocation.expired',
  `select * from (
     ${EXPIRY} where allocation.expires_at < $1 and allocation.state in ('requested', 'active', 'suspended', 'releasing')
     union
     ${EXPIRY} where subscription.ended_at < $1 and subscription.state = 'ended'
       and allocation.state in ('requested', 'active', 'suspended', 'releasing')
   ) as expired
   where id > $2 order by id limit $3`,
);

/** Open allocations whose time is over, strictly; in the order of their ids, behind `after`. */
export async function listExpired(
  tx: Tx,
  page: { readonly now: Date; readonly after: bigint; readonly limit: number },
): Promise<ExpiryRow[]> {
  return (await tx.query<ExpiryRecord>(expiredStatement, [page.now, page.after, page.limit])).map(expiryFromRow);
}

const expiryStatement = statement('allocation.expiry', `${EXPIRY} where allocation.sid = $1`);

/** The same of one, with its subscription locked: nobody renews it or changes its mind meanwhile. */
export async function lockExpiry(tx: Tx, sid: string): Promise<ExpiryRow | null> {
  await tx.query(lockSubscriptionStatement, [sid]);
  const [row] = await tx.query<ExpiryRecord>(expiryStatement, [sid]);
  return row ? expiryFromRow(row) : null;
}

const takeMachineStatement = statement('allocation.take_machine', `update allocation set machine = $2 where sid = $1`);

/** Says on which machine of the pool it is. */
export async function putOnMachine(tx: Tx, sid: string, machine: bigint): Promise<void> {
  await tx.query(takeMachineStatement, [sid, machine]);
}

const onMachineStatement = statement(
  'allocation.on_machine',
  `select allocation.sid from allocation join machine on machine.id = allocation.machine
   where machine.sid = $1 and allocation.state in ('requested', 'active', 'suspended', 'releasing')`,
);

/** Which allocation is on a machine; null: none. */
export async function allocationOnMachine(tx: Tx, machineSid: string): Promise<string | null> {
  const [row] = await tx.query<{ sid: string }>(onMachineStatement, [machineSid]);
  return row?.sid ?? null;
}
