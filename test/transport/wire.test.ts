import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { REFUSALS } from '../../src/domain/refusal.ts';
import { buildHttp } from '../../src/http/app.ts';
import { ADMIN_SECRET, AS_OPERATOR, moneyRows, refusalOf, testSite, type Answer, type TestSite } from './site.ts';

let site: TestSite;
beforeAll(async () => {
  site = await testSite();
});
afterAll(() => site.close());

const send = (raw: string, headers: Record<string, string> = {}): Promise<Answer> =>
  site.call('POST', '/admin/balance-adjust', { raw, headers: { ...AS_OPERATOR, ...headers } });

describe('the founding route', () => {
  test('5000 to 1234 answers both, lets a balance go below zero and never touches what was paid', async () => {
    const { sid } = await site.wallet(5_000);
    const adjust = (cents: unknown) => site.operator('POST', '/admin/balance-adjust', { sid, balance_cents: cents });
    expect((await adjust(1_234)).json).toMatchObject({ sid, prev_balance: 5_000, new_balance: 1_234 });
    expect((await adjust(-100)).json).toMatchObject({ prev_balance: 1_234, new_balance: -100 });
    const last = await adjust(0);
    expect(last.json).toMatchObject({ prev_balance: -100, new_balance: 0, billing: { lifetime_paid_cents: 0 } });
  });

  test('a secret that is missing, wrong, in the query or sent twice is 401, whatever the body', async () => {
    const { sid } = await site.wallet(0);
    const path = '/admin/balance-adjust';
    const body = { sid, balance_cents: 1 };
    const rows = await moneyRows(site);
    const answers = [
      await site.call('POST', path, { body }),
      await site.call('POST', path, { raw: 'nonsense' }),
      await site.call('POST', `${path}?admin_secret=${ADMIN_SECRET}`, { body }),
      await site.call('POST', path, { body, headers: { 'x-hero-onboarding-admin-secret': '' } }),
      await site.call('POST', path, { body, headers: { 'x-hero-onboarding-admin-secret': `${ADMIN_SECRET}x` } }),
      await site.call('POST', path, {
        body,
        headers: { 'x-hero-onboarding-admin-secret': `${ADMIN_SECRET}, ${ADMIN_SECRET}` },
      }),
    ];
    for (const answer of answers) expect(refusalOf(answer)).toBe('401 unauthenticated');
    expect(await moneyRows(site)).toBe(rows);
  });

  test('an unknown sid is 404', async () => {
    expect(refusalOf(await send('{"sid":"01JD9ZQ4T2V6M0F8K3A5B7C9D1","balance_cents":1}'))).toBe('404 not_found');
  });
});

describe('D14 an id that is not ours to see answers as one that does not exist', () => {
  test('for another user', async () => {
    const mine = await site.call('POST', '/login/sandbox', { body: { name: 'Mine' } });
    const theirs = await site.call('POST', '/login/sandbox', { body: { name: 'Theirs' } });
    const as = { authorization: `Bearer ${String(mine.json['token'])}` };
    const read = (sid: string) => site.call('GET', `/v1/billings/${sid}`, { headers: as });
    const foreign = await read(String(theirs.json['wallet_sid']));
    const absent = await read('01JD9ZQ4T2V6M0F8K3A5B7C9D1');
    expect(refusalOf(foreign)).toBe('404 not_found');
    const bare = ({ json }: Answer) => ({ ...json, request_id: '' });
    expect(bare(foreign)).toEqual(bare(absent));
    expect((await read(String(mine.json['wallet_sid']))).status).toBe(200);
  });

  for (const sid of [
    '..%2f..%2fetc',
    '%00',
    '%ff',
    '%',
    'x'.repeat(10_000),
    '01jd9zq4t2v6m0f8k3a5b7c9d1',
    '17',
    "1'--",
  ]) {
    test(`${sid.slice(0, 30)} is 400 or 404`, async () => {
      expect([400, 404]).toContain((await site.operator('GET', `/v1/billings/${sid}`)).status);
    });
  }
});

