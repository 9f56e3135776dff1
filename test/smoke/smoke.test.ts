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

it.each([...SUITES.keys()])(
  'the smoke suite %s holds on a sandbox',
  async (name) => {
    const said: string[] = [];
    const target = { url: server.url, adminSecret: ADMIN_SECRET };
    const { failed, passed } = await runSuite(name, SUITES.get(name) ?? [], target, (line) => said.push(line));
    expect({ failed, said: failed.length === 0 ? [] : said }).toEqual({ failed: [], said: [] });
    expect(passed).toBe(SUITES.get(name)?.length);
  },
  WITHIN_MS,
);
