import { takeBack as takeBackOf } from '../../domain/allocation/decide.ts';
import type { AllocationFacts } from '../../domain/allocation/state.ts';
import type { Provisioner, VmState, VmStatus, WantedVm } from '../../providers/provisioner.ts';
import {
  lockAllocation,
  putOnMachine,
  readAllocation,
  updateAllocation,
  type AllocationRow,
} from '../../store/allocation.ts';
import type { Tx } from '../../store/db.ts';
import {
  readMachineById,
  takeMachine,
  takeMachineWaiting,
  updateMachine,
  type MachineRow,
} from '../../store/machine.ts';
import type { House } from '../house.ts';

/**
 * Gives VMs from the operator's pool. What it knows is in our own database: which machine an allocation is on, and what that machine is to do.
 *
 * It reaches into no machine. Whoever looks after them reads `machine.list`: whose keys belong on it, whether it is to stand still, whether
 * it is to be cleaned; and confirms with `machine.confirm-clean`.
 * Safe to: ask any of it again, concurrently; each method is one transaction with the allocation's row locked, then its machine's.
 */
export function poolProvisioner(house: Pick<House, 'db' | 'ports'>): Provisioner {
  const changing = (label: string, sid: string, change: (tx: Tx, place: Place) => Promise<Place>) =>
    house.db.transaction(label, async (tx) => {
      const place = await lockPlace(tx, sid);
      return place && toStatus(await change(tx, place));
    });
  const stop = (tx: Tx, place: Place, isStopped: boolean): Promise<Place> =>
    changeMachine(tx, house, place, (machine) => ({ ...machine, isStopped }));
  return {
    name: 'pool',
    async allocate(wanted) {
      const at = house.ports.clock.now();
      const give = (take: Take) =>
        house.db.transaction('pool.allocate', (tx) => giveBy(tx, wanted, (size) => take(tx, size, at)));
      return (await give(takeMachine)) ?? (await give(takeMachineWaiting)) ?? 'none';
    },
    async status(sid) {
      const allocation = await readAllocation(house.db, sid);
      if (allocation?.provisioner !== 'pool') return null;
      return toStatus({ allocation, machine: await machineOf(house.db, allocation) });
    },
    suspend: (sid) => changing('pool.suspend', sid, (tx, place) => stop(tx, place, true)),
    resume: (sid) => changing('pool.resume', sid, (tx, place) => stop(tx, place, false)),
    release: (sid) => changing('pool.release', sid, (tx, place) => takeBack(tx, house, place)),
  };
}

interface Place {
  readonly allocation: AllocationRow;
  /** Null: it has none, or none any more. */
  readonly machine: MachineRow | null;
}

/** Null: the pool has never given it, and never will. */
async function lockPlace(tx: Tx, sid: string): Promise<Place | null> {
  const allocation = await lockAllocation(tx, sid);
  if (allocation?.provisioner !== 'pool') return null;
  return { allocation, machine: await machineOf(tx, allocation) };
}

/** Whoever was there before has left a name on the row, and the machine may be somebody else's by now. */
async function machineOf(tx: Tx, { sid, machine }: AllocationRow): Promise<MachineRow | null> {
  const row = machine === null ? null : await readMachineById(tx, machine);
  return row?.allocation?.sid === sid ? row : null;
}

type Take = typeof takeMachine;

/** Null: no machine of the size could be taken. */
async function giveBy(
  tx: Tx,
  wanted: WantedVm,
  take: (size: string) => Promise<bigint | null>,
): Promise<VmStatus | null> {
  const place = await lockPlace(tx, wanted.allocationSid);
  if (place === null) return null;
  // Given before; or taken back before it was given, and then it is given no more.
  if (place.machine !== null || place.allocation.state !== 'requested') return toStatus(place);
  const machine = await take(wanted.size);
  if (machine === null) return null;
  await putOnMachine(tx, wanted.allocationSid, machine);
  return toStatus({ ...place, machine: await readMachineById(tx, machine) });
}

async function takeBack(tx: Tx, house: Pick<House, 'ports'>, { allocation, machine }: Place): Promise<Place> {
  // What is taken back is given no more, whoever took it back.
  const going = { ...allocation, ...takeBackOf(allocation, 'operator', house.ports.clock.now()) };
  const place = { allocation: going, machine };
  if (machine?.state !== 'allocated') {
    await updateAllocation(tx, going);
    return place;
  }
  if (!machine.cleansItself) {
    await updateAllocation(tx, going);
    return await changeMachine(tx, house, place, (row) => ({ ...row, state: 'cleaning', isStopped: false }));
  }
  // Free at once, so that the next one may be on it before this one is written down as gone.
  await updateAllocation(tx, { ...going, machine: null });
  await changeMachine(tx, house, place, (row) => ({ ...row, state: 'free', isStopped: false }));
  return { allocation: going, machine: null };
}

async function changeMachine(
  tx: Tx,
  { ports }: Pick<House, 'ports'>,
  place: Place,
  change: (machine: MachineRow) => MachineRow,
): Promise<Place> {
  if (place.machine === null) return place;
  const machine = change(place.machine);
  await updateMachine(tx, machine, ports.clock.now());
  return { ...place, machine };
}

function toStatus({ allocation, machine }: Place): VmStatus {
  return {
    allocationSid: allocation.sid,
    state: stateOf(allocation, machine),
    externalRef: machine?.sid ?? allocation.externalRef,
    host: machine?.host ?? allocation.host,
    address: machine?.address ?? allocation.address,
    problem: null,
  };
}

function stateOf({ state }: Pick<AllocationFacts, 'state'>, machine: MachineRow | null): VmState {
  if (machine === null) return state === 'requested' ? 'provisioning' : 'released';
  if (machine.state === 'cleaning') return 'releasing';
  if (machine.state !== 'allocated') return 'released';
  return machine.isStopped ? 'stopped' : 'running';
}
