import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { REFUSALS } from '../../src/domain/refusal.ts';
import { buildHttp } from '../../src/http/app.ts';
import { OPERATIONS } from '../../src/operations/registry.ts';
import { propertySeed } from '../support/property-seed.ts';
import { ADMIN_SECRET, AS_OPERATOR, codeOf, moneyRows, testSite, type Answer, type TestSite } from './site.ts';

let site: TestSite;
beforeAll(async () => {
  site = await testSite();
});
afterAll(() => site.close());
afterEach(() => {
  // D13: whatever a test sent, no object learnt from it.
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

const expectRefused = (answer: Answer, status: number, code: string): void => {
  expect([answer.status, codeOf(answer)]).toEqual([status, code]);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(answer.json).toMatchObject({
    status,
    type: `/docs/errors#${code}`,
    request_id: answer.headers.get('x-request-id'),
  });
};

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
    for (const answer of answers) expectRefused(answer, 401, 'unauthenticated');
    expect(await moneyRows(site)).toBe(rows);
  });

  test('an unknown sid is 404', async () => {
    expectRefused(await send('{"sid":"01JD9ZQ4T2V6M0F8K3A5B7C9D1","balance_cents":1}'), 404, 'not_found');
  });
});

describe('D02 a number that a double would round is refused from its text', () => {
  for (const text of [
    '9007199254740993',
    '1234567890123456',
    '1e3',
    '1E2',
    '-0',
    '0.1',
    '01',
    '+5',
    'NaN',
    'Infinity',
    '1.',
    '.5',
    '0x10',
    '1_000',
  ]) {
    test(`${text} is refused`, async () => {
      const { sid } = await site.wallet(0);
      const answer = await send(`{"sid":"${sid}","balance_cents":${text}}`);
      expectRefused(answer, 400, 'invalid_request');
      expect((await site.operator('GET', `/v1/billings/${sid}`)).json['credit_balance_cents']).toBe(0);
    });
  }
});

describe('D09 a body that is broken, ambiguous or hostile', () => {
  const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const cases: Readonly<Record<string, string>> = {
    'is empty': '',
    'is not JSON': '{"sid":',
    'is not an object': '[1]',
    'has the same name twice': '{"sid":"a","sid":"b","balance_cents":1}',
    'has the same name twice, once escaped': '{"sid":"a","s\\u0069d":"b","balance_cents":1}',
    'has 100,000 nested arrays': nested,
    'has 100,000 nested arrays in a field': `{"sid":${nested}}`,
    'has half a surrogate pair': '{"sid":"\\ud800","balance_cents":1}',
    'has a NUL in a string': '{"sid":"a\\u0000b","balance_cents":1}',
    'has a NUL in a name': '{"a\\u0000":1}',
    'begins with a byte order mark': '\ufeff{}',
  };
  for (const [name, raw] of Object.entries(cases)) {
    test(`that ${name} is 400`, async () => {
      expectRefused(await send(raw), 400, 'invalid_request');
    });
  }

  test('that is not UTF-8 is 400', async () => {
    const response = await site.app.request('/admin/balance-adjust', {
      method: 'POST',
      headers: { ...AS_OPERATOR, 'content-type': 'application/json' },
      body: new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
    });
    expect(response.status).toBe(400);
  });

  test('with 100,000 fields is 400 with at most 20 errors', async () => {
    const members = Array.from({ length: 80_000 }, (_, index) => `"f${index}":1`);
    const answer = await send(`{${members.join(',')}}`);
    expectRefused(answer, 400, 'invalid_request');
    expect((answer.json['errors'] as unknown[]).length).toBeLessThanOrEqual(20);
  });

  test('over a megabyte is 413 and closes the connection', async () => {
    const answer = await send(`{"reason":"${'x'.repeat(1_048_576)}"}`);
    expectRefused(answer, 413, 'body_too_large');
    expect(answer.headers.get('connection')).toBe('close');
  });

  test('that is compressed is 415', async () => {
    expectRefused(await send('{}', { 'content-encoding': 'gzip' }), 415, 'unsupported_media_type');
  });
});

describe('D10 another content type than JSON in UTF-8', () => {
  const types = [
    'text/plain',
    'application/xml',
    'application/json; charset=utf-16',
    'multipart/form-data; boundary=x',
    'application/jsonx',
    ' ',
    'application/json\t; charset=latin1',
  ];
  for (const type of types) {
    test(`${JSON.stringify(type)} is 415`, async () => {
      expectRefused(await send('{}', { 'content-type': type }), 415, 'unsupported_media_type');
    });
  }

  test('a missing one is 415; UTF-8 may be named', async () => {
    const body = new TextEncoder().encode('{}');
    const response = await site.app.request('/admin/balance-adjust', { method: 'POST', headers: AS_OPERATOR, body });
    expect(response.status).toBe(415);
    expectRefused(await send('{}', { 'content-type': 'Application/JSON; Charset="UTF-8"' }), 400, 'invalid_request');
  });
});

