import { holdReserve } from '../../src/operations/hold/reserve.ts';
import { paymentCreate } from '../../src/operations/payment/create.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildHttp } from '../../src/http/app.ts';
import { systemClock } from '../../src/ports/system.ts';
import { idemOf } from '../../src/operations/idempotency-key.ts';
import { OPERATIONS, operationByName } from '../../src/operations/registry.ts';
import type { Tx } from '../../src/store/db.ts';
import { tryLockKey } from '../../src/store/idempotency.ts';
import { ADMIN_SECRET, AS_OPERATOR, codeOf, moneyRows, testSite, type TestSite } from './site.ts';

let site: TestSite;
beforeAll(async () => {
  site = await testSite();
});
afterAll(() => site.close());

const SID = '01JD9ZQ4T2V6M0F8K3A5B7C9D1';
/** Valid inputs, so that only the key can be what is wrong. */
const INPUTS: Readonly<Record<string, Record<string, unknown>>> = {
  'allocation.create': { wallet_sid: SID, name: 'x' },
  'billing.debit': { amount: '1.00', description: 'x' },
  'code.redeem': { code: 'WELCOME-2026' },
  'grant.give': { wallet_sid: SID, amount: '1.00', reason: 'x' },
  'grant.revoke': { reason: 'x' },
  'hold.reserve': { wallet_sid: SID, amount: '1.00', description: 'x' },
  'hold.capture': { amount: '1.00' },
  'hold.settle': { amount: '1.00' },
  'hold.release': {},
  'lease.grant': { user_sid: SID, amount: '1.00' },
  'dispute.accept': { reason: 'x' },
  'dispute.submit-evidence': { statement: 'x' },
  'movement.assign': { wallet_sid: SID, reason: 'x' },
  'movement.refund': { reason: 'x' },
  'movement.suspend': { reason: 'x' },
  'refund.create': { payment_sid: SID, amount: '1.00', reason: 'x' },
  'plan.buy': { plan: 'vm-5', sid: SID },
  'subscription.change': { plan: 'vm-5' },
  'payment.create': { provider: 'stripe', amount: '25.00', wallet_sid: SID },
};
const MONEY_OPERATIONS = OPERATIONS.filter(({ idempotency }) => idempotency === 'required');

describe('F01 a call that moves money is refused without a key', () => {
  test('the list of such operations is this one', () => {
    expect(MONEY_OPERATIONS.map(({ name }) => name).sort()).toEqual(Object.keys(INPUTS).sort());
  });

  for (const { name, http, access } of MONEY_OPERATIONS) {
    test(`${name} is refused and moves nothing`, async () => {
      const before = await moneyRows(site);
      const path = http.path.replace('{sid}', SID);
      const headers = access === 'node' ? (await site.node()).headers : AS_OPERATOR;
      const refused = await site.call(http.method.toUpperCase(), path, { body: INPUTS[name], headers });
      expect(refused.status).toBe(400);
      expect(codeOf(refused)).toBe('invalid_request');
      expect(refused.json['details']).toEqual({ docs: '/docs/errors#idempotency-key' });
      expect(await moneyRows(site)).toBe(before);
    });
  }
});

