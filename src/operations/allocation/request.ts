import { NO_PLACE } from '../../domain/allocation/decide.ts';
import { assert } from '../../domain/assert.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import { insertAllocation, lockAllocation, readAllocationByIdem, type AllocationRow } from '../../store/allocation.ts';
import type { Tx } from '../../store/db.ts';
import { lockQuota, type Quota } from '../../store/quota.ts';
import { canRent } from '../../store/standing.ts';
import { readUser } from '../../store/user.ts';
import { recordAudit, type Author } from '../audit/record.ts';
import type { House } from '../house.ts';
import { askProvisioner } from './ask.ts';
import { writeAnswer } from './converge.ts';

/** Longer than a provisioner's deadline with the database work around it: so long nobody else asks about the same VM. */
export const ASK_LEASE_MS = 60_000;

/** A VM that somebody wants. */
export interface VmWish {
  readonly wallet: bigint;
  /** Who has their keys on it, and whose Forge number goes with it. */
  readonly userSid: string;
  readonly name: string;
  /** As OpenSSH writes them. */
  readonly sshKeys: readonly string[];
  readonly stopOrder: number;
  /** The call that asks for it: the same one again finds what it has asked for. */
  readonly idem: string;
  readonly fingerprint: string;
}

/**
 * Gives a user a VM: the intent, the provisioner, the answer.
 *
 * Shape: the allocation, which may still be `requested` when the provisioner does not say; a refusal when it may not be, or there is no place.
 * Safe to: run again with the same `idem`, after a crash at any moment and concurrently: there is one VM at the most.
 */
export async function requestVm(house: House, wish: VmWish, author: Author): Promise<AllocationRow | Refusal> {
  const intent = await house.db.transaction('allocation.intent', (tx) => openIntent(tx, house, wish, author));
  if (isRefusal(intent)) return intent;
  const told = intent.state === 'requested' ? await askProvisioner(house, intent) : null;
  const row = told
    ? await house.db.transaction('allocation.answer', (tx) => writeAnswer(tx, house, intent, told))
    : intent;
  return refusalOf(row) ?? row;
}

/** Commits that a VM is asked for, before anybody is; or finds what the same call has asked for before. */
export async function openIntent(tx: Tx, house: House, wish: VmWish, author: Author): Promise<AllocationRow | Refusal> {
  const may = await canRent(tx, wish.wallet);
  // Of two at once the second waits here, and counts the first.
  const quota = await lockQuota(tx, wish.wallet);
  const earlier = await readAllocationByIdem(tx, wish.idem);
  if (earlier) return earlier.fingerprint === wish.fingerprint ? earlier : keyReused();
  const now = house.ports.clock.now();
  if (!may.ok) return may.refusal;
  if (quota === null) return noPlan();
  const barred = refusalOfQuota(quota, now);
  if (barred) return barred;
  const user = await readUser(tx, wish.userSid);
  assert(user !== null, 'who asks for a VM is a user');
  const sid = house.ports.ids.sid();
  await insertAllocation(tx, {
    ...wish,
    sid,
    subscription: quota.subscription,
    provisioner: house.settings.provisioner,
    size: quota.vmSize,
    forgeId: user.forgeId,
    expiresAt: quota.periodEndsAt,
    createdAt: now,
    createdBy: author.actor.id,
    checkAt: new Date(now.getTime() + ASK_LEASE_MS),
  });
  const row = await lockAllocation(tx, sid);
  assert(row !== null, 'the intent was just stored');
  await recordAudit(tx, author, {
    action: 'allocation.create',
    subject: sid,
    after: { wallet_sid: row.walletSid, user_sid: row.userSid, provisioner: row.provisioner, size: row.size },
  });
  return row;
}

function refusalOfQuota(quota: Quota, now: Date): Refusal | null {
  const details = { plan: quota.planCode, vm_quota_total: quota.vmTotal, vm_quota_used: quota.vmUsed };
  if (quota.state === 'past_due')
    return refuse('no_plan', 'The plan is not paid for the present time. Put money in: it goes on by itself.', {
      details,
    });
  if (quota.periodEndsAt <= now)
    return refuse(
      'no_plan',
      'The time that was paid is over. If the plan renews, it does within seconds: try again then.',
      { details },
    );
  if (quota.vmUsed < quota.vmTotal) return null;
  const message = `All ${quota.vmTotal} VMs of the plan are in use. Release one, or change to a larger plan.`;
  return refuse('quota_reached', message, { details });
}

/** What became of an intent, as an answer: null when there is a VM, or may be. */
export function refusalOf(row: AllocationRow): Refusal | null {
  if (row.state !== 'failed') return null;
  if (row.problem === NO_PLACE) {
    const message = 'No machine is free at the moment. Nothing was taken: try again later, with a new key.';
    return refuse('pool_empty', message, { details: { size: row.size } });
  }
  return refuse('provider_error', `The VM was not made: ${row.problem ?? 'the provisioner refused'}`);
}

const noPlan = (): Refusal => refuse('no_plan', 'A VM takes a plan: buy one first.');

const keyReused = (): Refusal =>
  refuse(
    'idempotency_key_reused',
    'This Idempotency-Key was used for a request with another content. Use a new key for a new intent.',
  );
