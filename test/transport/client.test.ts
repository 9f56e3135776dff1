import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient, type Client } from '../../client/client.ts';
import { ProblemError } from '../../client/problem.ts';
import { ROUTES } from '../../client/routes.ts';
import { OPERATIONS } from '../../src/operations/registry.ts';
import { ADMIN_SECRET, testSite, type TestSite } from './site.ts';

let site: TestSite;
beforeAll(async () => {
  site = await testSite();
});
afterAll(() => site.close());

interface Sent {
  readonly url: string;
  readonly key: string | null;
}

/** A client of the site; `faults` come in place of answers, one for each attempt, until there are none left. */
function clientWith(faults: (Response | Error)[] = []): { client: Client; sent: Sent[]; waits: number[] } {
  const sent: Sent[] = [];
  const waits: number[] = [];
  const client = createClient({
    url: 'http://service',
    adminSecret: ADMIN_SECRET,
    sleep: (ms) => {
      waits.push(ms);
      return Promise.resolve();
    },
    fetch: async (url, init) => {
      sent.push({ url, key: new Headers(init.headers).get('idempotency-key') });
      const fault = faults.shift();
      if (fault instanceof Error) throw fault;
      return fault ?? (await site.app.request(url.slice('http://service'.length), init));
    },
  });
  return { client, sent, waits };
}

const busy = (status: number, retryAfter?: string): Response =>
  new Response('{"code":"rate_limited","detail":"wait"}', {
    status,
    headers: {
      'content-type': 'application/problem+json',
      ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
    },
  });

test('the client has a route for every operation', () => {
  const routes = OPERATIONS.map(({ name, http, idempotency }) => [
    name,
    { method: http.method.toUpperCase(), path: http.path, idempotency },
  ]);
  expect(ROUTES).toEqual(Object.fromEntries(routes));
});

test('a call has its input where it belongs and the typed output', async () => {
  const { client } = clientWith();
  const user = await client.call('user.create', { display_name: 'Ada' });
  await client.call('billing.adjust', { sid: user.billing.sid, balance_cents: 500 });
  const wallet = await client.call('billing.get', { sid: user.billing.sid });
  expect(wallet.credit_balance).toBe('5.00');
  const page = await client.call('billing.list', { search: 'Ada', limit: 1 });
  expect(page.items.map(({ sid }) => sid)).toEqual([user.billing.sid]);
});

describe('a call that may be repeated', () => {
  test('is, after 429, 503 and a broken connection, with the same key, and the money moves once', async () => {
    const { sid } = await site.wallet(1_000);
    const { client, sent, waits } = clientWith([busy(429, '2'), busy(503), new TypeError('reset')]);
    const { value } = await client.answer('billing.debit', { sid, amount: '1.00', description: 'x' });
    expect(value.credit_balance).toBe('9.00');
    expect(sent).toHaveLength(4);
    expect(new Set(sent.map(({ key }) => key)).size).toBe(1);
    expect(waits).toEqual([2_000, 500, 1_000]);
  });

  test('gives up after four attempts and names its key', async () => {
    const { client, sent } = clientWith(Array.from({ length: 4 }, () => new TypeError('reset')));
    const failed = client.call(
      'billing.debit',
      { sid: 'x', amount: '1.00', description: 'x' },
      { idempotencyKey: 'mine' },
    );
    await expect(failed).rejects.toMatchObject({ status: 0, code: 'unreachable', idempotencyKey: 'mine' });
    expect(sent).toHaveLength(4);
  });

  test('says when the answer is the first one again', async () => {
    const { sid } = await site.wallet(1_000);
    const { client } = clientWith();
    const call = () =>
      client.answer('billing.debit', { sid, amount: '1.00', description: 'x' }, { idempotencyKey: 'client-1' });
    expect((await call()).isReplayed).toBe(false);
    expect((await call()).isReplayed).toBe(true);
  });
});

test('a writing call without a key is sent once only', async () => {
  const { client, sent } = clientWith([busy(503)]);
  await expect(client.call('user.create', {})).rejects.toBeInstanceOf(ProblemError);
  expect(sent).toHaveLength(1);
});

test('a refusal is not repeated and says what is wrong', async () => {
  const { client, sent } = clientWith();
  const refused = client.call('billing.debit', { sid: 'x', amount: '1.00', description: 'x' });
  await expect(refused).rejects.toMatchObject({ status: 400, code: 'invalid_request', errors: [{ pointer: '#/sid' }] });
  expect(sent).toHaveLength(1);
});
