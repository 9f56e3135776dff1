/** One change of one file. `find` occurs exactly once in it; a test keeps that so. */
export interface Patch {
  /** From the root of the project. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A bug that somebody could have written, to see whether the simulator finds it. */
export interface Mutant {
  readonly name: string;
  /** What the bug is, and what it has cost others. */
  readonly lesson: string;
  readonly patches: readonly Patch[];
}
