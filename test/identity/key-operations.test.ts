import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KEY_SCOPES, type KeyScope } from '../../src/domain/identity/role.ts';
import { scopeOf } from '../../src/operations/admission.ts';
import { execute } from '../../src/operations/execute.ts';
import { expireHolds } from '../../src/operations/hold/expire.ts';
import { keyCreate } from '../../src/operations/key/create.ts';
import { OPERATIONS } from '../../src/operations/registry.ts';
import { sendDueMails } from '../../src/operations/mail/send.ts';
import { systemClock } from '../../src/ports/system.ts';
import { bearer, makeUserKey } from '../support/key.ts';
import { codeOf, refusalOf, testSite, type Answer, type TestSite } from '../transport/site.ts';
import { closeSound } from '../usage/reporting.ts';

const MINUTE_MS = 60_000;
const SID = '01JD9ZQ4T2V6M0F8K3A5B7C9D1';

let site: TestSite;
beforeAll(async () => {
  site = await testSite();
});
afterAll(() => closeSound(site));

interface Person {
  readonly headers: Readonly<Record<string, string>>;
  readonly userSid: string;
  readonly wallet: string;
}

let people = 0;
async function signIn(role = 'user'): Promise<Person> {
  const { json } = await site.call('POST', '/login/sandbox', { body: { name: `person ${(people += 1)}`, role } });
  const wallet = String(json['wallet_sid']);
  if (role === 'user') await site.operator('POST', '/admin/balance-adjust', { sid: wallet, balance_cents: 2_000 });
  return { headers: bearer(String(json['token'])), userSid: String(json['user_sid']), wallet };
}

const as = (
  { headers }: Pick<Person, 'headers'>,
  method: string,
  path: string,
  body?: unknown,
  more: Record<string, string> = {},
): Promise<Answer> =>
  site.call(method, path, { headers: { ...headers, ...more }, ...(body === undefined ? {} : { body }) });
let keys = 0;
const pay = (who: Pick<Person, 'headers'>, path: string, body: unknown): Promise<Answer> =>
  as(who, 'POST', path, body, { 'idempotency-key': `pay-${(keys += 1)}` });
const items = ({ json }: Answer) => json['items'] as Record<string, unknown>[];
const keyOf = ({ userSid }: Pick<Person, 'userSid'>, ...scopes: KeyScope[]) => makeUserKey(site.house, userSid, scopes);
const auditOf = async (sid: unknown): Promise<Record<string, unknown>[]> =>
  items(await site.operator('GET', `/v1/audit-events?subject=${String(sid)}`));

