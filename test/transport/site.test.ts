import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildHttp } from '../../src/http/app.ts';
import { DatabaseUnavailable } from '../../src/store/database-unavailable.ts';
import { ProviderFailure } from '../../src/providers/provider.ts';
import { ADMIN_SECRET, AS_OPERATOR, SETTINGS, answerOf, codeOf, testSite, type TestSite } from './site.ts';

const folder = mkdtempSync(join(tmpdir(), 'pages-'));
let site: TestSite;
beforeAll(async () => {
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>pages</title>');
  writeFileSync(join(folder, 'assets', 'app-1a2b3c.js'), 'export {}');
  site = await testSite({ http: { pagesFolder: folder } });
});
afterAll(async () => {
  await site.close();
  rmSync(folder, { recursive: true });
});

const OPTIONS = { adminSecrets: [{ id: 'adm_1', secret: ADMIN_SECRET }], ping: () => Promise.resolve() };

describe('every answer', () => {
  const paths = [
    '/',
    '/wallet',
    '/v1/session',
    '/nonsense',
    '/docs',
    '/docs/errors',
    '/openapi.json',
    '/openrpc.json',
    '/health/live',
    '/health/ready',
    '/metrics',
    '/assets/app-1a2b3c.js',
    '/docs/assets/swagger-ui-bundle.js',
  ];
  for (const path of paths) {
    test(`${path} has the security headers and a request id`, async () => {
      const { headers } = await site.call('GET', path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(headers.get('content-security-policy')).not.toContain('unsafe');
      expect(headers.get('x-request-id')).toMatch(/^req_[0-9A-Z]{26}$/);
      expect(headers.has('access-control-allow-origin')).toBe(false);
      expect(headers.has('strict-transport-security')).toBe(false);
    });
  }

  test('of the API is not cached, and over TLS asks for TLS', async () => {
    expect((await site.call('GET', '/v1/session')).headers.get('cache-control')).toBe('no-store');
    expect((await site.operator('GET', '/v1/users')).headers.get('cache-control')).toBe('no-store');
    const secure = buildHttp(
      { ...site.house, settings: { ...SETTINGS, publicUrl: 'https://wallet.example' } },
      OPTIONS,
    );
    const response = await secure.request('/v1/session');
    expect(response.headers.get('strict-transport-security')).toBe('max-age=31536000; includeSubDomains');
  });
});

describe('the pages', () => {
  test('are one document under each of their paths, and assets stay in the cache for ever', async () => {
    for (const path of [
      '/',
      '/wallet',
      '/payments/x',
      '/operator',
      '/operator/wallets/x',
      '/operator/payment-events',
    ]) {
      const page = await site.call('GET', path);
      expect([page.status, page.text]).toEqual([200, '<!doctype html><title>pages</title>']);
      expect(page.headers.get('cache-control')).toBe('no-store');
      expect(page.headers.get('content-security-policy')).toContain("require-trusted-types-for 'script'");
    }
    const asset = await site.call('GET', '/assets/app-1a2b3c.js');
    expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(asset.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  });

  test('are there at every address that they have a page for', async () => {
    const routes = ['app.tsx', 'operator/pages.tsx'].flatMap((file) => [
      ...readFileSync(new URL(`../../web/${file}`, import.meta.url), 'utf8').matchAll(/<Route path="([^"]+)"/g),
    ]);
    const addresses = routes.map(([, path = '']) => path.replaceAll(/:[a-z]+/g, 'x'));
    expect(addresses).toContain('/operator/disputes/x');
    for (const path of addresses) expect([path, (await site.call('GET', path)).status]).toEqual([path, 200]);
  });

  test('say to a person that there is no such page, and to a program that nothing is there', async () => {
    const person = await site.call('GET', '/nonsense', { headers: { accept: 'text/html,application/xhtml+xml' } });
    expect([person.status, person.text]).toEqual([404, '<!doctype html><title>pages</title>']);
    expect(person.headers.get('content-security-policy')).toContain("require-trusted-types-for 'script'");
    expect(codeOf(await site.call('GET', '/nonsense'))).toBe('not_found');
    expect(codeOf(await site.call('GET', '/v1/nonsense', { headers: { accept: 'application/json' } }))).toBe(
      'not_found',
    );
  });

  test('are the only files that can be read', async () => {
    for (const path of [
      '/../package.json',
      '/%2e%2e/package.json',
      '/assets/../../package.json',
      '/..%2fpackage.json',
      '/assets/',
      '/.env',
      '/index.html',
    ]) {
      expect((await site.call('GET', path)).status).toBe(404);
    }
  });

  test('that are not built say how to build them', async () => {
    const app = buildHttp(site.house, { ...OPTIONS, pagesFolder: join(folder, 'nothing') });
    const answer = await answerOf(await app.request('/'));
    expect([answer.status, answer.text]).toEqual([
      404,
      'The pages are not built. Run "npm run build" once, then reload.\n',
    ]);
  });
});

describe('the API documents', () => {
  test('are read without a network: the page takes nothing from elsewhere and has no inline script', async () => {
    const page = (await site.call('GET', '/docs')).text;
    const links = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map((match) => match[1] ?? '');
    expect(links.length).toBeGreaterThan(3);
    for (const link of links) {
      expect(link).toMatch(/^\/docs\//);
      expect((await site.call('GET', link)).status).toBe(200);
    }
    expect(page).not.toMatch(/<script>|<style|https?:/);
    const initializer = (await site.call('GET', '/docs/assets/initializer.js')).text;
    expect(initializer).toContain("url: '/openapi.json'");
    expect(initializer).not.toMatch(/https?:/);
  });

  test('OpenAPI 3.1 has every reference it uses, names its problems, and keys are required where money moves', async () => {
    const { json, text } = await site.call('GET', '/openapi.json');
    expect(json['openapi']).toBe('3.1.0');
    const components = (json['components'] as { schemas: object }).schemas;
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/([A-Za-z]+)"/g))
      expect(Object.keys(components)).toContain(name);
    expect(text).not.toContain('$defs');
    const paths = json['paths'] as Record<
      string,
      Record<string, { parameters: { name: string; required: boolean }[]; responses: object }>
    >;
    const debit = paths['/v1/billings/{sid}/debits']?.['post'];
    expect(debit?.parameters).toContainEqual(expect.objectContaining({ name: 'Idempotency-Key', required: true }));
    expect(Object.keys(debit?.responses ?? {})).toEqual(
      expect.arrayContaining([
        '200',
        '400',
        '401',
        '402',
        '403',
        '404',
        '409',
        '413',
        '415',
        '422',
        '429',
        '500',
        '503',
      ]),
    );
  });
});

describe('the session cookie', () => {
  const signIn = async (name = 'Ada'): Promise<{ cookie: string; form: Record<string, string>; wallet: string }> => {
    const answer = await site.call('POST', '/login/sandbox', { body: { name } });
    expect(answer.status).toBe(200);
    const cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    const { json } = await site.call('GET', '/v1/session', { headers: { cookie } });
    const { form_token: token } = json['session'] as { form_token: string };
    return { cookie, form: { 'x-form-token': token }, wallet: String(answer.json['wallet_sid']) };
  };
  const payment = { provider: 'stripe', amount: '25.00' };
  const create = (headers: Record<string, string>) => site.call('POST', '/v1/payments', { body: payment, headers });

  test('is HttpOnly, Lax and for the whole site; with TLS it is Secure and bound to the host', async () => {
    const plain = await site.call('POST', '/login/sandbox', { body: { name: 'Ada' } });
    expect(plain.headers.get('set-cookie')).toMatch(
      /^hero_session=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    const app = buildHttp({ ...site.house, settings: { ...SETTINGS, publicUrl: 'https://wallet.example' } }, OPTIONS);
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"name":"Ada"}' };
    const secure = await app.request('/login/sandbox', init);
    expect(secure.headers.get('set-cookie')).toMatch(
      /^__Host-hero_session=[\w-]{43}; .*Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
  });

  test("reads what is its owner's", async () => {
    const { cookie, wallet } = await signIn();
    const session = await site.call('GET', '/v1/session', { headers: { cookie } });
    expect(session.json).toMatchObject({ role: 'user', user: { wallet_sid: wallet } });
    expect((await site.call('GET', '/v1/users', { headers: { cookie } })).status).toBe(403);
  });

  test('J10 alone does not vouch for a writing request: it must come from our own pages, with the session’s form token', async () => {
    const { cookie, form } = await signIn();
    const other = await signIn('Mallory');
    const host = { host: '127.0.0.1:9920' };
    const foreign: Record<string, string>[] = [
      {},
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: 'http://127.0.0.1:9920.evil.example' },
      { origin: 'http://127.0.0.1:9920', 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ];
    for (const headers of foreign) {
      const answer = await create({ cookie, ...form, ...host, ...headers });
      expect([answer.status, codeOf(answer)]).toEqual([403, 'csrf_failed']);
    }
    const own: Record<string, string>[] = [
      { origin: 'http://127.0.0.1:9920' },
      { 'sec-fetch-site': 'same-origin' },
      { 'sec-fetch-site': 'none' },
    ];
    for (const headers of own) {
      expect(codeOf(await create({ cookie, ...form, ...host, ...headers }))).toBe('invalid_request');
      for (const wrong of [{}, other.form, { 'x-form-token': '' }])
        expect(codeOf(await create({ cookie, ...wrong, ...host, ...headers }))).toBe('csrf_failed');
    }
  });

  test('is dead after sign-out, and a bearer token too', async () => {
    const { cookie, form } = await signIn();
    const out = await site.call('POST', '/logout', { headers: { cookie, ...form, origin: 'http://127.0.0.1:9920' } });
    expect(out.status).toBe(204);
    expect(out.headers.get('set-cookie')).toMatch(/^hero_session=; Max-Age=0/);
    expect((await site.call('GET', '/v1/session', { headers: { cookie } })).json['role']).toBe('anonymous');
    const bearer = { authorization: `Bearer ${cookie.split('=')[1] ?? ''}` };
    expect((await site.call('GET', '/v1/session', { headers: bearer })).status).toBe(401);
  });

  test('of a sandbox can be had in a sandbox only', async () => {
    const app = buildHttp({ ...site.house, settings: { ...SETTINGS, mode: 'production' } }, OPTIONS);
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"name":"Ada"}' };
    expect((await app.request('/login/sandbox', init)).status).toBe(404);
  });
});

describe('the admin secret', () => {
  test("signs in to an operator's session", async () => {
    const answer = await site.call('POST', '/login/admin', { body: { admin_secret: ADMIN_SECRET } });
    expect(answer.json).toMatchObject({ user_sid: null, wallet_sid: null });
    const headers = { authorization: `Bearer ${String(answer.json['token'])}` };
    expect((await site.call('GET', '/v1/users', { headers })).status).toBe(200);
    expect((await site.call('GET', '/v1/session', { headers })).json).toMatchObject({
      role: 'operator',
      operator_role: 'admin',
    });
  });

  test('may be rotated: the old and the new one are good at once, under their own names', async () => {
    const app = buildHttp(site.house, {
      ...OPTIONS,
      adminSecrets: [...OPTIONS.adminSecrets, { id: 'adm_2', secret: 'b'.repeat(40) }],
    });
    for (const secret of [ADMIN_SECRET, 'b'.repeat(40)]) {
      expect((await app.request('/v1/users', { headers: { 'x-hero-onboarding-admin-secret': secret } })).status).toBe(
        200,
      );
    }
  });

  test('guessed ten times in a minute bars the address for the rest of it', async () => {
    const app = buildHttp(site.house, OPTIONS);
    const guess = (secret: string) =>
      app.request('/v1/users', { headers: { 'x-hero-onboarding-admin-secret': secret } });
    for (let count = 0; count < 10; count += 1) expect((await guess(`guess ${count}`)).status).toBe(401);
    const barred = await guess(ADMIN_SECRET);
    expect(barred.status).toBe(429);
    expect(Number(barred.headers.get('retry-after'))).toBe(60);
    await site.ports.clock.advance(60_000);
    expect((await guess(ADMIN_SECRET)).status).toBe(200);
  });
});

describe('what the outside breaks', () => {
  const failing = async (error: Error) => {
    const house = { ...site.house, db: { ...site.house.db, query: () => Promise.reject(error) } };
    return await answerOf(await buildHttp(house, OPTIONS).request('/v1/users', { headers: AS_OPERATOR }));
  };

  test('is 503 with Retry-After when it is the database', async () => {
    const answer = await failing(new DatabaseUnavailable('no connection to /var/run/secret'));
    expect([answer.status, codeOf(answer), answer.headers.get('retry-after')]).toEqual([503, 'unavailable', '1']);
    expect(answer.text).not.toContain('/var/run');
  });

  test('is 502 or 504 when it is a provider', async () => {
    const refused = await failing(new ProviderFailure('refused', 'none', 'sk_test_secret'));
    expect([refused.status, codeOf(refused)]).toEqual([502, 'provider_error']);
    expect(refused.text).not.toContain('sk_test');
    const late = await failing(new ProviderFailure('timeout', 'unknown', 'x'));
    expect([late.status, codeOf(late)]).toEqual([504, 'provider_timeout']);
  });
});

describe('health and metrics', () => {
  test('ready is 503 while the database does not answer or the stop has begun; live is not', async () => {
    const isDown = Promise.reject(new Error('down'));
    isDown.catch(() => undefined);
    const down = buildHttp(site.house, { ...OPTIONS, ping: () => isDown });
    const stopping = buildHttp(site.house, { ...OPTIONS, isStopping: () => true });
    for (const app of [down, stopping]) {
      expect((await app.request('/health/ready')).status).toBe(503);
      expect((await app.request('/health/live')).status).toBe(200);
    }
    expect((await site.call('GET', '/health/ready')).json).toEqual({ status: 'ready' });
  });

  test('metrics count by operation and never by id, and carry no secret', async () => {
    const { sid } = await site.wallet(0);
    await site.operator('GET', `/v1/billings/${sid}`);
    const { text } = await site.call('GET', '/metrics');
    expect(text).toMatch(/hero_onboarding_request_seconds_count\{operation="billing.get",status="200"\} \d+/);
    expect(text).toContain('hero_onboarding_ledger_queue_records 0');
    expect(text).toContain('nodejs_eventloop_lag_seconds');
    expect(text).toContain('process_resident_memory_bytes');
    expect(text).not.toContain(sid);
    expect(text).not.toContain(ADMIN_SECRET);
  });

  test('metrics are there for nobody but operators when a proxy forwards the question', async () => {
    const forwarded = { 'x-forwarded-for': '203.0.113.7' };
    expect((await site.call('GET', '/metrics', { headers: forwarded })).status).toBe(404);
    expect((await site.operator('GET', '/metrics', undefined, forwarded)).status).toBe(200);
  });
});

test('every request leaves one log line without secrets', async () => {
  const before = site.ports.log.lines.length;
  await site.operator('GET', '/v1/users?search=private');
  const lines = site.ports.log.lines.slice(before);
  expect(lines).toHaveLength(1);
  expect(lines[0]?.facts).toMatchObject({ operation: 'user.list', status: 200, actor: 'admin:adm_1', method: 'GET' });
  expect(JSON.stringify(site.ports.log.lines)).not.toContain(ADMIN_SECRET);
});
