import type { Statement } from './db.ts';

/** One promise of the ledger, recomputed from the rows alone. */
export interface Invariant {
  readonly id: string;
  readonly promise: string;
  /** Answers the rows that break the promise; none when it holds. Limited, so that a broken ledger does not fill the memory. */
  readonly violations: Statement;
  readonly values?: readonly unknown[];
}
