import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const COMMAND = fileURLToPath(new URL('../../bin/hero-onboarding.js', import.meta.url));
const READY_WITHIN_MS = 60_000;

export interface Server {
  readonly url: string;
  /** Null when the server talks to somebody else's Stripe. */
  readonly simulatorUrl: string | null;
  /** Of the simulated ClickPesa's API. */
  readonly clickpesaUrl: string | null;
  /** What it said last, without the lines on requests that went well. */
  log(): string;
  stop(): Promise<void>;
}

export interface SandboxServer extends Server {
  /** Turns a switch of the Stripe simulator, or says something to it: `control('switches', { settleAfterMs: 0 })`. */
  control(path: string, body: object): Promise<unknown>;
  /** Calls the API as the operator, with an idempotency key of its own. */
  asOperator<T>(path: string, body?: object): Promise<T>;
}

/** Sandbox mode, as a person starts it: embedded PostgreSQL, simulator, free ports, an empty data folder. */
export async function startSandboxServer(settings: Readonly<Record<string, string>> = {}): Promise<SandboxServer> {
  const server = await startServer({ HERO_ONBOARDING_MODE: 'sandbox', ...settings });
  const { url, simulatorUrl } = server;
  try {
    if (simulatorUrl === null) throw new Error('the greeting names no simulator');
    let token = await signInAsOperator(url);
    return {
      ...server,
      control: (path, body) => ask(`${simulatorUrl}/_sandbox/${path}`, body),
      asOperator: async <T>(path: string, body?: object) => {
        const key = { 'idempotency-key': randomUUID() };
        const send = () => ask(`${url}${path}`, body, { authorization: `Bearer ${token}`, ...key });
        try {
          return (await send()) as T;
        } catch (error) {
          // The clock of the sandbox was moved, and the sign-in is old by that.
          if (!(error instanceof Error && STALE.test(error.message))) throw error;
          token = await signInAsOperator(url);
          return (await send()) as T;
        }
      },
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** Nothing of the machine the tests run on may leak in: no database, no keys, no public address. */
const CLEAN: Readonly<Record<string, string | undefined>> = {
  HERO_ONBOARDING_LISTEN: '127.0.0.1:0',
  HERO_ONBOARDING_PUBLIC_URL: undefined,
  DATABASE_URL: undefined,
  STRIPE_SECRET_KEY: undefined,
  STRIPE_WEBHOOK_SECRET: undefined,
  STRIPE_API_BASE: undefined,
  CLICKPESA_CLIENT_ID: undefined,
  CLICKPESA_API_KEY: undefined,
  CLICKPESA_CHECKSUM_KEY: undefined,
  CLICKPESA_API_URL: undefined,
};

/** The whole product in a process of its own, ready to serve. */
export async function startServer(settings: Readonly<Record<string, string>>): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), 'hero-browser-'));
  // The database runs as another user than root and must be able to walk through.
  await chmod(folder, 0o755);
  const server = spawn(process.execPath, [COMMAND, 'serve'], {
    cwd: folder,
    env: { ...process.env, ...CLEAN, ...settings, HERO_ONBOARDING_DATA_DIR: join(folder, 'data') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stop = async (): Promise<void> => {
    if (server.exitCode === null && server.signalCode === null) {
      const gone = once(server, 'exit');
      server.kill('SIGTERM');
      await gone;
    }
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const said: string[] = [];
    const log = (): string =>
      said
        .filter((line) => !ORDINARY.test(line))
        .slice(-LOG_LINES_MAX)
        .join('\n');
    return { ...(await addressesOf(server, said)), log, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const STALE = /answered 401|reauth_required/;

const LOG_LINES_MAX = 200;
const ORDINARY = /"status":(2|3)\d\d/;

type Addresses = Pick<Server, 'url' | 'simulatorUrl' | 'clickpesaUrl'>;

const simulatorIn = (said: readonly string[], name: string): string | null =>
  new RegExp(`^\\s*${name}\\s+simulated at (http://\\S+)`, 'm').exec(said.join('\n'))?.[1] ?? null;

/** Reads them from the greeting, which is printed when the server listens. */
async function addressesOf(server: ChildProcess, said: string[]): Promise<Addresses> {
  const deadline = AbortSignal.timeout(READY_WITHIN_MS);
  const found = Promise.withResolvers<Addresses>();
  const fail = (why: string): void => found.reject(new Error(`the server ${why}:\n${said.join('\n')}`));
  deadline.addEventListener('abort', () => fail('did not start in time'));
  server.once('exit', (code) => fail(`ended with ${String(code)}`));
  let url: string | undefined;
  for (const stream of [server.stdout, server.stderr]) {
    if (!stream) continue;
    createInterface({ input: stream }).on('line', (line) => {
      said.push(line);
      url ??= /Pages\s+(http:\/\/\S+)/.exec(line)?.[1];
      // The line on ClickPesa comes after those on the pages and on Stripe.
      if (url !== undefined && /^\s*ClickPesa\s/.test(line)) {
        found.resolve({ url, simulatorUrl: simulatorIn(said, 'Stripe'), clickpesaUrl: simulatorIn(said, 'ClickPesa') });
      }
    });
  }
  const addresses = await found.promise;
  const ready = await fetch(`${addresses.url}/health/ready`, { signal: deadline });
  if (!ready.ok) throw new Error(`/health/ready answered ${ready.status}`);
  return addresses;
}

async function signInAsOperator(url: string): Promise<string> {
  const session = await ask(`${url}/login/sandbox`, { name: 'Tests', role: 'operator' });
  return (session as { token: string }).token;
}

/** GET without a body, POST with one. Throws with the answer when it is an error. */
async function ask(url: string, body: object | undefined, headers: Record<string, string> = {}): Promise<unknown> {
  const response = await fetch(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`);
  return JSON.parse(text);
}
