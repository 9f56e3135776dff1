import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The processors that this process may run on; none where the system does not say. */
export function processorsHere(): number[] {
  let status: string;
  try {
    status = readFileSync('/proc/self/status', 'utf8');
  } catch {
    return [];
  }
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '';
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    if (first === undefined || last === undefined || Number.isNaN(first)) return [];
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/**
 * Keeps a process, with all its threads, on one processor.
 *
 * A life and its PostgreSQL talk in turn: one of them always waits. On one processor the next statement costs a change of process; on
 * two it wakes a sleeping processor each time, which on virtual machines took longer than the statement. One worker that is kept
 * on one processor lives more operations a second than one that is left both.
 *
 * Without `taskset`, or the right to use it, everything is only slower.
 */
export function keepOn(processor: number, pid: number): void {
  spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(processor), String(pid)], { stdio: 'ignore' });
}
