import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';

export interface ServerProcess {
  /** The first line it said. */
  readonly said: Readonly<Record<string, unknown>>;
  readonly pid: number;
  /** Sends the signal and waits for its end. */
  end(signal: NodeJS.Signals): Promise<{ readonly code: number | null }>;
  readonly ended: Promise<{ readonly code: number | null }>;
}

/** Runs a program of this folder as a process of its own, and waits for its first line of JSON. */
export async function startProcess(
  file: string,
  argument: unknown,
  options: { readonly uid?: number; readonly gid?: number } = {},
): Promise<ServerProcess> {
  const program = path.join(import.meta.dirname, file);
  const child = spawn(process.execPath, [program, JSON.stringify(argument)], {
    ...options,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = endOf(child);
  const said = await firstLine(child);
  return {
    said,
    pid: child.pid ?? 0,
    ended,
    end: (signal) => {
      child.kill(signal);
      return ended;
    },
  };
}

const endOf = (child: ChildProcess): Promise<{ code: number | null }> =>
  new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code }));
  });

async function firstLine(child: ChildProcess): Promise<Record<string, unknown>> {
  if (child.stdout === null) return {};
  for await (const line of createInterface({ input: child.stdout })) {
    return JSON.parse(line) as Record<string, unknown>;
  }
  return {};
}
