import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { Change } from './books.ts';

/** Where the simulator's memory outlives its process. */
export interface Keeper {
  /** Every change kept so far, oldest first. */
  readonly read: () => readonly Change[];
  /** Returns once the change is with the operating system: it survives the end of this process. */
  readonly append: (change: Change) => void;
}

export const forgetful: Keeper = { read: () => [], append: () => undefined };

/** One line of JSON for each change. The line break comes first: a line that was cut off does not spoil the next one. */
export function fileKeeper(path: string): Keeper {
  return {
    read: () => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').flatMap(parseLine) : []),
    append: (change) => appendFileSync(path, `\n${JSON.stringify(change)}`, { mode: 0o600 }),
  };
}

/** A line that was cut off when the process died says nothing: its move was not answered. */
function parseLine(line: string): Change[] {
  try {
    // Written by `append` above, and by nobody else.
    return [JSON.parse(line) as Change];
  } catch {
    return [];
  }
}
