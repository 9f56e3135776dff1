import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { REFUSALS } from '../../src/domain/refusal.ts';
import { OPERATIONS, rpcMethodOf } from '../../src/operations/registry.ts';
import { checkSchema } from './json-schema-check.ts';
import { AS_OPERATOR, testSite, type Answer, type TestSite } from './site.ts';

let site: TestSite;
beforeAll(async () => {
  site = await testSite();
});
afterAll(() => site.close());

const GET = 'BillingService.billing_get';
const ok = (answer: Answer): Record<string, unknown> => {
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('application/json');
  return answer.json;
};

test('each refusal has a number of its own', () => {
  const numbers = Object.values(REFUSALS).map(({ rpc }) => rpc);
  expect(numbers).toEqual([...new Set<number>(numbers)]);
});

describe('a call', () => {
  test('takes its params by name and by position, in the order of the document', async () => {
    const { sid } = await site.wallet(5_000);
    const named = ok(await site.rpc({ jsonrpc: '2.0', id: 'a', method: GET, params: { sid } }));
    const placed = ok(await site.rpc({ jsonrpc: '2.0', id: 'a', method: GET, params: [sid] }));
    expect(named).toMatchObject({ jsonrpc: '2.0', id: 'a', result: { sid, credit_balance_cents: 5_000 } });
    expect(placed).toEqual(named);
  });

  test('sets an absolute balance and answers the wallet', async () => {
    const { sid } = await site.wallet(5_000);
    const method = 'BillingService.set_credit_balance';
    const answer = ok(await site.rpc({ jsonrpc: '2.0', id: 1, method, params: [sid, 1_234] }));
    expect(answer['result']).toMatchObject({ sid, credit_balance_cents: 1_234, lifetime_paid_cents: 0 });
    const negative = ok(await site.rpc({ jsonrpc: '2.0', id: 1, method, params: { sid, balance_cents: -100 } }));
    expect(negative['result']).toMatchObject({ credit_balance_cents: -100 });
  });

  test('without params is one with none', async () => {
    expect(ok(await site.rpc({ jsonrpc: '2.0', id: 1, method: 'BillingService.billing_list' }))).toHaveProperty(
      'result.items',
    );
  });

  test('keeps the id it came with: text, number or null', async () => {
    for (const id of ['', 'x', 0, -7, 1.5, null]) {
      expect(ok(await site.rpc({ jsonrpc: '2.0', id, method: 'session.get' }))['id']).toBe(id);
    }
  });

  test('that is a notification is run and not answered', async () => {
    const { sid } = await site.wallet(0);
    const method = 'BillingService.set_credit_balance';
    const answer = await site.rpc({ jsonrpc: '2.0', method, params: [sid, 77] });
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect(ok(await site.rpc({ jsonrpc: '2.0', id: 1, method: GET, params: [sid] }))).toMatchObject({
      result: { credit_balance_cents: 77 },
    });
  });
});

describe('an error has its number, and the stable code in its data', () => {
  const errorOf = async (body: unknown, headers: Record<string, string> = AS_OPERATOR): Promise<unknown> =>
    ok(await site.call('POST', '/rpc', typeof body === 'string' ? { raw: body, headers } : { body, headers }))['error'];

  test('text that is not JSON is -32700', async () => {
    for (const raw of ['', '{', '{"jsonrpc":"2.0",', 'nonsense', '[1,]']) {
      expect(await errorOf(raw)).toMatchObject({ code: -32700, data: { code: 'invalid_request' } });
    }
  });

  test('what is not a request object is -32600', async () => {
    const bodies = [
      '1',
      'null',
      '[]',
      '{"jsonrpc":"1.0","id":1,"method":"session.get"}',
      '{"jsonrpc":"2.0","id":1}',
      '{"jsonrpc":"2.0","id":1,"method":1}',
      '{"jsonrpc":"2.0","id":{},"method":"session.get"}',
      '{"jsonrpc":"2.0","id":1,"method":"session.get","params":"x"}',
      '{"jsonrpc":"2.0","id":1,"id":2,"method":"session.get"}',
      '{"jsonrpc":"2.0","id":12345678901234567,"method":"session.get"}',
    ];
    for (const raw of bodies) expect(await errorOf(raw)).toMatchObject({ code: -32600 });
  });

  test('an unknown method is -32601, inherited names too', async () => {
    for (const method of ['nonsense', 'toString', '__proto__', 'constructor', 'rpc.nonsense']) {
      expect(await errorOf({ jsonrpc: '2.0', id: 1, method })).toMatchObject({ code: -32601 });
    }
  });

  test('wrong params are -32602 and say where', async () => {
    expect(await errorOf({ jsonrpc: '2.0', id: 1, method: GET, params: { sid: 5 } })).toMatchObject({
      code: -32602,
      data: { code: 'invalid_request', errors: [{ pointer: '#/sid' }] },
    });
    const call = { jsonrpc: '2.0', id: 1, method: GET };
    expect(await errorOf({ ...call, params: ['x', 'y'] })).toMatchObject({ code: -32602 });
    expect(await errorOf({ ...call, params: { sid: 'x', more: 1 } })).toMatchObject({ code: -32602 });
  });

  test('refusals carry the number of their code', async () => {
    const call = { jsonrpc: '2.0', id: 1, method: GET, params: ['01JD9ZQ4T2V6M0F8K3A5B7C9D1'] };
    expect(await errorOf(call)).toMatchObject({ code: REFUSALS.not_found.rpc, data: { code: 'not_found' } });
    expect(await errorOf(call, {})).toMatchObject({ code: -32001, data: { code: 'unauthenticated' } });
    const wrong = { 'x-hero-onboarding-admin-secret': 'wrong' };
    expect(await errorOf(call, wrong)).toMatchObject({ code: -32001, data: { code: 'unauthenticated' } });
  });
});

