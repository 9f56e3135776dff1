import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** Where a simulator's memory outlives its process. A change is what one move changed: whole records, as they are after it. */
export interface Keeper<Change> {
  /** Every change kept so far, oldest first. */
  readonly read: () => readonly Change[];
  /** Returns once the change is with the operating system: it survives the end of this process. */
  readonly append: (change: Change) => void;
}

export const forgetful: Keeper<never> & Keeper<unknown> = { read: () => [], append: () => undefined };

/** One line of JSON for each change. The line break comes first: a line that was cut off does not spoil the next one. */
export function fileKeeper<Change>(path: string): Keeper<Change> {
  return {
    read: () =>
      existsSync(path)
        ? readFileSync(path, 'utf8')
            .split('\n')
            .flatMap(parseLine<Change>)
        : [],
    append: (change) => appendFileSync(path, `\n${JSON.stringify(change)}`, { mode: 0o600 }),
  };
}

/** A line that was cut off when the process died says nothing: its move was not answered. */
function parseLine<Change>(line: string): Change[] {
  try {
    return [JSON.parse(line) as Change];
  } catch {
    return [];
  }
}
