import { assertNever } from '../assert.ts';
/** What an allocation is. */
export const ALLOCATION_STATES = ['requested', 'active', 'suspended', 'releasing', 'released', 'failed'] as const;
export type AllocationState = (typeof ALLOCATION_STATES)[number];

/** States in which it takes a place of the quota, and of the pool. */
export const isOpen = (state: AllocationState): boolean => state !== 'released' && state !== 'failed';

/** What it is to be while nobody takes it back. */
export const WANTED = ['running', 'stopped'] as const;
export type Wanted = (typeof WANTED)[number];

export const RELEASE_REASONS = ['user', 'expired', 'unpaid', 'operator', 'failed', 'erased'] as const;
export type ReleaseReason = (typeof RELEASE_REASONS)[number];

/** What decides over an allocation. */
export interface AllocationFacts {
  readonly state: AllocationState;
  readonly wanted: Wanted;
  readonly releaseReason: ReleaseReason | null;
  /** Null: nobody has ever said that there is a VM. */
  readonly activeAt: Date | null;
  readonly suspendedAt: Date | null;
  readonly releasingAt: Date | null;
  readonly releasedAt: Date | null;
  /** When the provisioner is asked again; null: there is nothing to ask. */
  readonly checkAt: Date | null;
  /** How often it was asked since something was new. */
  readonly checks: number;
  readonly problem: string | null;
}

/** What the provisioner is asked next. */
export type Question = 'allocate' | 'suspend' | 'resume' | 'release';

/**
 * What to ask so that the VM becomes what it is to be.
 *
 * Asked for what it is already, a provisioner says so: nobody has to look first, and nothing that happened meanwhile is missed.
 * Shape: `release` also for one that is over, of which something may be left at the provisioner ({@link AllocationFacts.checkAt} is set then).
 */
export function questionOf({ state, wanted }: Pick<AllocationFacts, 'state' | 'wanted'>): Question {
  switch (state) {
    case 'requested':
      return 'allocate';
    case 'active':
    case 'suspended':
      return wanted === 'stopped' ? 'suspend' : 'resume';
    case 'releasing':
    case 'released':
    case 'failed':
      return 'release';
    default:
      return assertNever(state);
  }
}