describe('F02 the same key and body answer as the first time, byte for byte', () => {
  test('for an operation that commits', async () => {
    const { sid } = await site.wallet(5_000);
    const body = { wallet_sid: sid, amount: '12.50', description: 'a call' };
    const first = await site.operator('POST', '/v1/holds', body, { 'idempotency-key': 'f02-hold' });
    const again = await site.operator('POST', '/v1/holds', body, { 'idempotency-key': '"f02-hold"' });
    expect(first.status).toBe(201);
    expect(first.headers.has('idempotency-hit')).toBe(false);
    expect(again.headers.get('idempotency-hit')).toBe('true');
    expect([again.status, again.text]).toEqual([first.status, first.text]);
    expect((await site.operator('GET', `/v1/billings/${sid}`)).json['reserved']).toBe('12.50');
  });

  test('for a debit, which goes through the lanes', async () => {
    const { sid } = await site.wallet(5_000);
    const body = { amount: '1.25', description: 'a call' };
    const first = await site.operator('POST', `/v1/billings/${sid}/debits`, body, { 'idempotency-key': 'f02-debit' });
    const again = await site.operator('POST', `/v1/billings/${sid}/debits`, body, { 'idempotency-key': 'f02-debit' });
    expect(first.status).toBe(200);
    expect(again.headers.get('idempotency-hit')).toBe('true');
    expect([again.status, again.text]).toEqual([first.status, first.text]);
    expect((await site.operator('GET', `/v1/billings/${sid}`)).json['credit_balance']).toBe('48.75');
  });

  test('for a refusal, with the request id of the first, even after the wallet was filled', async () => {
    const { sid } = await site.wallet(0);
    const body = { wallet_sid: sid, amount: '12.50', description: 'a call' };
    const first = await site.operator('POST', '/v1/holds', body, { 'idempotency-key': 'f02-refused' });
    expect(codeOf(first)).toBe('insufficient_balance');
    await site.operator('POST', '/admin/balance-adjust', { sid, balance_cents: 10_000 });
    const again = await site.operator('POST', '/v1/holds', body, { 'idempotency-key': 'f02-refused' });
    expect(again.headers.get('idempotency-hit')).toBe('true');
    expect([again.status, again.text]).toEqual([first.status, first.text]);
  });

  test('over the other wire too', async () => {
    const { sid } = await site.wallet(5_000);
    const body = { amount: '1.00', description: 'a call' };
    const first = await site.operator('POST', `/v1/billings/${sid}/debits`, body, { 'idempotency-key': 'f02-wires' });
    const params = { sid, ...body, idempotency_key: 'f02-wires' };
    const again = await site.rpc({ jsonrpc: '2.0', id: 1, method: 'BillingService.debit', params });
    expect(again.headers.get('idempotency-hit')).toBe('true');
    expect(again.json['result']).toEqual(first.json);
  });
});

describe('F03 the scope of a key is the operation and the caller', () => {
  test('another body is refused with 422 and changes nothing', async () => {
    const { sid } = await site.wallet(5_000);
    const headers = { 'idempotency-key': 'f03-body' };
    const hold = { wallet_sid: sid, amount: '1.00', description: 'a call' };
    await site.operator('POST', '/v1/holds', hold, headers);
    await site.operator('POST', `/v1/billings/${sid}/debits`, { amount: '1.00', description: 'a' }, headers);
    const rows = await moneyRows(site);
    const otherHold = await site.operator('POST', '/v1/holds', { ...hold, amount: '2.00' }, headers);
    const otherDebit = await site.operator(
      'POST',
      `/v1/billings/${sid}/debits`,
      { amount: '2.00', description: 'a' },
      headers,
    );
    for (const refused of [otherHold, otherDebit]) {
      expect([refused.status, codeOf(refused)]).toEqual([422, 'idempotency_key_reused']);
    }
    expect(await moneyRows(site)).toBe(rows);
  });

  test('another operation and another user are separate', () => {
    const user = (sid: string) => ({ kind: 'user', id: `user:${sid}`, userSid: sid }) as const;
    const idems = [
      idemOf(paymentCreate, user('A'), 'f03'),
      idemOf(paymentCreate, user('B'), 'f03'),
      idemOf(holdReserve, user('A'), 'f03'),
      idemOf(paymentCreate, { kind: 'operator', id: 'admin:one', role: 'admin', userSid: null }, 'f03'),
    ];
    expect(new Set(idems).size).toBe(idems.length);
  });

  test('another credential of the operators is the same caller: nobody is charged twice for a rotated secret', async () => {
    const { sid } = await site.wallet(5_000);
    const headers = { 'idempotency-key': 'f03-actor' };
    const body = { amount: '1.00', description: 'a call' };
    const signedIn = await site.call('POST', '/login/admin', { body: { admin_secret: ADMIN_SECRET } });
    const first = await site.operator('POST', `/v1/billings/${sid}/debits`, body, headers);
    const other = await site.call('POST', `/v1/billings/${sid}/debits`, {
      body,
      headers: { ...headers, authorization: `Bearer ${String(signedIn.json['token'])}` },
    });
    expect([other.status, other.text, other.headers.get('idempotency-hit')]).toEqual([200, first.text, 'true']);
    expect((await site.operator('GET', `/v1/billings/${sid}`)).json['credit_balance']).toBe('49.00');
  });
});

