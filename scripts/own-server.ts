import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';

/** A real server of one's own: its process, its data folder, its free port. For the demo and for tests of whole processes. */
export interface OwnServer {
  readonly url: string;
  readonly dataDir: string;
  readonly adminSecret: string;
  readonly child: ChildProcess;
  /** Everything it wrote so far. */
  output(): string;
  /** Asks it to stop and waits; answers its exit code. */
  stop(): Promise<number | null>;
}

export interface OwnServerOptions {
  /** A new temporary folder if left out. */
  readonly dataDir?: string;
  readonly port?: number;
  readonly env?: Readonly<Record<string, string>>;
}

const READY_WITHIN_MS = 60_000;
const MAIN = new URL('../src/main.ts', import.meta.url).pathname;

/** Starts the server and resolves when it is ready for requests. */
export async function startOwnServer(options: OwnServerOptions = {}): Promise<OwnServer> {
  const dataDir = options.dataDir ?? (await temporaryFolder());
  const port = options.port ?? (await freePort());
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(process.execPath, [MAIN, 'serve'], {
    env: {
      ...inherited(),
      ...options.env,
      HERO_ONBOARDING_LISTEN: `127.0.0.1:${port}`,
      HERO_ONBOARDING_DATA_DIR: dataDir,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const chunks: string[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  const output = () => chunks.join('');
  await ready(url, child, output);
  const given = options.env?.['HERO_ONBOARDING_ADMIN_SECRET'];
  const adminSecret = given ?? (await readFile(path.join(dataDir, 'secrets', 'admin-secret'), 'utf8')).trim();
  return { url, dataDir, adminSecret, child, output, stop: () => stop(child) };
}

export const removeDataDir = (server: Pick<OwnServer, 'dataDir'>): Promise<void> =>
  rm(server.dataDir, { recursive: true, force: true });

/** One that the database's unprivileged user may enter: else the data would be kept elsewhere, and outlive us. */
async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'hero-onboarding-'));
  await chmod(folder, 0o755);
  return folder;
}

/** What the machine's own settings of this product are must not decide a test. */
function inherited(): NodeJS.ProcessEnv {
  const isOurs = /^(HERO_ONBOARDING_|STRIPE_|CLICKPESA_|DATABASE_URL$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isOurs.test(name)));
}

async function ready(url: string, child: ChildProcess, output: () => string): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS;
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}:\n${output()}`);
    const status = await fetch(`${url}/health/ready`).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill('SIGKILL');
  throw new Error(`the server was not ready within ${READY_WITHIN_MS / 1000} s:\n${output()}`);
}

async function stop(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
  return child.exitCode;
}

async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
