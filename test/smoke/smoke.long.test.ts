import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startServer, type Server } from '../browser/server.ts';
import { runSuite } from './suite.ts';
import { SUITES } from './suites.ts';

const ADMIN_SECRET = 'smoke-admin-secret-of-quite-a-few-bytes-9d2f';
/** The payments wait for webhooks and a provider. */
const WITHIN_MS = 60_000;

let server: Server;
beforeAll(async () => {
  server = await startServer({ HERO_ONBOARDING_MODE: 'sandbox', HERO_ONBOARDING_ADMIN_SECRET: ADMIN_SECRET });
});
afterAll(() => server.stop());

it('what is typed wrongly is told in one sentence that says what to type', async () => {
  const command = [fileURLToPath(new URL('run.ts', import.meta.url)), 'payments'];
  const told = await promisify(execFile)(process.execPath, command).catch((error: unknown) => error);
  const sentence = 'A suite is named with --suite: npm run smoke -- --suite payments\n';
  expect(told).toMatchObject({ code: 2, stderr: sentence, stdout: '' });
});

it.each([...SUITES.keys()])(
  'the smoke suite %s holds on a sandbox',
  async (name) => {
    const said: string[] = [];
    const target = { url: server.url, adminSecret: ADMIN_SECRET };
    const { failed, passed } = await runSuite(name, SUITES.get(name) ?? [], target, (line) => said.push(line));
    // The whole of it: what a check failed by may have begun with one before it.
    if (failed.length > 0) throw new Error(said.join('\n'));
    expect(passed).toBe(SUITES.get(name)?.length);
  },
  WITHIN_MS,
);