describe('F04 the same key many times at once runs once', () => {
  test('fifty calls in one process answer alike, with one hold', async () => {
    const { sid } = await site.wallet(5_000);
    const body = { wallet_sid: sid, amount: '1.00', description: 'a call' };
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => site.operator('POST', '/v1/holds', body, { 'idempotency-key': 'f04' })),
    );
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers.filter(({ headers }) => !headers.has('idempotency-hit'))).toHaveLength(1);
    expect((await site.operator('GET', `/v1/billings/${sid}`)).json['reserved']).toBe('1.00');
  });

  test('fifty calls in two processes answer alike, with one hold', async () => {
    const { sid } = await site.wallet(5_000);
    const ports = { ...site.ports, clock: systemClock };
    // Houses share nothing but the database: each has its own calls in mind.
    const apps = [1, 2].map(() => {
      const house = { ...site.house, ports, db: site.database.open() };
      return buildHttp(house, { adminSecrets: [{ id: 'adm_1', secret: ADMIN_SECRET }], ping: () => Promise.resolve() });
    });
    const init = {
      method: 'POST',
      body: JSON.stringify({ wallet_sid: sid, amount: '1.00', description: 'a call' }),
      headers: { ...AS_OPERATOR, 'content-type': 'application/json', 'idempotency-key': 'f04-two' },
    };
    const calls = apps.flatMap((app) => Array.from({ length: 25 }, async () => await app.request('/v1/holds', init)));
    const answers = await Promise.all(calls);
    expect(new Set(await Promise.all(answers.map((answer) => answer.text()))).size).toBe(1);
    expect(answers.filter((answer) => answer.headers.get('idempotency-hit') !== 'true')).toHaveLength(1);
    expect((await site.operator('GET', `/v1/billings/${sid}`)).json['reserved']).toBe('1.00');
  });

  test('a call that finds the key in use by another process answers 409 after 5 s and succeeds later', async () => {
    const { sid } = await site.wallet(5_000);
    const body = { wallet_sid: sid, amount: '1.00', description: 'a call' };
    const other = new AbortController();
    const operation = operationByName('hold.reserve');
    if (!operation) throw new Error('hold.reserve is an operation');
    const idem = idemOf(operation, { kind: 'operator', id: 'admin:adm_1', role: 'admin', userSid: null }, 'f04-other');
    let isHeld = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      isHeld = resolve;
    });
    const holding = site.database.owner.transaction('test.hold_key', async (tx) => {
      await tryLockKey(tx, idem);
      isHeld();
      await new Promise((resolve) => other.signal.addEventListener('abort', resolve));
    });
    await held;
    const call = site.operator('POST', '/v1/holds', body, { 'idempotency-key': 'f04-other' });
    const answered: unknown[] = [];
    void call.then((answer) => answered.push(answer));
    const startedMs = site.ports.clock.monotonicMs();
    while (answered.length === 0) {
      await expect.poll(() => answered.length > 0 || site.ports.clock.sleeping > 0).toBe(true);
      await site.ports.clock.advance(500);
    }
    expect(site.ports.clock.monotonicMs() - startedMs).toBeGreaterThanOrEqual(5_000);
    const busy = await call;
    expect([busy.status, codeOf(busy), busy.headers.get('retry-after')]).toEqual([409, 'idempotency_in_progress', '1']);
    other.abort();
    await holding;
    const later = await site.operator('POST', '/v1/holds', body, { 'idempotency-key': 'f04-other' });
    expect(later.status).toBe(201);
  });
});

test('F05 a call that died before its commit runs anew with its key, and one that died after it is answered', async () => {
  const { sid } = await site.wallet(5_000);
  const body = { wallet_sid: sid, amount: '1.00', description: 'a call' };
  const headers = { 'idempotency-key': 'f05' };
  const { db } = site.house;
  const dying = { ...site.house, db: { ...db, transaction: () => Promise.reject(new Error('killed')) } };
  const app = buildHttp(dying, {
    adminSecrets: [{ id: 'adm_1', secret: ADMIN_SECRET }],
    ping: () => Promise.resolve(),
  });
  const init = {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { ...headers, 'content-type': 'application/json', 'x-hero-onboarding-admin-secret': ADMIN_SECRET },
  };
  expect((await app.request('/v1/holds', init)).status).toBe(500);
  const lost = buildHttp(
    {
      ...site.house,
      db: {
        ...db,
        transaction: async (label, run) => (await db.transaction(label, run), Promise.reject(new Error('killed'))),
      },
    },
    { adminSecrets: [{ id: 'adm_1', secret: ADMIN_SECRET }], ping: () => Promise.resolve() },
  );
  expect((await lost.request('/v1/holds', init)).status).toBe(500);
  const answered = await site.operator('POST', '/v1/holds', body, headers);
  expect([answered.status, answered.headers.get('idempotency-hit')]).toEqual([201, 'true']);
  expect((await site.operator('GET', `/v1/billings/${sid}`)).json['reserved']).toBe('1.00');
});

