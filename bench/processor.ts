import { readdirSync, readFileSync } from 'node:fs';

/** The kernel counts processor time in hundredths of a second (USER_HZ). */
const TICK_MICROS = 10_000;

/**
 * Processor time that a PostgreSQL server and all its processes have used since its start, in microseconds; null where
 * there is no /proc. Sessions that have ended are in the postmaster's count of its children.
 */
export function serverMicros(postmaster: number): number | null {
  try {
    let ticks = 0;
    for (const name of readdirSync('/proc')) {
      const pid = Number(name);
      if (!Number.isInteger(pid)) continue;
      const fields = fieldsOf(pid);
      if (fields === null) continue;
      if (pid === postmaster) ticks += fields.own + fields.children;
      else if (fields.parent === postmaster) ticks += fields.own;
    }
    return ticks * TICK_MICROS;
  } catch {
    return null;
  }
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
