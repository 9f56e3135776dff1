import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/cluster.ts';
import { OwnPostgres } from './own-postgres.ts';
import { kill9, until } from './processes.ts';
import { startProduct, type Program } from './server-process.ts';

const SECRET = 'late-database-admin-secret-of-many-bytes';
const BACK_WITHIN_MS = 5_000;

let postgres: OwnPostgres;
let server: Program | null = null;
let url = '';
const folder = mkdtempSync(path.join(tmpdir(), 'hero-late-'));

beforeAll(async () => {
  postgres = await OwnPostgres.make();
}, 60_000);
afterEach(async () => {
  if (server) kill9(server.pid);
  await server?.ended;
  server = null;
  await postgres.kill();
});
afterAll(async () => {
  await postgres.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** Starts the server while nothing answers at its DATABASE_URL. */
async function startWithout(databaseUrl: string): Promise<Program> {
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const started = startProduct(['serve'], {
    DATABASE_URL: databaseUrl,
    HERO_ONBOARDING_LISTEN: `127.0.0.1:${port}`,
    HERO_ONBOARDING_DATA_DIR: path.join(folder, 'data'),
    HERO_ONBOARDING_ADMIN_SECRET: SECRET,
  });
  server = started;
  await until('the server listens', async () => ((await ask('GET', '/health/live')) === null ? null : true), {
    withinMs: 25_000,
  });
  return started;
}

async function ask(method: string, route: string) {
  const headers = { 'x-hero-onboarding-admin-secret': SECRET, 'content-type': 'application/json' };
  const init = method === 'GET' ? { headers } : { method, headers, body: '{}' };
  const answer = await fetch(url + route, { ...init, signal: AbortSignal.timeout(5_000) }).catch(() => null);
  if (answer === null) return null;
  return { status: answer.status, retryAfter: answer.headers.get('retry-after'), text: await answer.text() };
}

describe('G04 a server whose DATABASE_URL does not answer', () => {
  it('starts, lives, says 503, and is ready within 5 s of the database, with its schema made', async () => {
    const started = await startWithout(postgres.urlOf('postgres'));
    expect(await ask('GET', '/health/live')).toMatchObject({ status: 200 });
    for (const route of ['/health/ready', '/v1/users', '/v1/billings', '/v1/payments']) {
      expect(await ask('GET', route)).toMatchObject({ status: 503, retryAfter: '1' });
    }
    expect(await ask('POST', '/v1/users')).toMatchObject({ status: 503, retryAfter: '1' });
    expect(started.output()).toContain('which does not answer yet');
    await postgres.start();
    const answeredMs = performance.now();
    await until('ready', async () => ((await ask('GET', '/health/ready'))?.status === 200 ? true : null), {
      withinMs: BACK_WITHIN_MS,
    });
    expect(performance.now() - answeredMs).toBeLessThan(BACK_WITHIN_MS);
    expect(await ask('POST', '/v1/users')).toMatchObject({ status: 201 });
    started.child.kill('SIGTERM');
    expect(await started.ended).toBe(0);
  }, 60_000);

  it('never answers 500 on the way, and may be stopped while it waits', async () => {
    const started = await startWithout(postgres.urlOf('never_made'));
    for (let index = 0; index < 20; index += 1) expect((await ask('GET', '/v1/users'))?.status).toBe(503);
    expect(started.child.exitCode).toBe(null);
    started.child.kill('SIGTERM');
    expect(await started.ended).toBe(0);
  }, 60_000);

  it('ends with 1 and a sentence when the one that comes is not one to work with', async () => {
    const started = await startWithout(postgres.urlOf('postgres', 'nobody_of_this_name'));
    await postgres.start();
    expect(await started.ended).toBe(1);
    expect(started.output()).toContain('PostgreSQL refused the user or the password of DATABASE_URL.');
  }, 60_000);

  it('does not start at all with a database that is there and not one to work with', async () => {
    await postgres.start();
    const refused = startProduct(['serve'], {
      DATABASE_URL: postgres.urlOf('never_made'),
      HERO_ONBOARDING_LISTEN: '127.0.0.1:0',
      HERO_ONBOARDING_DATA_DIR: path.join(folder, 'data'),
    });
    server = refused;
    expect(await refused.ended).toBe(1);
    expect(refused.output()).toContain('The database that DATABASE_URL names does not exist.');
  }, 60_000);
});
