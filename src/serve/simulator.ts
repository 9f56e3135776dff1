import { spawn, type ChildProcessByStdio } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Ports } from '../ports/ports.ts';
import { StartRefused } from './start-refused.ts';

export interface SimulatorOptions {
  /** For people: 'Stripe'. */
  readonly name: string;
  /** Its folder under `sandbox/`. */
  readonly folder: 'stripe' | 'clickpesa' | 'btcpay' | 'forge' | 'mycelium' | 'provisioner';
  /** What it is told besides its port. */
  readonly given: readonly string[];
  readonly ports: Ports;
}

export interface Simulator {
  readonly url: string;
  stop(): Promise<void>;
}

const SANDBOX = path.resolve(import.meta.dirname, '..', '..', 'sandbox');
const READY_WITHIN_MS = 15_000;
const RESTART_AFTER_MS = 500;
const STOP_WITHIN_MS = 2_000;

type Child = ChildProcessByStdio<Writable, Readable, null>;

/**
 * Starts a simulator in a process of its own and keeps it running at the same address. It ends with us whatever
 * happens: it stops when its standard input does.
 */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { name } = options;
  const { log, clock } = options.ports;
  const stopping = new AbortController();
  let { child, url } = await launch(options, 0);
  const port = Number(new URL(url).port);
  const supervise = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await ended(child);
      if (stopping.signal.aborted) return;
      log.warn(
        { exitCode: child.exitCode, signal: child.signalCode },
        `the ${name} simulator died and is started again`,
      );
      await clock.sleep(RESTART_AFTER_MS, stopping.signal);
      if (stopping.signal.aborted) return;
      try {
        ({ child, url } = await launch(options, port));
      } catch (error) {
        log.error({ err: error }, `the ${name} simulator does not start`);
      }
    }
  };
  const supervised = supervise();
  return {
    url,
    stop: async () => {
      stopping.abort();
      await endWithin(child, options.ports);
      await supervised;
    },
  };
}

async function launch(options: SimulatorOptions, port: number): Promise<{ child: Child; url: string }> {
  const program = path.join(SANDBOX, options.folder, 'main.ts');
  // A group of its own: Ctrl-C in the terminal is for the server, which then stops the simulator in its turn.
  const child = spawn(process.execPath, [program, ...options.given, '--port', String(port), '--until-stdin-ends'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  child.stdin.on('error', () => undefined);
  const tooLate = new AbortController();
  const line = await Promise.race([
    firstLine(child),
    options.ports.clock.sleep(READY_WITHIN_MS, tooLate.signal).then(() => null),
  ]);
  tooLate.abort();
  const url = line === null ? null : urlIn(line);
  if (url === null) {
    child.kill('SIGKILL');
    throw new StartRefused(
      `The ${options.name} simulator did not start; its own message, if it had one, stands above.`,
    );
  }
  return { child, url };
}

/** Null: it ended without a word. */
function firstLine(child: Child): Promise<string | null> {
  return new Promise((resolve) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', () => resolve(null));
    child.once('error', () => resolve(null));
  });
}

function urlIn(line: string): string | null {
  try {
    const said: unknown = JSON.parse(line);
    return typeof said === 'object' && said !== null && 'url' in said && typeof said.url === 'string' ? said.url : null;
  } catch {
    return null;
  }
}

function ended(child: Child): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', () => resolve()));
}

async function endWithin(child: Child, { clock }: Ports): Promise<void> {
  const isDone = new AbortController();
  const over = ended(child).then(() => isDone.abort());
  child.kill('SIGTERM');
  await clock.sleep(STOP_WITHIN_MS, isDone.signal);
  if (!isDone.signal.aborted) child.kill('SIGKILL');
  await over;
}