describe('making a key', () => {
  test('answers it once; the list has the rest; the audit and the owner are told', async () => {
    const who = await signIn();
    await as(who, 'PATCH', `/v1/users/${who.userSid}`, { email: 'ada@example.org' });
    const body = { name: 'Nightly <b>report</b>', scopes: ['spend', 'read'], expires_at: '2027-01-01T00:00:00.000Z' };
    const made = await as(who, 'POST', '/v1/keys', body);
    expect([made.status, made.json]).toMatchObject([
      201,
      { ...body, owner_sid: who.userSid, state: 'live', key: expect.stringMatching(/^uk_[0-9a-z]{16}_[\w-]{43}$/) },
    ]);
    const { key, ...rest } = made.json;
    expect(items(await as(who, 'GET', '/v1/keys'))).toEqual([rest]);
    const after = { owner_sid: who.userSid, scopes: 'spend read', key_id: String(key).slice(3, 19) };
    expect(await auditOf(made.json['sid'])).toMatchObject([
      { action: 'key.create', actor: `user:${who.userSid}`, after },
    ]);
    await sendDueMails(site.house);
    const [mail] = items(await site.operator('GET', '/v1/mails'));
    expect(mail).toMatchObject({ event_type: 'key.created' });
    const text = JSON.stringify(mail);
    expect(text).toContain('spend, read');
    expect(text).not.toContain(String(key).slice(20));
    const rotated = await as(who, 'POST', `/v1/keys/${String(made.json['sid'])}/rotate`, { overlap_seconds: 0 });
    expect(rotated.json).toMatchObject({ sid: rest['sid'], scopes: body['scopes'], expires_at: body['expires_at'] });
    await as(who, 'POST', `/v1/keys/${String(made.json['sid'])}/revoke`, {});
    const told = items(await as(who, 'GET', '/v1/events')).map(({ type }) => type);
    expect(told).toEqual(['key.rotated', 'key.created']);
    expect((await auditOf(made.json['sid'])).map(({ action }) => action)).toEqual([
      'key.revoke',
      'key.rotate',
      'key.create',
    ]);
  });

  test('refuses an end that is past or too far, no scope, a scope twice, an unknown one, and no name', async () => {
    const who = await signIn();
    const wrong: Record<string, unknown>[] = [
      { expires_at: site.ports.clock.now().toISOString() },
      { expires_at: '2020-01-01T00:00:00.000Z' },
      { expires_at: '9999-01-01T00:00:00.000Z' },
      { expires_at: 'soon' },
      { scopes: [] },
      { scopes: ['read', 'read'] },
      { scopes: ['admin'] },
      { name: ' ' },
      { name: 'x'.repeat(101) },
    ];
    for (const one of wrong)
      expect([one, refusalOf(await as(who, 'POST', '/v1/keys', { name: 'x', ...one }))]).toEqual([
        one,
        '400 invalid_request',
      ]);
    expect((await as(who, 'POST', '/v1/keys', { name: 'x' })).json).toMatchObject({
      scopes: ['read'],
      expires_at: null,
    });
  });

  test('J15 takes a fresh sign-in, and so does a rotation; a revocation never does', async () => {
    const who = await signIn();
    const { sid } = (await as(who, 'POST', '/v1/keys', { name: 'x' })).json;
    await site.ports.clock.advance(10 * MINUTE_MS + 1);
    expect(refusalOf(await as(who, 'POST', '/v1/keys', { name: 'x' }))).toBe('403 reauth_required');
    expect(refusalOf(await as(who, 'POST', `/v1/keys/${String(sid)}/rotate`, {}))).toBe('403 reauth_required');
    expect((await as(who, 'POST', `/v1/keys/${String(sid)}/revoke`, {})).status).toBe(200);
  });

  test('stops at twenty that are good, also when two come at once', async () => {
    const who = await signIn();
    const make = () => as(who, 'POST', '/v1/keys', { name: 'x' });
    const made = [];
    for (let count = 0; count < 18; count += 1) made.push(await make());
    // Connections that are open already: those who come at once look at once.
    await Promise.all(Array.from({ length: 10 }, () => as(who, 'GET', '/v1/keys')));
    const rush = await Promise.all(Array.from({ length: 10 }, make));
    expect(rush.map(({ status }) => status).filter((status) => status === 201)).toHaveLength(2);
    expect(rush.map(codeOf).filter((code) => code === 'state_conflict')).toHaveLength(8);
    expect(codeOf(await make())).toBe('state_conflict');
    await as(who, 'POST', `/v1/keys/${String(made[0]?.json['sid'])}/revoke`, {});
    expect([(await make()).status, (await make()).status]).toEqual([201, 409]);
  });

  test('is for oneself: neither a stranger nor an operator makes, rotates or sees one of somebody else; an admin may end it', async () => {
    const [who, stranger, admin] = [await signIn(), await signIn(), await signIn('admin')];
    const key = await keyOf(who, 'spend');
    const absent = await as(stranger, 'POST', `/v1/keys/${SID}/rotate`, {});
    for (const verb of ['rotate', 'revoke']) {
      const answer = await as(stranger, 'POST', `/v1/keys/${key.sid}/${verb}`, {});
      expect([answer.status, answer.json['detail']]).toEqual([404, absent.json['detail']]);
    }
    const listed = await as(stranger, 'GET', `/v1/keys?owner_sid=${who.userSid}`);
    const nobody = await as(stranger, 'GET', `/v1/keys?owner_sid=${SID}`);
    expect([listed.status, { ...listed.json, request_id: '' }]).toEqual([404, { ...nobody.json, request_id: '' }]);
    expect(items(await as(stranger, 'GET', '/v1/keys'))).toEqual([]);
    for (const owner_sid of [who.userSid, SID])
      expect((await as(stranger, 'POST', '/v1/keys', { name: 'x', owner_sid })).status).toBe(404);
    expect((await as(admin, 'POST', '/v1/keys', { name: 'x', owner_sid: who.userSid })).status).toBe(403);
    expect((await as(admin, 'POST', `/v1/keys/${key.sid}/rotate`, {})).status).toBe(403);
    expect((await site.operator('POST', '/v1/keys', { name: 'x' })).status).toBe(403);
    expect((await site.operator('POST', '/v1/keys', { name: 'x', owner_sid: who.userSid })).status).toBe(403);
    expect((await as(admin, 'POST', '/v1/keys', { name: 'their own' })).json).toMatchObject({
      owner_sid: admin.userSid,
    });
    expect(items(await site.operator('GET', `/v1/keys?owner_sid=${who.userSid}`))).toMatchObject([{ sid: key.sid }]);
    expect((await as(admin, 'POST', `/v1/keys/${key.sid}/revoke`, {})).json).toMatchObject({ state: 'revoked' });
  });

  test('is not done by a key, whatever its scopes; and a key of an operator is no operator', async () => {
    const admin = await signIn('admin');
    const key = await keyOf(admin, ...KEY_SCOPES);
    for (const [path, body] of [
      ['/v1/keys', { name: 'x' }],
      [`/v1/keys/${key.sid}/rotate`, {}],
      [`/v1/keys/${key.sid}/revoke`, {}],
    ] as const)
      expect(refusalOf(await as(key, 'POST', path, body))).toBe('403 forbidden');
    expect((await as(key, 'GET', '/v1/session')).json).toMatchObject({
      role: 'user',
      operator_role: null,
      rights: [],
      session: null,
      key: { sid: key.sid, scopes: [...KEY_SCOPES], expires_at: null },
      user: { sid: admin.userSid },
    });
    for (const path of ['/v1/users', '/v1/billings', '/v1/audit-events', '/v1/nodes'])
      expect((await as(key, 'GET', path)).status).toBe(403);
  });
});

