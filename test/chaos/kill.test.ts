import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { removeDataDir, startOwnServer, type OwnServer } from '../../scripts/own-server.ts';

/** Few in `npm test`; `.ci/run` asks for more. */
const KILLS = Number(process.env['CHAOS_KILLS'] ?? 3);
const CLIENTS = 8;
const BETWEEN_KILLS_MS = 600;
const FUNDS_CENTS = 100_000_000;
const MAIN = new URL('../../src/main.ts', import.meta.url).pathname;

/**
 * Real processes: a server with its embedded PostgreSQL, clients that repeat a debit with its key until it is answered, and
 * somebody who kills with signal 9. What was acknowledged must be there, once.
 */
describe('kill -9 under load', () => {
  let server: OwnServer;
  let walletSid: string;
  let isOver = false;
  const acknowledged = new Set<string>();

  beforeAll(async () => {
    server = await startOwnServer();
    const user = await request('/v1/users', { display_name: 'Chaos' });
    walletSid = (user.json['billing'] as { sid: string }).sid;
    await request('/admin/balance-adjust', { sid: walletSid, balance_cents: FUNDS_CENTS });
  }, 90_000);
  afterAll(async () => {
    await server.stop();
    await removeDataDir(server);
  });

  async function request(route: string, body: object | null, key?: string) {
    const headers: Record<string, string> = { 'x-hero-onboarding-admin-secret': server.adminSecret };
    if (body) headers['content-type'] = 'application/json';
    if (key !== undefined) headers['idempotency-key'] = key;
    const init = body ? { method: 'POST', headers, body: JSON.stringify(body) } : { headers };
    const answer = await fetch(server.url + route, { ...init, signal: AbortSignal.timeout(10_000) });
    return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
  }

  async function client(name: number): Promise<void> {
    for (let number = 0; !isOver; number += 1) {
      const key = `${name}-${number}`;
      while (!(await tryDebit(key))) await pause(50);
      acknowledged.add(key);
    }
  }

  async function tryDebit(key: string): Promise<boolean> {
    const body = { amount: '0.01', description: key };
    const answer = await request(`/v1/billings/${walletSid}/debits`, body, key).catch(() => null);
    if (answer !== null && answer.status !== 200 && answer.status < 500 && answer.status !== 429) {
      throw new Error(`a debit answered ${answer.status}: ${JSON.stringify(answer.json)}`);
    }
    return answer?.status === 200;
  }

  async function killServer(): Promise<void> {
    const { child, dataDir } = server;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    server = await startOwnServer({ dataDir, port: Number(new URL(server.url).port) });
  }

  async function killPostgres(): Promise<void> {
    const pidFile = path.join(server.dataDir, 'postgres', 'postmaster.pid');
    process.kill(Number(readFileSync(pidFile, 'utf8').split('\n')[0]), 'SIGKILL');
    for (let attempt = 0; ; attempt += 1) {
      const answer = await request('/health/ready', null).catch(() => null);
      if (answer?.status === 200 && attempt > 2) return;
      if (attempt > 300)
        throw new Error(`not ready 15 s after PostgreSQL was killed:\n${server.output().slice(-4_000)}`);
      await pause(50);
    }
  }

  it(`G01 after ${KILLS} kills of the server and ${KILLS} of PostgreSQL every acknowledged debit is there, once`, async () => {
    const clients = Array.from({ length: CLIENTS }, (_, name) => client(name));
    try {
      for (let kill = 0; kill < KILLS; kill += 1) {
        await pause(BETWEEN_KILLS_MS);
        await killServer();
        await pause(BETWEEN_KILLS_MS);
        await killPostgres();
      }
      await pause(BETWEEN_KILLS_MS);
    } finally {
      isOver = true;
    }
    await Promise.all(clients);
    expect(acknowledged.size).toBeGreaterThan(KILLS * 20);
    const billing = await request(`/v1/billings/${walletSid}`, null);
    expect(billing.json['credit_balance_cents']).toBe(FUNDS_CENTS - acknowledged.size);
    console.info(`${acknowledged.size} acknowledged debits survived ${KILLS} + ${KILLS} kills`);
    const check = spawnSync(process.execPath, [MAIN, 'ledger', 'check'], {
      env: { ...process.env, HERO_ONBOARDING_DATA_DIR: server.dataDir },
      encoding: 'utf8',
    });
    expect([check.status, check.stdout]).toEqual([0, expect.stringContaining('The ledger is sound')]);
  }, 240_000);

  it('G11 a second server on the same folder is refused, and told who holds it', () => {
    const second = spawnSync(process.execPath, [MAIN, 'serve'], {
      env: { ...process.env, HERO_ONBOARDING_DATA_DIR: server.dataDir, HERO_ONBOARDING_LISTEN: '127.0.0.1:0' },
      encoding: 'utf8',
      timeout: 30_000,
    });
    expect(second.status).toBe(1);
    expect(second.stderr).toContain(String(server.child.pid));
  }, 40_000);

  it('G12 SIGTERM ends it in order, with 0', async () => {
    expect(await server.stop()).toBe(0);
  }, 40_000);
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
