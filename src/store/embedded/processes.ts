import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import process from 'node:process';

/** True while the process runs; a zombie (dead, not yet collected by its parent) counts as dead. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  return statusFields(pid)?.[0] !== 'Z';
}

/**
 * Tells one process from a later one with the same number. Null: cannot be told, or there is no such process.
 */
export function startOf(pid: number): string | null {
  const started = statusFields(pid)?.[19];
  if (started !== undefined) return `${bootId()}:${started}`;
  if (process.platform === 'linux') return null;
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || null;
  } catch {
    return null;
  }
}

/** The name of the program, where the system tells (Linux); null elsewhere or when it is gone. */
export function programOf(pid: number): string | null {
  return readOrNull(`/proc/${pid}/comm`)?.trim() ?? null;
}

/** /proc/<pid>/stat from the state on: the name before it is in brackets and may hold anything. */
function statusFields(pid: number): string[] | null {
  const line = readOrNull(`/proc/${pid}/stat`);
  return line === null ? null : line.slice(line.lastIndexOf(')') + 2).split(' ');
}

const bootId = (): string => readOrNull('/proc/sys/kernel/random/boot_id')?.trim() ?? '';

function readOrNull(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