describe('a batch', () => {
  test('runs in its order, so that a read after a write sees it, and leaves notifications out', async () => {
    const { sid } = await site.wallet(0);
    const set = (cents: number) => ({
      jsonrpc: '2.0',
      method: 'BillingService.set_credit_balance',
      params: [sid, cents],
    });
    const get = (id: number) => ({ jsonrpc: '2.0', id, method: GET, params: [sid] });
    const answer = await site.rpc([set(1), get(1), set(2), get(2), { ...set(3), id: 3 }, get(4), 7]);
    const answers = answer.json as unknown as {
      id: unknown;
      result?: { credit_balance_cents: number };
      error?: unknown;
    }[];
    expect(answers.map(({ id, result }) => [id, result?.credit_balance_cents])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 3],
      [null, undefined],
    ]);
    expect(answers.at(-1)?.error).toMatchObject({ code: -32600 });
  });

  test('of notifications only is not answered', async () => {
    const answer = await site.rpc([{ jsonrpc: '2.0', method: 'session.get' }]);
    expect([answer.status, answer.text]).toEqual([204, '']);
  });

  test('that is empty, has more than 100 calls, or shares one key is one error', async () => {
    const call = { jsonrpc: '2.0', id: 1, method: 'session.get' };
    expect(ok(await site.rpc([]))['error']).toMatchObject({ code: -32600 });
    expect(ok(await site.rpc(Array.from({ length: 101 }, () => call)))['error']).toMatchObject({ code: -32600 });
    expect(ok(await site.rpc([call], { 'idempotency-key': 'x' }))['error']).toMatchObject({ code: -32600 });
    expect(ok(await site.rpc(Array.from({ length: 100 }, () => call)))).toHaveLength(100);
  });

  test('gives each call its key by the param idempotency_key', async () => {
    const { sid } = await site.wallet(1_000);
    const debit = (id: number, key: string) => ({
      jsonrpc: '2.0',
      id,
      method: 'BillingService.debit',
      params: { sid, amount: '1.00', description: 'x', idempotency_key: key },
    });
    const answers = (await site.rpc([debit(1, 'b1'), debit(2, 'b2'), debit(3, 'b1')])).json as unknown as {
      result: unknown;
    }[];
    expect(answers[2]?.result).toEqual(answers[0]?.result);
    expect((await site.operator('GET', `/v1/billings/${sid}`)).json['credit_balance']).toBe('8.00');
  });
});

test('the key of a single call may come as the header', async () => {
  const { sid } = await site.wallet(1_000);
  const call = { jsonrpc: '2.0', id: 1, method: 'BillingService.debit', params: [sid, '1.00', 'x'] };
  const first = await site.rpc(call, { 'idempotency-key': 'rpc-header' });
  const again = await site.rpc(call, { 'idempotency-key': 'rpc-header' });
  expect(first.headers.has('idempotency-hit')).toBe(false);
  expect(again.headers.get('idempotency-hit')).toBe('true');
  expect(again.text).toBe(first.text);
});

test('a replayed refusal says so in its data', async () => {
  const { sid } = await site.wallet(0);
  const call = { jsonrpc: '2.0', id: 1, method: 'BillingService.debit', params: [sid, '1.00', 'x'] };
  const first = ok(await site.rpc(call, { 'idempotency-key': 'rpc-refused' }))['error'];
  const again = ok(await site.rpc(call, { 'idempotency-key': 'rpc-refused' }))['error'];
  expect(first).toMatchObject({ code: -32002, data: { code: 'insufficient_balance' } });
  const data = (first as { data: object }).data;
  expect(again).toEqual({ ...(first as object), data: { ...data, idempotency_hit: true } });
});

describe('rpc.discover', () => {
  const discover = async (): Promise<Record<string, unknown>> =>
    ok(await site.call('POST', '/rpc', { body: { jsonrpc: '2.0', id: 1, method: 'rpc.discover' } }))[
      'result'
    ] as Record<string, unknown>;

  test('answers the OpenRPC 1.3.2 document with every operation', async () => {
    const document = await discover();
    expect(document['openrpc']).toBe('1.3.2');
    const methods = document['methods'] as { name: string }[];
    expect(methods.map(({ name }) => name)).toEqual(OPERATIONS.map(rpcMethodOf));
    expect(document).toEqual((await site.call('GET', '/openrpc.json')).json);
  });

  test('the document is valid under the OpenRPC 1.3 meta-schema', async () => {
    const meta: unknown = JSON.parse(
      readFileSync(new URL('../fixtures/openrpc-1.3-schema.json', import.meta.url), 'utf8'),
    );
    const document = await discover();
    expect(checkSchema(meta, document)).toEqual([]);
    expect(checkSchema(meta, { ...document, methods: [{ name: 1 }] })).not.toEqual([]);
    expect(checkSchema(meta, { ...document, nonsense: true })).not.toEqual([]);
  });
});
