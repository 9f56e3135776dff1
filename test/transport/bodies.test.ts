import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { assert, asyncProperty, constantFrom, oneof, string } from 'fast-check';
import { fieldsOf } from '../../src/operations/json-schema.ts';
import { OPERATIONS } from '../../src/operations/registry.ts';
import { propertySeed } from '../support/property-seed.ts';
import { AS_OPERATOR, moneyRows, refusalOf, testSite, type Answer, type TestSite } from './site.ts';

let site: TestSite;
beforeAll(async () => {
  site = await testSite();
});
afterAll(() => site.close());
afterEach(() => {
  // D13: whatever a test sent, no object learnt from it.
  assertClean();
});

function assertClean(): void {
  if ('polluted' in {}) throw new Error('Object.prototype was polluted');
}

const send = (raw: string, headers: Record<string, string> = {}): Promise<Answer> =>
  site.call('POST', '/admin/balance-adjust', { raw, headers: { ...AS_OPERATOR, ...headers } });

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
      expect(refusalOf(answer)).toBe('400 invalid_request');
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
      expect(refusalOf(await send(raw))).toBe('400 invalid_request');
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
    expect(refusalOf(answer)).toBe('400 invalid_request');
    expect((answer.json['errors'] as unknown[]).length).toBeLessThanOrEqual(20);
  });

  test('over a megabyte is 413 and closes the connection', async () => {
    const answer = await send(`{"reason":"${'x'.repeat(1_048_576)}"}`);
    expect(refusalOf(answer)).toBe('413 body_too_large');
    expect(answer.headers.get('connection')).toBe('close');
  });

  test('that is compressed is 415', async () => {
    expect(refusalOf(await send('{}', { 'content-encoding': 'gzip' }))).toBe('415 unsupported_media_type');
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
      expect(refusalOf(await send('{}', { 'content-type': type }))).toBe('415 unsupported_media_type');
    });
  }

  test('a missing one is 415; UTF-8 may be named', async () => {
    const body = new TextEncoder().encode('{}');
    const response = await site.app.request('/admin/balance-adjust', { method: 'POST', headers: AS_OPERATOR, body });
    expect(response.status).toBe(415);
    expect(refusalOf(await send('{}', { 'content-type': 'Application/JSON; Charset="UTF-8"' }))).toBe(
      '400 invalid_request',
    );
  });
});

test('D11 any text is stored and answered as it came, or refused; never a 500', async () => {
  const seed = propertySeed('D11');
  const unit = constantFrom(
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
  await assert(
    asyncProperty(oneof(string({ unit }), string({ unit: 'binary' })), async (reason) => {
      const answer = await site.operator('POST', '/admin/balance-adjust', { sid, balance_cents: (cents += 1), reason });
      expect([200, 400]).toContain(answer.status);
      if (answer.status === 400) return;
      const statement = await site.operator('GET', `/v1/billings/${sid}/statement?limit=1`);
      const [line] = statement.json['items'] as { description: string }[];
      expect(line?.description).toBe(reason);
    }),
    { seed, numRuns: 100 },
  );
  expect(
    refusalOf(await site.operator('POST', '/admin/balance-adjust', { sid, balance_cents: 1, reason: 'x'.repeat(501) })),
  ).toBe('400 invalid_request');
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
  for (const operation of OPERATIONS.filter((one) => one.http.method === 'post')) {
    const { name, http, access } = operation;
    const own = new Set(fieldsOf(operation).map((field) => field.name));
    test(`${name} takes none of them`, async () => {
      const rows = await moneyRows(site);
      const headers = access === 'node' ? (await site.node()).headers : AS_OPERATOR;
      for (const field of names.filter((one) => !own.has(one))) {
        const path = http.path.replace('{sid}', '01JD9ZQ4T2V6M0F8K3A5B7C9D1').replace('{seq}', '1');
        const answer = await site.call('POST', path, {
          body: { [field]: 1 },
          headers: { ...headers, 'idempotency-key': `d12-${name}-${field}` },
        });
        expect(refusalOf(answer)).toBe('400 invalid_request');
        expect(answer.json['errors']).toContainEqual({
          pointer: `#/${field}`,
          detail: 'is not a field of this operation',
        });
      }
      expect(await moneyRows(site)).toBe(rows);
    });
  }

  test('neither does a query, on reading or writing', async () => {
    expect(refusalOf(await site.operator('GET', '/v1/billings?sort=balance'))).toBe('400 invalid_request');
    expect(refusalOf(await site.operator('GET', '/v1/billings?limit=1&limit=2'))).toBe('400 invalid_request');
    expect(refusalOf(await site.operator('POST', '/v1/users?role=admin', {}))).toBe('400 invalid_request');
  });

  test('a field of the path in the body is refused', async () => {
    const path = '/v1/billings/01JD9ZQ4T2V6M0F8K3A5B7C9D1/credit-balance';
    expect(refusalOf(await site.operator('POST', path, { sid: 'x', balance_cents: 1 }))).toBe('400 invalid_request');
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
      expect(refusalOf(await send(raw))).toBe('400 invalid_request');
      const call = `{"jsonrpc":"2.0","id":1,"method":"user.create","params":${raw}}`;
      const answer = await site.call('POST', '/rpc', { raw: call, headers: AS_OPERATOR });
      expect(answer.json['error']).toMatchObject({ code: -32600 });
    });
  }

  test('in a query is 400', async () => {
    for (const query of ['__proto__=1', '__proto__[polluted]=1', 'constructor.prototype.polluted=1', 'constructor=1']) {
      expect(refusalOf(await site.operator('GET', `/v1/billings?${query}`))).toBe('400 invalid_request');
    }
  });
});
