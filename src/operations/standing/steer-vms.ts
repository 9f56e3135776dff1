import { formatDecimal } from '../../domain/money.ts';
import type { Tx } from '../../store/db.ts';
import { lockStanding, saveStanding } from '../../store/standing.ts';
import { readWalletFacts } from '../../store/standing-facts.ts';
import { findRestoring, findVmsToStart, findVmsToStop, listOpenVms } from '../../store/standing-vm.ts';
import { emit } from '../event/emit.ts';
import type { House } from '../house.ts';
import { whyNotText } from './tell.ts';

/** Each is asked of its provisioner, one after another: so many before wallets are looked at again. */
const VMS_MAX = 50;
const WALLETS_MAX = 100;
/** After that a user is told what runs again and what does not; who has not started by then is still tried. */
const RESTORE_WITHIN_MS = 60_000;

/** How a VM is stopped and started: each asks its provisioner and writes what it said, and is safe to repeat. */
export interface VmSteering {
  readonly suspendVm: (house: House, sid: string, why: string) => Promise<unknown>;
  readonly resumeVm: (house: House, sid: string) => Promise<unknown>;
}

/**
 * Stops the VMs of wallets that are suspended, in the order that their users chose, and starts those that may run again.
 *
 * Whether a VM may run is read of its wallet's standing each time, so nothing has to be remembered between the two.
 * Shape: how many were asked to stop or to start. Safe to: run in several processes at once, and to die anywhere.
 */
export async function steerVms(
  house: House,
  { suspendVm, resumeVm }: VmSteering,
  signal?: AbortSignal,
): Promise<number> {
  const { db, ports } = house;
  const now = ports.clock.now();
  const isGoing = (): boolean => signal?.aborted !== true;
  // Whether a rescue window is over is seen by the date; who may run again is not kept waiting by a wrong one.
  const stopping = house.clocks.areApart ? [] : await findVmsToStop(db, now, VMS_MAX);
  for (const sid of stopping) if (isGoing()) await suspendVm(house, sid, 'The wallet is suspended.');
  const starting = await findVmsToStart(db, now, VMS_MAX);
  for (const sid of starting) if (isGoing()) await resumeVm(house, sid);
  for (const wallet of await findRestoring(db, WALLETS_MAX)) {
    if (isGoing()) await db.transaction('standing.restored', (tx) => concludeRestore(tx, house, wallet));
  }
  return stopping.length + starting.length;
}

/** Tells what became of the VMs of a wallet that was suspended: once all of them run, or when it has taken long enough. */
async function concludeRestore(tx: Tx, house: House, wallet: bigint): Promise<void> {
  await lockStanding(tx, wallet);
  const [facts] = await readWalletFacts(tx, [wallet]);
  const since = facts?.standing.restoringSince ?? null;
  if (!facts || since === null) return;
  const now = house.ports.clock.now();
  if (facts.stoppedVms > 0 && now.getTime() < since.getTime() + RESTORE_WITHIN_MS) return;
  await saveStanding(tx, { ...facts.standing, restoringSince: null });
  const vms = await listOpenVms(tx, wallet);
  const running = vms.filter(({ state }) => state === 'active');
  const stopped = vms.filter(({ state }) => state === 'suspended');
  await emit(tx, house, {
    type: 'wallet.restored',
    of: facts,
    isMailed: !facts.isErased,
    facts: {
      balance: formatDecimal(facts.balance),
      reserved: formatDecimal(facts.reserved),
      currency: 'USD',
      state: facts.standing.state,
      was: 'suspended',
      restored: running.length,
      not_restored: stopped.length,
      why_not: stopped.length === 0 ? null : whyNotText(stopped),
    },
  });
}
