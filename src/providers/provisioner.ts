import type { ProvisionerName } from '../domain/allocation/provisioner-name.ts';

/**
 * The contract of whoever gives VMs. An implementation is asked again with the same allocation sid until its answer is known: every method
 * is idempotent by it, for ever. Every method has a total deadline and throws `ProviderFailure` when the outside breaks; an expected "no"
 * is a value. `test/contract/provisioner.ts` is what every implementation must pass.
 */
export interface Provisioner {
  readonly name: ProvisionerName;
  /** Gives a VM, or says what has become of the one asked for before with this sid. `none`: there is no place of this size. */
  allocate(wanted: WantedVm): Promise<VmStatus | 'none'>;
  /** The present truth; null: it knows no such allocation, and never will of its own accord. */
  status(allocationSid: string): Promise<VmStatus | null>;
  /** Stops the VM and keeps its disk. Stopping a stopped one is the same answer again. */
  suspend(allocationSid: string): Promise<VmStatus | null>;
  resume(allocationSid: string): Promise<VmStatus | null>;
  /** Takes the VM back. It is `released` only when its place is confirmed clean; until then it is `releasing`. Null: there is none. */
  release(allocationSid: string): Promise<VmStatus | null>;
  /**
   * Every VM that is there, a page at a time, whoever asked for it; null: it keeps no list. Absent where there can be none that we do not
   * know of.
   */
  list?(cursor: string | null): Promise<VmPage | null>;
}

export interface VmPage {
  readonly vms: readonly ListedVm[];
  readonly nextCursor: string | null;
}

/** `allocationSid` null: it was made without us. Two VMs may carry the same one, if the back end has made a mistake. */
export type ListedVm = Omit<VmStatus, 'allocationSid'> & { readonly allocationSid: string | null };

/** All that a provisioner is told of who wants what: no balance, no mail address. */
export interface WantedVm {
  readonly allocationSid: string;
  readonly userSid: string;
  readonly forgeId: string | null;
  readonly name: string;
  readonly size: string;
  /** Public keys as OpenSSH writes them. */
  readonly sshKeys: readonly string[];
  readonly expiresAt: Date;
}

export const VM_STATES = ['provisioning', 'running', 'stopped', 'releasing', 'released', 'failed'] as const;
export type VmState = (typeof VM_STATES)[number];

export interface VmStatus {
  readonly allocationSid: string;
  readonly state: VmState;
  /** The provisioner's own name for it. */
  readonly externalRef: string | null;
  /** The machine it runs on, as people speak of it; null until it is known. */
  readonly host: string | null;
  /** How its user reaches it: host or address, and a port if it is not 22. */
  readonly address: string | null;
  /** Of a failed one, a sentence; else null. */
  readonly problem: string | null;
}
