import { readdirSync, readFileSync } from 'node:fs';

/** The kernel counts processor time in hundredths of a second (USER_HZ). */
const TICK_MICROS = 10_000;

/** A session that ends while we count would be missed or counted twice: then we count again. */
const COUNTS_MAX = 10;

/**
 * Processor time that a PostgreSQL server and all its processes have used since its start, in microseconds; null where
 * there is no /proc. Sessions that have ended are in the postmaster's count of its children.
 */
export function serverMicros(postmaster: number): number | null {
  for (let attempt = 0; attempt < COUNTS_MAX; attempt += 1) {
    const before = fieldsOf(postmaster);
    if (before === null) return null;
    const ofSessions = sessionTicks(postmaster);
    if (fieldsOf(postmaster)?.children === before.children)
      return (before.own + before.children + ofSessions) * TICK_MICROS;
  }
  return null;
}

function sessionTicks(postmaster: number): number {
  let ticks = 0;
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const fields = Number.isInteger(pid) ? fieldsOf(pid) : null;
    if (fields?.parent === postmaster) ticks += fields.own;
  }
  return ticks;
}

/** Processor time that one process has used since its start, in microseconds; null where there is no /proc. */
export function processMicros(pid: number): number | null {
  const fields = fieldsOf(pid);
  return fields === null ? null : fields.own * TICK_MICROS;
}

/** Processor time all programs of the machine have used since its start, in microseconds; null where there is no /proc. */
export function machineMicros(): number | null {
  try {
    const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = (
      readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? ''
    )
      .split(/\s+/)
      .slice(1)
      .map(Number);
    return (user + nice + system + irq + softirq) * TICK_MICROS;
  } catch {
    return null;
  }
}

function fieldsOf(pid: number): { own: number; children: number; parent: number } | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  // The program's name stands in brackets and may hold spaces; fields are counted from behind it.
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const at = (index: number): number => fields[index] ?? 0;
  return { parent: at(1), own: at(11) + at(12), children: at(13) + at(14) };
}
