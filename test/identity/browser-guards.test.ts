import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listen, type Listening } from '../../src/http/server.ts';
import { OPERATIONS, pathFieldsOf } from '../../src/operations/registry.ts';
import { systemClock, systemPorts } from '../../src/ports/system.ts';
import { ADMIN_SECRET, testSite, type TestSite } from '../transport/site.ts';

const SID = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
const OWN = { host: '127.0.0.1:9920', origin: 'http://127.0.0.1:9920', 'sec-fetch-site': 'same-origin' };

let site: TestSite;
let server: Listening;
let mine: { readonly cookie: string; readonly form: string };
let theirs: { readonly cookie: string; readonly form: string };
beforeAll(async () => {
  site = await testSite();
  const { log } = systemPorts({ logLevel: 'silent' });
  server = await listen(site.app, { host: '127.0.0.1', port: 0, clock: systemClock, log });
  [mine, theirs] = [await signIn('Mine'), await signIn('Theirs')];
});
afterAll(async () => {
  await server.stop();
  await site.close();
});

async function signIn(name: string): Promise<{ readonly cookie: string; readonly form: string }> {
  const answer = await site.call('POST', '/login/sandbox', { body: { name } });
  const cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const { json } = await site.call('GET', '/v1/session', { headers: { cookie } });
  return { cookie, form: (json['session'] as { form_token: string }).form_token };
}

/** Each operation as a route with sids in its path. */
const ROUTES = OPERATIONS.map((operation) => {
  const fields = pathFieldsOf(operation);
  const path = fields.reduce((text, field) => text.replace(`{${field}}`, SID), operation.http.path);
  return [operation.http.method.toUpperCase(), path] as const;
});
const WRITES = [
  ...ROUTES.filter(([method]) => method !== 'GET'),
  ['POST', '/rpc'] as const,
  ['POST', '/logout'] as const,
];

describe('J10 a request that only a cookie vouches for', () => {
  test.each(WRITES)(
    '%s %s is refused from elsewhere, and without the form token of its own session',
    async (method, path) => {
      const asked: [string, Record<string, string>][] = [
        ['no token', OWN],
        ["another user's token", { ...OWN, 'x-form-token': theirs.form }],
        ['a form of text/plain', { ...OWN, origin: 'https://evil.example', 'content-type': 'text/plain' }],
        ['no origin at all', { host: OWN.host, 'x-form-token': mine.form }],
        ['origin null', { ...OWN, origin: 'null', 'x-form-token': mine.form }],
        [
          'another site',
          { ...OWN, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site', 'x-form-token': mine.form },
        ],
      ];
      for (const [what, headers] of asked) {
        const answer = await site.call(method, path, { raw: '{}', headers: { ...headers, cookie: mine.cookie } });
        const { json, status } = answer;
        expect([what, status, json['code']]).toEqual([what, 403, 'csrf_failed']);
      }
    },
  );

  test('of our own page, with the token, is heard', async () => {
    const headers = { ...OWN, cookie: mine.cookie, 'x-form-token': mine.form };
    expect((await site.call('POST', '/v1/payments', { body: {}, headers })).json['code']).toBe('invalid_request');
    expect((await site.call('POST', '/logout', { headers })).status).toBe(204);
  });
});

describe('J13 what a browser is told on every route', () => {
  const read = [
    ...ROUTES,
    ...['/', '/wallet', '/docs', '/openapi.json', '/health/live', '/nowhere'].map((path) => ['GET', path] as const),
  ];
  test.each(read)('%s %s: no frame, no sniffing, nothing kept by a cache', async (method, path) => {
    const { headers } = await site.call(method, path, method === 'GET' ? {} : { body: {} });
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    if (path.startsWith('/v1/') || path.startsWith('/admin/')) expect(headers.get('cache-control')).toBe('no-store');
  });
});

describe('J18 another origin', () => {
  const origins = [
    'null',
    'https://evil.example',
    'http://127.0.0.1:9920.evil.example',
    'http://evil.127.0.0.1:9920',
    '*',
  ];
  test.each(origins)('%s is never told that it may read', async (origin) => {
    for (const [method, path] of [
      ['OPTIONS', '/v1/session'],
      ['GET', '/v1/session'],
      ['OPTIONS', '/rpc'],
      ['GET', '/'],
    ] as const) {
      const headers = {
        origin,
        cookie: theirs.cookie,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'x-form-token',
      };
      const answer = await site.call(method, path, { headers });
      expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
    }
  });
});

describe('J19 a request that says two things', () => {
  const raw = (head: readonly string[], body = ''): Promise<string> =>
    new Promise((resolve, reject) => {
      const text = `${[...head, 'Host: x', 'Connection: close', `X-Hero-Onboarding-Admin-Secret: ${ADMIN_SECRET}`].join('\r\n')}\r\n\r\n${body}`;
      const socket = connect(server.port, '127.0.0.1', () => socket.write(text));
      let received = '';
      socket.on('data', (chunk) => (received += chunk.toString('latin1')));
      socket.on('close', () => resolve(received));
      socket.on('error', (error) => (received === '' ? reject(error) : resolve(received)));
    });
  const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]);

  test.each(['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'])(
    '%s does not make a reading one of writing',
    async (name) => {
      const answer = await raw(['GET /v1/users HTTP/1.1', `${name}: POST`]);
      expect(statusOf(answer)).toBe(200);
      expect(answer).toContain('"items"');
      expect(
        statusOf(
          await raw(
            ['POST /v1/users HTTP/1.1', `${name}: GET`, 'Content-Type: application/json', 'Content-Length: 2'],
            '[]',
          ),
        ),
      ).toBe(400);
    },
  );

  test.each(['X-Original-URL', 'X-Rewrite-URL', 'X-Forwarded-Prefix'])(
    '%s does not lead to another route',
    async (name) => {
      expect(statusOf(await raw(['GET /health/live HTTP/1.1', `${name}: /v1/users`]))).toBe(200);
      expect(await raw(['GET /nowhere HTTP/1.1', `${name}: /v1/users`, 'Accept: application/json'])).not.toContain(
        '"items"',
      );
    },
  );

  test.each([
    '/%2576%2531/users',
    '/v1%252fusers',
    '/v1/%252e%252e/v1/users',
    '//v1/users',
    '/v1/users%00',
    '/v1/users;x',
  ])('%s is no other spelling of a route', async (path) => {
    expect(await raw([`GET ${path} HTTP/1.1`, 'Accept: application/json'])).not.toContain('"items"');
  });
});
