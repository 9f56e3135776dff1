import { linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { isAlive, startOf } from './processes.ts';

export interface FolderLock {
  release(): void;
}

interface Holder {
  readonly pid: number;
  readonly start: string | null;
  readonly since: string;
}

const PREFIX = 'server.lock.';

/** Another server works in the data folder. The message says which, and what to do. */
export class FolderInUse extends Error {
  override readonly name = 'FolderInUse';
  readonly pid: number;

  constructor(folder: string, holder: Holder) {
    super(
      `The data folder ${folder} is in use by the server with process id ${holder.pid}, running since ${holder.since}. ` +
        `Stop that one first (kill ${holder.pid}), or give this one another data folder.`,
    );
    this.pid = holder.pid;
  }
}

/**
 * Makes this process the one server of a data folder, until it releases or dies.
 *
 * The lock is the numbered file with the highest number. A lock whose process is dead is passed over by making the next
 * number, which the file system lets only one do; removing and making anew would let two remove each other's.
 * Throws `FolderInUse`.
 */
export function lockFolder(folder: string, since: Date): FolderLock {
  const mine: Holder = { pid: process.pid, start: startOf(process.pid), since: since.toISOString() };
  const draft = path.join(folder, `server.lock-draft.${process.pid}`);
  writeFileSync(draft, JSON.stringify(mine), { mode: 0o644 });
  try {
    const file = take(folder, draft);
    for (const number of numbers(folder)) {
      if (fileOf(folder, number) !== file) rmSync(fileOf(folder, number), { force: true });
    }
    return { release: () => rmSync(file, { force: true }) };
  } finally {
    rmSync(draft, { force: true });
  }
}

/** The file is linked, not written, into place: it is never seen half-written. */
function take(folder: string, draft: string): string {
  for (;;) {
    refuseLiveHolder(folder, null);
    const file = fileOf(folder, Math.max(0, ...numbers(folder)) + 1);
    try {
      linkSync(draft, file);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') continue;
      throw error;
    }
    try {
      refuseLiveHolder(folder, file);
    } catch (error) {
      rmSync(file, { force: true });
      throw error;
    }
    return file;
  }
}

function refuseLiveHolder(folder: string, except: string | null): void {
  for (const number of numbers(folder)) {
    const file = fileOf(folder, number);
    const holder = file === except ? null : readHolder(file);
    if (holder !== null && isHeld(holder)) throw new FolderInUse(folder, holder);
  }
}

/** A process of the same number that began at another time is someone else. */
const isHeld = (holder: Holder): boolean =>
  isAlive(holder.pid) && (holder.start === null || holder.start === startOf(holder.pid));

const fileOf = (folder: string, number: number): string => path.join(folder, `${PREFIX}${number}`);

const numbers = (folder: string): number[] =>
  readdirSync(folder)
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => Number(name.slice(PREFIX.length)))
    .filter(Number.isSafeInteger);

function readHolder(file: string): Holder | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Holder;
  } catch {
    return null;
  }
}
