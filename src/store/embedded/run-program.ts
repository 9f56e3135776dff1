import { spawn } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import type { ServerUser } from './server-user.ts';

/** Our own environment stays ours: the server needs none of it, and it holds secrets. */
const ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
/** Enough of a program's complaint to act on. */
const OUTPUT_MAX = 4_000;

export function startProgram(
  program: string,
  args: readonly string[],
  user: ServerUser | null,
  options: SpawnOptions,
): ChildProcess {
  return spawn(program, args, { cwd: '/', env: ENVIRONMENT, ...options, ...user });
}

/** Runs a program that ends by itself. Throws what it wrote when it fails. */
export function runToEnd(program: string, args: readonly string[], user: ServerUser | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = startProgram(program, args, user, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-OUTPUT_MAX);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${program} failed (${code}): ${output}`));
    });
  });
}
