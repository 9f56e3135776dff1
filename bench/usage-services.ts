import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';

const ADMIN_SECRET = 'bench-admin-secret-of-quite-a-few-bytes-71c0';
const PRODUCT = path.resolve(import.meta.dirname, '..', 'bin', 'hero-onboarding.js');
const READY_WITHIN_MS = 20_000;
const HOUR_MAX = '1000000000';

/** A process that takes records over HTTP. */
export interface Service {
  readonly child: ChildProcess;
  readonly port: number;
}

/** One of the two services beside the product: started with the database's address, tells its port. */
export async function startOther(file: 'usage-plain.ts' | 'usage-usual.ts', url: string): Promise<Service> {
  const child = fork(path.join(import.meta.dirname, file), [url]);
  const [message] = (await once(child, 'message')) as [{ readonly port: number }];
  return { child, port: message.port };
}

let started = 0;

/** The server as it is run. `profileFolder`: where it leaves a profile of its processor time when it ends. */
export async function startProduct(url: string, profileFolder: string | null): Promise<Service> {
  const port = 20_000 + ((process.pid + started) % 10_000);
  started += 1;
  const env = {
    PATH: process.env['PATH'],
    DATABASE_URL: url,
    HERO_ONBOARDING_MODE: 'sandbox',
    HERO_ONBOARDING_LISTEN: `127.0.0.1:${port}`,
    HERO_ONBOARDING_DATA_DIR: path.join('/var/tmp', `hero-bench-usage-${process.pid}-${started}`),
    HERO_ONBOARDING_ADMIN_SECRET: ADMIN_SECRET,
    HERO_ONBOARDING_LOG_LEVEL: 'warn',
  };
  const profile = profileFolder === null ? [] : ['--cpu-prof', '--cpu-prof-dir', profileFolder];
  const child = spawn(process.execPath, [...profile, PRODUCT, 'serve'], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const untilMs = performance.now() + READY_WITHIN_MS;
  while (performance.now() < untilMs) {
    const answer = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => null);
    await answer?.arrayBuffer();
    if (answer?.status === 200) return { child, port };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  child.kill('SIGKILL');
  throw new Error('the server did not become ready');
}

export async function stopService({ child }: Service): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

/** Registers so many nodes and answers their keys. */
export async function registerNodes(port: number, count: number): Promise<string[]> {
  const keys: string[] = [];
  for (let number = 0; number < count; number += 1) {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/nodes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-hero-onboarding-admin-secret': ADMIN_SECRET },
      body: JSON.stringify({ name: `node-${number}-${Date.now()}`, hour_max: HOUR_MAX }),
    });
    if (answer.status !== 201) throw new Error(`a node was not registered: ${answer.status} ${await answer.text()}`);
    keys.push(((await answer.json()) as { readonly key: string }).key);
  }
  return keys;
}