test('D11 any text is stored and answered as it came, or refused; never a 500', async () => {
  const seed = propertySeed('D11');
  const unit = fc.constantFrom(
    'a',
    ' ',
    'é',
    'e\u0301',
    '\u202e',
    '👩‍👩‍👧',
    '\ufeff',
    '\u0000',
    '\ud800',
    '\t',
    '\u007f',
    '"',
    '\\',
    '<img>',
  );
  const { sid } = await site.wallet(0);
  let cents = 0;
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string({ unit }), fc.string({ unit: 'binary' })), async (reason) => {
      const answer = await site.operator('POST', '/admin/balance-adjust', { sid, balance_cents: (cents += 1), reason });
      expect([200, 400]).toContain(answer.status);
      if (answer.status === 400) return;
      const statement = await site.operator('GET', `/v1/billings/${sid}/statement?limit=1`);
      const [line] = statement.json['items'] as { description: string }[];
      expect(line?.description).toBe(reason);
    }),
    { seed, numRuns: 100 },
  );
  expectRefused(
    await site.operator('POST', '/admin/balance-adjust', { sid, balance_cents: 1, reason: 'x'.repeat(501) }),
    400,
    'invalid_request',
  );
});

describe('D12 an unknown field is refused and changes nothing', () => {
  const names = [
    'balance',
    'credit_balance',
    'role',
    'is_admin',
    'lifetime_paid_cents',
    'user_sid',
    'id',
    'seq',
    'currency',
    'floor',
    'idem',
  ];
  for (const { name, http } of OPERATIONS.filter((one) => one.http.method === 'post')) {
    test(`${name} takes none of them`, async () => {
      const rows = await moneyRows(site);
      for (const field of names) {
        const path = http.path.replace('{sid}', '01JD9ZQ4T2V6M0F8K3A5B7C9D1');
        const answer = await site.operator('POST', path, { [field]: 1 }, { 'idempotency-key': `d12-${name}-${field}` });
        expectRefused(answer, 400, 'invalid_request');
        expect(answer.json['errors']).toContainEqual({
          pointer: `#/${field}`,
          detail: 'is not a field of this operation',
        });
      }
      expect(await moneyRows(site)).toBe(rows);
    });
  }

  test('neither does a query, on reading or writing', async () => {
    expectRefused(await site.operator('GET', '/v1/billings?sort=balance'), 400, 'invalid_request');
    expectRefused(await site.operator('GET', '/v1/billings?limit=1&limit=2'), 400, 'invalid_request');
    expectRefused(await site.operator('POST', '/v1/users?role=admin', {}), 400, 'invalid_request');
  });

  test('a field of the path in the body is refused', async () => {
    const path = '/v1/billings/01JD9ZQ4T2V6M0F8K3A5B7C9D1/credit-balance';
    expectRefused(await site.operator('POST', path, { sid: 'x', balance_cents: 1 }), 400, 'invalid_request');
  });
});

describe('D13 names that reach a prototype', () => {
  const bodies = [
    '{"__proto__":{"polluted":1}}',
    '{"constructor":{"prototype":{"polluted":1}}}',
    '{"reason":{"__proto__":{"polluted":1}}}',
    '{"\\u005f_proto__":{"polluted":1}}',
    '{"prototype":{"polluted":1}}',
  ];
  for (const raw of bodies) {
    test(`${raw} is 400`, async () => {
      expectRefused(await send(raw), 400, 'invalid_request');
      const call = `{"jsonrpc":"2.0","id":1,"method":"user.create","params":${raw}}`;
      const answer = await site.call('POST', '/rpc', { raw: call, headers: AS_OPERATOR });
      expect(answer.json['error']).toMatchObject({ code: -32600 });
    });
  }

  test('in a query is 400', async () => {
    for (const query of ['__proto__=1', '__proto__[polluted]=1', 'constructor.prototype.polluted=1', 'constructor=1']) {
      expectRefused(await site.operator('GET', `/v1/billings?${query}`), 400, 'invalid_request');
    }
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
    expectRefused(foreign, 404, 'not_found');
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
      expectRefused(await site.operator('GET', `/v1/billings?limit=${limit}`), 400, 'invalid_request');
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
      expectRefused(await site.operator('GET', `/v1/billings?cursor=${one}`), 400, 'invalid_request');
    expectRefused(await site.operator('GET', `/v1/users?cursor=${cursor}`), 400, 'invalid_request');
  });
});

describe('methods and paths', () => {
  test('a known path under another method is 405 and says which it takes', async () => {
    const answer = await site.operator('GET', '/admin/balance-adjust');
    expectRefused(answer, 405, 'method_not_allowed');
    expect(answer.headers.get('allow')).toBe('POST');
    expect((await site.call('DELETE', '/v1/session')).headers.get('allow')).toBe('GET, HEAD');
  });

  test('an unknown path is 404, and a header cannot change the method or the path', async () => {
    expectRefused(await site.call('GET', '/nonsense'), 404, 'not_found');
    const headers = { 'x-http-method-override': 'GET', 'x-original-url': '/v1/session' };
    expectRefused(await site.call('POST', '/v1/session', { body: {}, headers }), 405, 'method_not_allowed');
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
      expectRefused(answer, 405, 'method_not_allowed');
      expect(answer.headers.get('allow')).toBe('POST');
      expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });

  test('without a provider is 503, asks to come back, and stores nothing', async () => {
    const answer = await site.call('POST', '/webhooks/stripe', {
      raw: '{}',
      headers: { origin: 'https://evil.example', cookie: 'hero_session=x' },
    });
    expectRefused(answer, 503, 'webhook_not_configured');
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    const rows = await site.database.owner.query({ name: 'test.inbox', text: 'select sid from inbox' });
    expect(rows).toEqual([]);
  });

  test('takes half a megabyte at most', async () => {
    expectRefused(await site.call('POST', '/webhooks/stripe', { raw: 'x'.repeat(524_289) }), 413, 'body_too_large');
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
