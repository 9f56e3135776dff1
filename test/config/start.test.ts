import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const BIN = path.resolve(import.meta.dirname, '..', '..', 'bin', 'hero-onboarding.js');
const folder = mkdtempSync(path.join(tmpdir(), 'hero-start-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What this machine's own settings are must not decide a test. */
const clean = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(HERO_ONBOARDING_|STRIPE_|CLICKPESA_|BTCPAY_|DATABASE_URL$|NODE_OPTIONS$)/.test(name),
  ),
);

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function start(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): { child: ChildProcess; out: () => string; err: () => string; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd: folder,
    env: { ...clean, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, out, err }));
  return { child, out: () => out, err: () => err, ended };
}
const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  start(args, env).ended;

async function until<T>(what: () => Promise<T | null> | T | null, withinMs = 25_000): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = await what();
    if (found !== null) return found;
    if (performance.now() > deadline) throw new Error('it did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

describe('before anything is started', () => {
  it('--version and --help answer and end with 0', async () => {
    expect(await run(['--version'])).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    expect(await run(['--help'])).toMatchObject({ code: 0, out: expect.stringContaining('--check-prod-config') });
  });

  it('a wrong setting ends the start with 1 and a sentence that names it', async () => {
    const { code, err } = await run(['serve'], { HERO_ONBOARDING_LISTEN: 'nowhere' });
    expect(code).toBe(1);
    expect(err).toBe(
      'HERO_ONBOARDING_LISTEN must be host:port, for example 127.0.0.1:9920 or [::1]:9920; it is "nowhere".\n',
    );
  });

  it('a .env file in the working folder is read, and the environment wins over it', async () => {
    writeFileSync(path.join(folder, '.env'), 'HERO_ONBOARDING_SESSION_HOURS=3\nHERO_ONBOARDING_LOG_LEVEL=warn\n');
    const { out } = await run(['--print-config'], { HERO_ONBOARDING_LOG_LEVEL: 'error' });
    rmSync(path.join(folder, '.env'));
    expect(out).toContain('HERO_ONBOARDING_SESSION_HOURS=3  # environment');
    expect(out).toContain('HERO_ONBOARDING_LOG_LEVEL=error  # environment');
  });

  it('--check-prod-config --json ends with 1 on a sandbox and prints JSON alone', async () => {
    const { code, out, err } = await run(['--check-prod-config', '--json']);
    expect({ code, err }).toEqual({ code: 1, err: '' });
    expect(JSON.parse(out)).toMatchObject({ is_ready: false });
  });

  it('production does not start with what the check calls an error, and says which', async () => {
    const { code, err } = await run(['serve'], {
      HERO_ONBOARDING_MODE: 'production',
      HERO_ONBOARDING_SESSION_KEY: 'Zc4nAryQ-short',
    });
    expect(code).toBe(1);
    expect(err).toContain('check 2: HERO_ONBOARDING_PUBLIC_URL is not set.');
    expect(err).toContain('check 5: ');
    expect(err).not.toContain('Zc4nAryQ');
  });

  it('a database that does not answer is named by its setting, without its password', async () => {
    const { code, err } = await run(['migrate'], { DATABASE_URL: 'postgres://app:Zc4nAryQ@127.0.0.1:1/x' });
    expect(code).toBe(1);
    expect(err).toContain('No PostgreSQL answers where DATABASE_URL points (ECONNREFUSED).');
    expect(err).not.toContain('Zc4nAryQ');
  });
});

describe('a running sandbox', () => {
  const env = { HERO_ONBOARDING_LISTEN: '127.0.0.1:0', HERO_ONBOARDING_DATA_DIR: path.join(folder, 'one') };
  let server: ReturnType<typeof start>;
  let url: string;
  let simulator: string;
  beforeAll(async () => {
    server = start(['serve'], env);
    const crashed = server.ended.then((ended) => Promise.reject(new Error(ended.err)));
    url = await Promise.race([until(() => /Pages\s+(http\S+)/.exec(server.out())?.[1] ?? null), crashed]);
    crashed.catch(() => undefined);
    simulator = /simulated at (http\S+)/.exec(server.out())?.[1] ?? '';
  });
  afterAll(async () => {
    server.child.kill('SIGKILL');
    await server.ended;
  });

  it('greets with its address, its mode and where the secret is, and not with the secret', () => {
    const secret = readFileSync(path.join(folder, 'one', 'secrets', 'admin-secret'), 'utf8').trim();
    expect(server.out()).toContain('SANDBOX: all money here is simulated');
    expect(server.out()).toContain(path.join(folder, 'one', 'secrets', 'admin-secret'));
    expect(server.out()).not.toContain(secret);
  });

  it('is ready, and its derived address carries the port it was given', async () => {
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    expect(new URL(url).port).not.toBe('0');
  });

  it('a second server on the same port is refused with a sentence', async () => {
    const { code, err } = await run(['serve'], {
      ...env,
      HERO_ONBOARDING_LISTEN: new URL(url).host,
      HERO_ONBOARDING_DATA_DIR: path.join(folder, 'two'),
    });
    expect(code).toBe(1);
    expect(err).toContain(`${new URL(url).host} is in use`);
  });

  it('a second server on the same folder is refused and told who holds it', async () => {
    const { code, err } = await run(['serve'], env);
    expect(code).toBe(1);
    expect(err).toContain(`in use by the server with process id ${server.child.pid}`);
  });

  it('ledger check runs beside it', async () => {
    const { code, out } = await run(['ledger', 'check'], env);
    expect(out).toContain('The ledger is sound');
    expect(code).toBe(0);
  });

  it('a simulator that dies is started again at the same address', async () => {
    const found = await until(() => simulatorPid(server.child.pid ?? 0));
    process.kill(found, 'SIGKILL');
    await until(() => {
      const now = simulatorPid(server.child.pid ?? 0);
      return now !== null && now !== found ? now : null;
    });
    const status = await until(() =>
      fetch(`${simulator}/_sandbox/switches`).then(
        (answer) => (answer.ok ? answer.status : null),
        () => null,
      ),
    );
    expect(status).toBe(200);
  });

  it('SIGTERM ends it with 0, and its simulator and database with it, though it comes twice as by way of npm', async () => {
    const last = simulatorPid(server.child.pid ?? 0);
    server.child.kill('SIGTERM');
    await until(() => (server.err().includes('"stopping"') ? true : null));
    server.child.kill('SIGTERM');
    expect((await server.ended).code).toBe(0);
    expect(last === null || isAlive(last)).toBe(false);
    await expect(fetch(`${url}/health/live`)).rejects.toThrow('fetch failed');
    // The folder is free again: whoever comes next may have it.
    expect((await run(['migrate'], env)).code).toBe(0);
  });
});

/** The child of a process whose command line names the simulator. */
function simulatorPid(parent: number): number | null {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ').map(Number);
  return children.find((pid) => pid > 0 && commandOf(pid).includes('sandbox/stripe/main.ts')) ?? null;
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
