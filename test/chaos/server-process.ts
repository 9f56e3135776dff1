import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';

/** As operators start it: its code is compiled once and not at every start. */
const PROGRAM = path.resolve(import.meta.dirname, '..', '..', 'bin', 'hero-onboarding.js');

/** What this machine's own settings are must not decide a test. */
export const inherited = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(HERO_ONBOARDING_|STRIPE_|DATABASE_URL$|NODE_OPTIONS$|VITEST)/.test(name),
    ),
  );

/** One process of the product, as started by an operator. Not waited for: it may rightly not be ready for long. */
export interface Program {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Everything it wrote so far, on either stream. */
  output(): string;
  /** Its exit code, once it ended; null when a signal ended it. */
  readonly ended: Promise<number | null>;
}

export function startProduct(args: readonly string[], env: Readonly<Record<string, string>>): Program {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: { ...inherited(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let written = '';
  child.stdout.on('data', (chunk: Buffer) => (written += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (written += chunk.toString()));
  const ended = once(child, 'close').then(() => child.exitCode);
  return { child, pid: child.pid ?? 0, output: () => written, ended };
}
