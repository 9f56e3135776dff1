import type { Mutant } from './mutant.ts';
import { CORRECTION_MUTANTS } from './mutants-of-corrections.ts';
import { IDENTITY_MUTANTS } from './mutants-of-identity.ts';
import { INTAKE_MUTANTS } from './mutants-of-intake.ts';
import { LEDGER_MUTANTS } from './mutants-of-ledger.ts';
import { USAGE_MUTANTS } from './mutants-of-usage.ts';
import { PAYMENT_MUTANTS } from './mutants-of-payments.ts';
import { RENTING_MUTANTS } from './mutants-of-renting.ts';

/** Every bug that can be planted. A simulator that does not find one of them would not find its like in the real code. */
export const PLANTED: readonly Mutant[] = [
  ...LEDGER_MUTANTS,
  ...USAGE_MUTANTS,
  ...CORRECTION_MUTANTS,
  ...INTAKE_MUTANTS,
  ...IDENTITY_MUTANTS,
  ...PAYMENT_MUTANTS,
  ...RENTING_MUTANTS,
];

/** Their names, as `MUTANT=` takes them. */
export const MUTANTS: readonly string[] = PLANTED.map(({ name }) => name);
