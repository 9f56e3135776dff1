import { forgetful, type Keeper } from '../keeper.ts';
import type { SandboxClock, SandboxRandom } from '../ports.ts';
import { calm, type Fault, type Switches } from './switches.ts';

export type VmState = 'provisioning' | 'running' | 'stopped' | 'releasing' | 'released' | 'failed';

export interface Vm {
  /** Ours, by which it is asked for again; null: somebody made it by hand. */
  readonly allocationSid: string | null;
  readonly externalRef: string;
  readonly wanted: Wanted | null;
  readonly host: string;
  readonly address: string;
  readonly state: VmState;
  /** When it becomes what its state leads to (running, released); null: not by itself. */
  readonly nextAt: number | null;
  readonly problem: string | null;
}

export interface Wanted {
  readonly user_sid: string;
  readonly forge_id: string | null;
  readonly name: string;
  readonly size: string;
  readonly ssh_keys: readonly string[];
  readonly expires_at: string;
}

/** A VM as it is after a change; `isForgotten`: it is gone without a trace. */
export interface VmChange {
  readonly vm: Vm;
  readonly isForgotten?: true;
}

export interface SandboxOptions {
  readonly clock: SandboxClock;
  readonly random: SandboxRandom;
  readonly token: string;
  readonly keeper?: Keeper<VmChange>;
}

export interface JournalLine {
  readonly method: string;
  readonly path: string;
  /** Null: none was sent, or not yet. */
  status: number | null;
  readonly fault: Fault['kind'] | null;
}

/** A back end that rents out VMs, without any VM: states, places and time. */
export class ProvisionerSandbox {
  readonly switches: Switches = calm();
  readonly requests: JournalLine[] = [];
  readonly options: SandboxOptions;
  /** By their own names. */
  readonly #vms = new Map<string, Vm>();
  readonly #refs = new Map<string, string>();
  readonly #keeper: Keeper<VmChange>;

  constructor(options: SandboxOptions) {
    this.options = options;
    this.#keeper = options.keeper ?? forgetful;
    for (const { vm, isForgotten } of this.#keeper.read()) {
      if (isForgotten === true) this.#drop(vm);
      else this.#put(vm);
    }
  }

  /** Oldest first, those that were taken back too. */
  all(): Vm[] {
    return [...this.#vms.keys()].map((ref) => this.#present(ref));
  }

  /** Of two under one sid, the older: the other one is a mistake that only the list shows. */
  find(allocationSid: string): Vm | null {
    const ref = this.#refs.get(allocationSid);
    return ref === undefined ? null : this.#present(ref);
  }

  /** Null: there is no place. */
  make(allocationSid: string | null, wanted: Wanted | null): Vm | null {
    const known = allocationSid === null ? null : this.find(allocationSid);
    if (known !== null) return known;
    const taken = this.all().filter(({ state }) => state !== 'released').length;
    if (taken >= this.switches.places) return null;
    const made = this.#new(allocationSid, wanted);
    if (this.switches.createsTwice) this.#new(allocationSid, wanted);
    if (this.switches.forgets) this.forget(made);
    return made;
  }

  stop(vm: Vm): Vm {
    const canStop = vm.state === 'running' || vm.state === 'provisioning';
    return canStop ? this.#keep({ ...vm, state: 'stopped', nextAt: null }) : vm;
  }

  start(vm: Vm): Vm {
    return vm.state === 'stopped' ? this.#keep({ ...vm, state: 'running', nextAt: null }) : vm;
  }

  release(vm: Vm): Vm {
    if (vm.state === 'releasing' || vm.state === 'released') return vm;
    const { cleanMs } = this.switches;
    const nextAt = cleanMs === null ? null : this.#now() + cleanMs;
    this.#keep({ ...vm, state: 'releasing', nextAt, problem: null });
    return this.#present(vm.externalRef);
  }

  /** A release is remembered also of what was never made: a making that arrives after it makes nothing. */
  releaseUnknown(allocationSid: string): Vm {
    return this.#keep({ ...this.#blank(allocationSid, null), state: 'released', nextAt: null });
  }

  clean(vm: Vm): Vm {
    return vm.state === 'releasing' ? this.#keep({ ...vm, state: 'released', nextAt: null }) : vm;
  }

  fail(vm: Vm, problem: string): Vm {
    return this.#keep({ ...vm, state: 'failed', nextAt: null, problem });
  }

  forget(vm: Vm): void {
    this.#drop(vm);
    this.#keeper.append({ vm, isForgotten: true });
  }

  #put(vm: Vm): void {
    const { allocationSid: sid, externalRef } = vm;
    this.#vms.set(externalRef, vm);
    if (sid !== null && !this.#refs.has(sid)) this.#refs.set(sid, externalRef);
  }

  #drop({ allocationSid: sid, externalRef }: Vm): void {
    this.#vms.delete(externalRef);
    if (sid !== null && this.#refs.get(sid) === externalRef) this.#refs.delete(sid);
  }

  #new(allocationSid: string | null, wanted: Wanted | null): Vm {
    const vm = this.#blank(allocationSid, wanted);
    this.#keep({ ...vm, state: 'provisioning', nextAt: this.#now() + this.switches.bootMs });
    return this.#present(vm.externalRef);
  }

  #blank(allocationSid: string | null, wanted: Wanted | null): Vm {
    const number = [...this.options.random.bytes(4)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    const [host = 0, port = 0] = this.options.random.bytes(2);
    return {
      allocationSid,
      externalRef: `vm-${number}`,
      wanted,
      host: `host-${host % 8}`,
      // A network for documents: nothing is behind it.
      address: `203.0.113.${host}:${20_000 + port}`,
      state: 'provisioning',
      nextAt: null,
      problem: null,
    };
  }

  /** Lets the time that has passed do its part. */
  #present(ref: string): Vm {
    const vm = this.#vms.get(ref);
    if (vm === undefined) throw new Error(`there is no ${ref}`);
    if (vm.nextAt === null || vm.nextAt > this.#now()) return vm;
    if (vm.state === 'releasing') return this.clean(vm);
    const { bootProblem } = this.switches;
    return bootProblem === null ? this.#keep({ ...vm, state: 'running', nextAt: null }) : this.fail(vm, bootProblem);
  }

  #keep(vm: Vm): Vm {
    this.#put(vm);
    this.#keeper.append({ vm });
    return vm;
  }

  #now(): number {
    return this.options.clock.now().getTime();
  }
}
