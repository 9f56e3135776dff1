import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildHttp } from '../../src/http/app.ts';
import type { App } from '../../src/http/context.ts';
import { honoPath } from '../../src/http/rest.ts';
import { OPERATIONS } from '../../src/operations/registry.ts';
import { PaperBank } from '../support/paper-bank.ts';
import { ADMIN_SECRET, testSite, type TestSite } from './site.ts';

let site: TestSite;
let bank: PaperBank;
let app: App;
beforeAll(async () => {
  site = await testSite();
  bank = new PaperBank();
  const providers = new Map([[bank.name, bank.asProvider(site.ports)]]);
  app = appOf({ providers });
});
afterAll(() => site.close());

function appOf(changes: Partial<TestSite['house']>): App {
  return buildHttp(
    { ...site.house, ...changes },
    { adminSecrets: [{ id: 'adm_1', secret: ADMIN_SECRET }], ping: () => Promise.resolve() },
  );
}

const from = (remoteAddress: string) => ({ incoming: { socket: { remoteAddress } } }) as never;
const forged = (address: string) =>
  app.request(
    '/webhooks/stripe',
    { method: 'POST', body: '{"id":"evt_x"}', headers: { 'paper-signature': 'ff'.repeat(32) } },
    from(address),
  );
const signed = (address: string) => {
  const { body, headers } = bank.webhook('something.new', null);
  const sent = new Headers([...headers].flatMap(([name, values]) => values.map((value) => [name, value] as const)));
  return app.request('/webhooks/stripe', { method: 'POST', body: Buffer.from(body), headers: sent }, from(address));
};

describe('A18 ten thousand bad signatures from one address', () => {
  test('are slowed down, store nothing, and keep no authentic delivery out, wherever it comes from', async () => {
    const statuses = new Map<number, number>();
    for (let count = 0; count < 10_000; count += 1) {
      const { status } = await forged('192.0.2.1');
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    expect([...statuses]).toEqual([
      [400, 100],
      [429, 9_900],
    ]);
    expect((await forged('192.0.2.1')).headers.get('retry-after')).toBe('60');
    expect((await forged('192.0.2.2')).status).toBe(400);
    expect((await signed('192.0.2.2')).status).toBe(200);
    // A proxy gives everybody one address.
    expect((await signed('192.0.2.1')).status).toBe(200);
    const rows = await site.database.owner.query({ name: 'test.inbox_rows', text: 'select event_id from inbox' });
    expect(rows).toHaveLength(2);
    await site.ports.clock.advance(60_000);
    expect((await forged('192.0.2.1')).status).toBe(400);
  });
});

describe('A19 in production', () => {
  /** What can be sent to beside the operations. A route that is not here was not meant to be; what is only read are pages and documents. */
  const OTHERS = [
    'POST /login/admin',
    'POST /login/challenge',
    'POST /login/forge/start',
    'POST /login/oidc/start',
    'POST /login/sandbox',
    'POST /login/verify',
    'POST /logout',
    'POST /rpc',
    'POST /webhooks/:provider',
  ];

  test('the routes that take something are the operations and this list', () => {
    const production = appOf({ settings: { ...site.house.settings, mode: 'production' } });
    const declared = new Set(OPERATIONS.map(({ http }) => `${http.method.toUpperCase()} ${honoPath(http.path)}`));
    const routes = new Set(
      production.routes
        .filter(({ method }) => method !== 'ALL' && method !== 'GET')
        .map(({ method, path }) => `${method} ${path}`),
    );
    expect([...routes].filter((route) => !declared.has(route)).toSorted((a, b) => a.localeCompare(b))).toEqual(OTHERS);
  });

  test('nobody signs in without a secret, and no webhook is taken without a signature', async () => {
    const providers = new Map([[bank.name, bank.asProvider(site.ports)]]);
    const production = appOf({ providers, settings: { ...site.house.settings, mode: 'production' } });
    const post = (path: string, body: string) =>
      production.request(path, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
    expect((await post('/login/sandbox', '{"name":"x","role":"operator"}')).status).toBe(404);
    for (const path of ['/webhooks/stripe/test', '/webhooks/test', '/webhooks/debug', '/_sandbox/events']) {
      expect([404, 503]).toContain((await post(path, '{"id":"evt_x"}')).status);
    }
    for (const query of ['?unsigned=1', '?test=true', '?debug']) {
      expect((await post(`/webhooks/stripe${query}`, '{"id":"evt_x"}')).status).toBe(400);
    }
  });
});
