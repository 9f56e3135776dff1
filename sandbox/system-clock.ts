import { readFileSync } from 'node:fs';
import type { SandboxClock } from './ports.ts';

/** How late a sleeper notices that the clock was moved. */
const LOOK_MS = 100;

/**
 * A time that is ahead of the machine's by as many milliseconds as the file says; without one, or while there is none, the machine's.
 *
 * The file is read each time, so that who wrote it and then asks for something is answered by the time they mean. A sleep ends when its instant
 * has come by this clock: a simulator sleeps until something happens in the world that it plays.
 */
export function clockAheadBy(file: string | undefined): SandboxClock {
  const now = (): Date => new Date(Date.now() + (file === undefined ? 0 : aheadMs(file)));
  return {
    now,
    sleep: async (ms, signal) => {
      const dueMs = now().getTime() + ms;
      for (let leftMs = ms; leftMs > 0 && signal?.aborted !== true; leftMs = dueMs - now().getTime()) {
        await pause(file === undefined ? leftMs : Math.min(leftMs, LOOK_MS), signal);
      }
    },
  };
}

function aheadMs(file: string): number {
  try {
    const said = Number(readFileSync(file, 'utf8'));
    return Number.isSafeInteger(said) ? said : 0;
  } catch {
    // There is none yet: the clock was never moved.
    return 0;
  }
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const wake = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    signal?.addEventListener('abort', wake, { once: true });
  });
}