describe('D15 pages', () => {
  for (const limit of ['-1', '0', '201', '1000000000', '1.5', '1e1', '', 'x', '%201', '01']) {
    test(`a limit of ${JSON.stringify(limit)} is 400`, async () => {
      expect(refusalOf(await site.operator('GET', `/v1/billings?limit=${limit}`))).toBe('400 invalid_request');
    });
  }

  test('a walk by cursor sees every row once, in order', async () => {
    for (let count = 0; count < 5; count += 1) await site.wallet(0);
    const all = (await site.operator('GET', '/v1/billings?limit=200')).json['items'] as { sid: string }[];
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Answer = await site.operator(
        'GET',
        `/v1/billings?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      seen.push(...(page.json['items'] as { sid: string }[]).map(({ sid }) => sid));
      cursor = page.json['next_cursor'] as string | null;
    }
    expect(seen).toEqual(all.map(({ sid }) => sid));
  });

  test('a cursor that we did not make for this list is 400', async () => {
    await site.wallet(0);
    await site.wallet(0);
    const cursor = String((await site.operator('GET', '/v1/billings?limit=1')).json['next_cursor']);
    expect((await site.operator('GET', `/v1/billings?limit=1&cursor=${cursor}`)).status).toBe(200);
    const [key = '', mac = ''] = cursor.split('.');
    const forged = [
      'x',
      `${key}.`,
      key,
      `${Buffer.from('00000000000000000000000000').toString('base64url')}.${mac}`,
      `${cursor}x`,
      cursor.toLowerCase(),
      `${key}.${mac}.${mac}`,
    ];
    for (const one of forged)
      expect(refusalOf(await site.operator('GET', `/v1/billings?cursor=${one}`))).toBe('400 invalid_request');
    expect(refusalOf(await site.operator('GET', `/v1/users?cursor=${cursor}`))).toBe('400 invalid_request');
  });
});

describe('methods and paths', () => {
  test('a known path under another method is 405 and says which it takes', async () => {
    const answer = await site.operator('GET', '/admin/balance-adjust');
    expect(refusalOf(answer)).toBe('405 method_not_allowed');
    expect(answer.headers.get('allow')).toBe('POST');
    expect((await site.call('DELETE', '/v1/session')).headers.get('allow')).toBe('GET, HEAD');
  });

  test('an unknown path is 404, and a header cannot change the method or the path', async () => {
    expect(refusalOf(await site.call('GET', '/nonsense'))).toBe('404 not_found');
    const headers = { 'x-http-method-override': 'GET', 'x-original-url': '/v1/session' };
    expect(refusalOf(await site.call('POST', '/v1/session', { body: {}, headers }))).toBe('405 method_not_allowed');
  });
});

describe('A17 the webhook route', () => {
  test('takes POST only, whatever cookies and origin come along, and lets no other site read', async () => {
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const headers = {
        origin: 'https://evil.example',
        cookie: 'hero_session=x',
        'access-control-request-method': 'POST',
      };
      const answer = await site.call(method, '/webhooks/stripe', { headers });
      expect(refusalOf(answer)).toBe('405 method_not_allowed');
      expect(answer.headers.get('allow')).toBe('POST');
      expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });

  test('without a provider is 503, asks to come back, and stores nothing', async () => {
    const answer = await site.call('POST', '/webhooks/stripe', {
      raw: '{}',
      headers: { origin: 'https://evil.example', cookie: 'hero_session=x' },
    });
    expect(refusalOf(answer)).toBe('503 webhook_not_configured');
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    const rows = await site.database.owner.query({ name: 'test.inbox', text: 'select sid from inbox' });
    expect(rows).toEqual([]);
  });

  test('A10 A11 A12 of a provider that is not set up here believes no signature scheme: 503, nothing stored', async () => {
    const deliveries = [
      ['clickpesa', '{"event":"PAYMENT RECEIVED","data":{"status":"SUCCESS"},"checksum":"00"}'],
      ['clickpesa', '{"a":"12","b":"3","checksumMethod":"legacy"}'],
      ['btcpay', '{"invoiceId":"1","invoiceId":"2","__proto__":{"isPaid":true},"amount":1e2}'],
    ] as const;
    for (const [name, raw] of deliveries) {
      const headers = { 'btcpay-sig': 'sha256=00', 'x-signature': '00' };
      const answer = await site.call('POST', `/webhooks/${name}`, { raw, headers });
      expect(refusalOf(answer)).toBe('503 webhook_not_configured');
    }
    expect(await site.database.owner.query({ name: 'test.inbox', text: 'select sid from inbox' })).toEqual([]);
    expect(({} as Record<string, unknown>)['isPaid']).toBeUndefined();
  });

  test('takes half a megabyte at most', async () => {
    expect(refusalOf(await site.call('POST', '/webhooks/stripe', { raw: 'x'.repeat(524_289) }))).toBe(
      '413 body_too_large',
    );
  });
});

test('G13 an exception in a handler is 500 with the request id in the log, tells nothing, and the next request works', async () => {
  const { house } = site;
  const broken = {
    ...house,
    db: { ...house.db, query: () => Promise.reject(new Error('relation "wallet" of /var/lib/secret')) },
  };
  const app = buildHttp(broken, {
    adminSecrets: [{ id: 'adm_1', secret: ADMIN_SECRET }],
    ping: () => Promise.resolve(),
  });
  const response = await app.request('/v1/billings', { headers: AS_OPERATOR });
  const text = await response.text();
  expect(response.status).toBe(500);
  expect(text).not.toContain('relation');
  const requestId = response.headers.get('x-request-id');
  expect(JSON.parse(text)).toMatchObject({ code: 'internal', request_id: requestId });
  const logged = site.ports.log.lines.filter(({ level }) => level === 'error');
  expect(logged.map(({ facts }) => facts['request_id'])).toContain(requestId);
  expect((await site.operator('GET', '/v1/billings')).status).toBe(200);
});

test('the refusals page names every code, and the committed page does too', async () => {
  const served = (await site.call('GET', '/docs/errors')).text;
  const committed = readFileSync(new URL('../../docs/reference/refusals.md', import.meta.url), 'utf8');
  for (const [code, { status, rpc }] of Object.entries(REFUSALS)) {
    expect(served).toContain(`<tr id="${code}"><td><code>${code}</code></td><td>${status}</td><td>${rpc}</td>`);
    expect(committed).toContain(`| \`${code}\` | ${status} | ${rpc} |`);
  }
});