describe('what a key is for', () => {
  test('each operation is for the keys of its scope, and for no other', async () => {
    const who = await signIn();
    const made = await Promise.all(KEY_SCOPES.map(async (scope) => [scope, await keyOf(who, scope)] as const));
    const wrong: string[] = [];
    for (const operation of OPERATIONS.filter(({ access }) => access !== 'anyone')) {
      const needed = operation.access === 'user' ? scopeOf(operation) : null;
      for (const [scope, key] of made) {
        const path = operation.http.path.replaceAll(/\{[a-z_]+\}/g, SID);
        const body = operation.http.method === 'get' || operation.http.method === 'delete' ? undefined : {};
        const answer = await as(key, operation.http.method.toUpperCase(), path, body);
        const isBarred = answer.status === 403 && codeOf(answer) === 'forbidden';
        if (isBarred !== (scope !== needed)) wrong.push(`${operation.name} by ${scope}: ${answer.status}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('those that pay in, and those that spend, are these; what shows where else to look is for none', () => {
    const by = (scope: KeyScope | null) =>
      OPERATIONS.filter((one) => one.access === 'user' && scopeOf(one) === scope).map(({ name }) => name);
    expect(by('top_up').toSorted()).toEqual(['payment.check', 'payment.create']);
    expect(by('spend').toSorted()).toEqual([
      'allocation.create',
      'allocation.release',
      'allocation.set',
      'billing.debit',
      'hold.capture',
      'hold.release',
      'hold.reserve',
      'plan.buy',
      'subscription.cancel',
      'subscription.change',
      'subscription.resume',
    ]);
    expect(by(null)).toEqual(
      expect.arrayContaining([
        'session.list',
        'identity.list',
        'key.list',
        'key.create',
        'user.update',
        'refund.create',
      ]),
    );
    const reading = OPERATIONS.filter((one) => one.http.method !== 'get' && scopeOf(one) === 'read');
    // It writes nothing; what is asked is too much for an address.
    expect(reading.map(({ name }) => name)).toEqual(['plan.quote']);
  });

  test('a key reaches its owner’s wallet and no other', async () => {
    const [who, other] = [await signIn(), await signIn()];
    const key = await keyOf(who, 'read', 'spend', 'top_up');
    const reached = await as(key, 'GET', `/v1/billings/${who.wallet}`);
    expect(reached.json).toMatchObject({ sid: who.wallet });
    for (const path of ['', '/statement'])
      expect((await as(key, 'GET', `/v1/billings/${other.wallet}${path}`)).status).toBe(404);
    expect((await as(key, 'GET', `/v1/users/${other.userSid}`)).status).toBe(404);
    await pay(who, '/v1/holds', { wallet_sid: who.wallet, amount: '1.00', description: 'mine' });
    await pay(other, '/v1/holds', { wallet_sid: other.wallet, amount: '1.00', description: 'theirs' });
    for (const path of ['/v1/holds', `/v1/holds?wallet_sid=${other.wallet}`])
      expect((await as(key, 'GET', path)).text).not.toContain('theirs');
    expect(items(await as(key, 'GET', '/v1/holds'))).toHaveLength(1);
    const absent = await pay(key, `/v1/billings/${SID}/debits`, { amount: '1.00', description: 'x' });
    const theirs = await pay(key, `/v1/billings/${other.wallet}/debits`, { amount: '1.00', description: 'x' });
    expect([theirs.status, theirs.json['detail']]).toEqual([404, absent.json['detail']]);
    expect((await pay(key, '/v1/holds', { wallet_sid: other.wallet, amount: '1.00', description: 'x' })).status).toBe(
      404,
    );
  });
});

describe('a key that spends', () => {
  const balanceOf = async ({ wallet }: Person) => (await site.operator('GET', `/v1/billings/${wallet}`)).json;

  test('takes out of the wallet, down to nothing and no further, and the line says what and not who', async () => {
    const who = await signIn();
    const key = await keyOf(who, 'spend', 'read');
    const path = `/v1/billings/${who.wallet}/debits`;
    const debit = await pay(key, path, { amount: '20.00', description: 'a model call' });
    expect(debit.json).toMatchObject({ credit_balance: '0.00', entry: { kind: 'debit', description: 'a model call' } });
    expect(debit.json['entry']).not.toHaveProperty('about.actor');
    expect(codeOf(await pay(key, path, { amount: '0.000001', description: 'x' }))).toBe('insufficient_balance');
    const [line] = items(await site.operator('GET', `/v1/billings/${who.wallet}/statement?limit=1`));
    expect(line).toMatchObject({ about: { actor: `user:${who.userSid}/key:${key.sid}` } });
  });

  test('sets aside, captures and releases; the owner’s session and another key of theirs may end it too', async () => {
    const who = await signIn();
    const [key, other] = [await keyOf(who, 'spend'), await keyOf(who, 'spend')];
    const reserve = async (amount: string) =>
      (await pay(key, '/v1/holds', { wallet_sid: who.wallet, amount, description: 'a call' })).json;
    const [first, second, third] = [await reserve('5.00'), await reserve('4.00'), await reserve('3.00')];
    expect(first).toMatchObject({ by_user_sid: who.userSid, state: 'open' });
    expect((await pay(key, `/v1/holds/${String(first['sid'])}/capture`, { amount: '2.00' })).json).toMatchObject({
      state: 'captured',
    });
    expect((await pay(other, `/v1/holds/${String(second['sid'])}/release`, {})).json).toMatchObject({
      state: 'released',
    });
    expect((await pay(who, `/v1/holds/${String(third['sid'])}/release`, {})).json).toMatchObject({ state: 'released' });
    expect(await balanceOf(who)).toMatchObject({ credit_balance: '18.00', reserved: '0.00' });
    expect(refusalOf(await pay(key, `/v1/holds/${String(first['sid'])}/settle`, { amount: '9.00' }))).toBe(
      '403 forbidden',
    );
  });

  test('ends nothing that the service has set aside: neither a hold nor a lease', async () => {
    const who = await signIn();
    const key = await keyOf(who, 'spend', 'read');
    const body = { wallet_sid: who.wallet, amount: '5.00', description: 'work of ours' };
    const held = await site.operator('POST', '/v1/holds', body, { 'idempotency-key': `ours-${who.wallet}` });
    const node = await site.node();
    const leased = await as(
      node,
      'POST',
      '/v1/leases',
      { user_sid: who.userSid, amount: '5.00' },
      { 'idempotency-key': 'l' },
    );
    const sids = [held.json['sid'], (leased.json['lease'] as { sid: string }).sid].map(String);
    for (const sid of sids) {
      for (const by of [key, who]) {
        expect(refusalOf(await pay(by, `/v1/holds/${sid}/release`, {}))).toBe('403 forbidden');
        expect(refusalOf(await pay(by, `/v1/holds/${sid}/capture`, { amount: '0.01' }))).toBe('403 forbidden');
      }
      expect((await as(key, 'GET', `/v1/holds/${sid}`)).json).toMatchObject({ state: 'open', by_user_sid: null });
    }
    expect(await balanceOf(who)).toMatchObject({ reserved: '10.00' });
  });

  test('is lent nothing: what has expired is captured by the service only', async () => {
    const who = await signIn();
    const key = await keyOf(who, 'spend');
    const body = { wallet_sid: who.wallet, amount: '20.00', description: 'late', expires_in_seconds: 60 };
    const { sid } = (await pay(key, '/v1/holds', body)).json;
    await site.ports.clock.advance(2 * MINUTE_MS);

    await expireHolds(site.house);
    await pay(key, `/v1/billings/${who.wallet}/debits`, { amount: '20.00', description: 'spent meanwhile' });
    expect(refusalOf(await pay(key, `/v1/holds/${String(sid)}/capture`, { amount: '20.00' }))).toBe(
      '409 state_conflict',
    );
    expect(await balanceOf(who)).toMatchObject({ credit_balance: '0.00', reserved: '0.00' });
    const late = await site.operator(
      'POST',
      `/v1/holds/${String(sid)}/capture`,
      { amount: '1.00' },
      { 'idempotency-key': `late-${String(sid)}` },
    );
    expect(late.json).toMatchObject({ state: 'captured_late' });
  });

  test('has at most a hundred holds open, and the service may set aside all the same', async () => {
    const who = await signIn();
    const key = await keyOf(who, 'spend');
    const body = { wallet_sid: who.wallet, amount: '0.01', description: 'x' };
    const made: Answer[] = [];
    while (made.length < 100)
      made.push(...(await Promise.all(Array.from({ length: 5 }, () => pay(key, '/v1/holds', body)))));
    expect(new Set(made.map(({ status }) => status))).toEqual(new Set([201]));
    expect(refusalOf(await pay(key, '/v1/holds', body))).toBe('409 state_conflict');
    expect((await site.operator('POST', '/v1/holds', body, { 'idempotency-key': `h-${who.wallet}` })).status).toBe(201);
    await pay(key, `/v1/holds/${String(made[0]?.json['sid'])}/release`, {});
    expect((await pay(key, '/v1/holds', body)).status).toBe(201);
  });

  test('of a frozen wallet spends nothing', async () => {
    const who = await signIn();
    const key = await keyOf(who, 'spend');
    await site.operator('POST', `/v1/billings/${who.wallet}/freeze`, { is_frozen: true, reason: 'x' });
    for (const [path, body] of [
      [`/v1/billings/${who.wallet}/debits`, { amount: '1.00', description: 'x' }],
      ['/v1/holds', { wallet_sid: who.wallet, amount: '1.00', description: 'x' }],
    ] as const)
      expect(codeOf(await pay(key, path, body))).toBe('wallet_frozen');
  });

  test('J15 a session spends as well, with a fresh sign-in', async () => {
    const who = await signIn();
    const debit = () => pay(who, `/v1/billings/${who.wallet}/debits`, { amount: '1.00', description: 'x' });
    expect((await debit()).status).toBe(200);
    await site.ports.clock.advance(10 * MINUTE_MS + 1);
    expect(refusalOf(await debit())).toBe('403 reauth_required');
  });
});

test('G01 a process that dies anywhere while it makes a key leaves none, or one that its owner sees and can end', async () => {
  const { ports, database } = site;
  const make = async (owner: string, points: number | null) => {
    const db = database.open({ ports: { ...ports, clock: systemClock } });
    ports.crash.dieAfter(points);
    const reply = await execute({ ...site.house, db }, keyCreate, {
      actor: { kind: 'user', id: `user:${owner}`, userSid: owner },
      input: { name: 'x' },
      idempotencyKey: null,
      requestId: ports.ids.requestId(),
    }).catch(() => null);
    const reached = ports.crash.reached.length;
    ports.crash.dieAfter(null);
    await db.close();
    return { reply, reached };
  };
  const { reached: points } = await make((await site.wallet()).userSid, null);
  expect(points).toBeGreaterThanOrEqual(8);
  const seen = [0, 0];
  for (let point = 0; point < points; point += 1) {
    const { userSid } = await site.wallet();
    await make(userSid, point);
    const made = items(await site.operator('GET', `/v1/keys?owner_sid=${userSid}`));
    const told = items(await site.operator('GET', `/v1/events?limit=1`)).filter((one) => one['user_sid'] === userSid);
    const audited = made[0] === undefined ? [] : await auditOf(made[0]['sid']);
    expect([made.length, told.length, audited.length]).toEqual(Array.from({ length: 3 }, () => made.length));
    seen[made.length] = (seen[made.length] ?? 0) + 1;
  }
  expect(seen[0]).toBeGreaterThan(0);
  expect(seen[1]).toBeGreaterThan(0);
});
