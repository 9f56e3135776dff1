import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../config.ts';
import { movableClock, portsWithClock, type MovableClock } from '../ports/movable-clock.ts';
import type { Ports } from '../ports/ports.ts';

/** Where the simulators read how far they are ahead. */
export const clockFileOf = (config: Config): string => path.join(config.dataDir, 'sandbox-clock');

/** In a sandbox, and nowhere else, ports whose clock can be moved; the simulators follow it by their file. */
export function movableClockOf(
  config: Config,
  ports: Ports,
): { readonly ports: Ports; readonly movableClock: MovableClock | null } {
  if (config.mode !== 'sandbox') return { ports, movableClock: null };
  const clock = movableClock(ports.clock, (aheadMs) => tell(clockFileOf(config), aheadMs));
  return { ports: portsWithClock(ports, clock), movableClock: clock };
}

/** Written beside and put in its place: who reads meanwhile sees the one or the other. */
function tell(file: string, aheadMs: number): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const beside = `${file}.new`;
  writeFileSync(beside, String(aheadMs));
  renameSync(beside, file);
}