test('F05 a commit whose answer was lost is found by the repetition, which is no replay', async () => {
  const { sid } = await site.wallet(5_000);
  const { db } = site.house;
  const forgetful = {
    ...db,
    transaction: async <T>(label: string, body: (tx: Tx) => Promise<T>) => {
      await db.transaction(label, body);
      return await db.transaction(label, body);
    },
  };
  const options = { adminSecrets: [{ id: 'adm_1', secret: ADMIN_SECRET }], ping: () => Promise.resolve() };
  const answer = await buildHttp({ ...site.house, db: forgetful }, options).request('/v1/holds', {
    method: 'POST',
    body: JSON.stringify({ wallet_sid: sid, amount: '1.00', description: 'a call' }),
    headers: { ...AS_OPERATOR, 'content-type': 'application/json', 'idempotency-key': 'f05-lost' },
  });
  expect([answer.status, answer.headers.has('idempotency-hit')]).toEqual([201, false]);
  expect((await site.operator('GET', `/v1/billings/${sid}`)).json['reserved']).toBe('1.00');
});

describe('F06 a key that is not 1 to 255 visible ASCII characters is refused', () => {
  const bad = ['', '""', 'a b', 'é', 'x'.repeat(256), `"${'x'.repeat(256)}"`, 'a"b', '"a\\b"', 'a\tb'];
  for (const key of bad) {
    test(`${JSON.stringify(key).slice(0, 20)} is refused`, async () => {
      // A header cannot carry them all; the param of JSON-RPC can.
      const { sid } = await site.wallet(100);
      const params = { sid, amount: '1.00', description: 'x', idempotency_key: key };
      const refused = await site.rpc({ jsonrpc: '2.0', id: 1, method: 'BillingService.debit', params });
      expect(refused.json['error']).toMatchObject({ code: -32602, data: { code: 'invalid_request' } });
    });
  }

  test('a line break too, and 255 characters are taken', async () => {
    const { sid } = await site.wallet(100);
    const call = (key: string) => ({
      jsonrpc: '2.0',
      id: 1,
      method: 'BillingService.debit',
      params: { sid, amount: '0.10', description: 'x', idempotency_key: key },
    });
    expect((await site.rpc(call('a\r\nX: y'))).json['error']).toMatchObject({ code: -32602 });
    expect((await site.rpc(call('x'.repeat(255)))).json).toHaveProperty('result');
  });
});

test('F07 a stored answer has no secret and at most 64 KiB', async () => {
  const { sid } = await site.wallet(5_000);
  const body = { wallet_sid: sid, amount: '1.00', description: 'é'.repeat(255) };
  await site.operator('POST', '/v1/holds', body, { 'idempotency-key': 'f07-key-that-is-not-stored' });
  const rows = await site.database.owner.query<{ body: string }>({
    name: 'test.answers',
    text: 'select body from idempotency',
  });
  expect(rows.length).toBeGreaterThan(0);
  for (const row of rows) {
    expect(Buffer.byteLength(row.body)).toBeLessThanOrEqual(65_536);
    expect(row.body).not.toContain(ADMIN_SECRET);
    expect(row.body).not.toContain('f07-key');
  }
});

test('F08 the order of members and white space do not make another request', async () => {
  const { sid } = await site.wallet(5_000);
  const headers = { 'idempotency-key': 'f08', 'x-hero-onboarding-admin-secret': ADMIN_SECRET };
  const first = await site.call('POST', '/v1/holds', {
    raw: `{"wallet_sid":"${sid}","amount":"1.00","description":"a call"}`,
    headers,
  });
  const again = await site.call('POST', '/v1/holds', {
    raw: `{ "description" : "a c\\u0061ll",\n "amount":"1.00", "wallet_sid":"${sid}" }`,
    headers,
  });
  expect(again.headers.get('idempotency-hit')).toBe('true');
  expect(again.text).toBe(first.text);
});
