import type { Mutant } from './mutant.ts';

/** Bugs of plans, VMs, given credit and wallets that run dry: looked for in lives of renting. */
export const RENTING_MUTANTS: readonly Mutant[] = [];
