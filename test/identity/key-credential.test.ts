import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bearer, makeUserKey, type UserKey } from '../support/key.ts';
import { codeOf, testSite, type Answer, type TestSite } from '../transport/site.ts';
import { openProcess, post } from '../usage/reporting.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

let site: TestSite;
beforeAll(async () => {
  site = await testSite();
});
afterAll(() => site.close());

interface Owner {
  readonly sid: string;
  readonly userSid: string;
}
const owner = (): Promise<Owner> => site.wallet(1_000);
const keyOf = ({ userSid }: Owner, ...rest: [Parameters<typeof makeUserKey>[2]?, Parameters<typeof makeUserKey>[3]?]) =>
  makeUserKey(site.house, userSid, ...rest);
const balance = ({ sid }: Owner, headers: Record<string, string>, query = ''): Promise<Answer> =>
  site.call('GET', `/v1/billings/${sid}${query}`, { headers });
const isGood = async (of: Owner, key: Pick<UserKey, 'headers'>): Promise<boolean> =>
  (await balance(of, key.headers)).status === 200;
/** What somebody without a credential is told, but for the request's name. */
const told = ({ status, headers, json }: Answer): unknown => [
  status,
  headers.get('www-authenticate'),
  { ...json, request_id: null },
];
const rotate = async (key: UserKey, seconds: number, by: Owner): Promise<UserKey> => {
  const { json } = await asOwner(by, 'POST', `/v1/keys/${key.sid}/rotate`, { overlap_seconds: seconds });
  return { sid: key.sid, text: String(json['key']), headers: bearer(String(json['key'])) };
};

/** The owner by a session of their own. */
async function asOwner({ userSid }: Owner, method: string, path: string, body?: unknown): Promise<Answer> {
  const token = `session-of-${userSid}`;
  await site.database.owner.query(
    {
      name: 'test.open_session',
      text: `insert into session (sid, token_hash, user_sid, created_at, proven_at, seen_at, expires_at)
             values ($1, sha256($2::bytea), $1, $3, $3, $3, $4) on conflict (token_hash) do update set proven_at = $3, seen_at = $3, expires_at = $4`,
    },
    [userSid, Buffer.from(token), site.ports.clock.now(), new Date(site.ports.clock.now().getTime() + DAY_MS)],
  );
  return site.call(method, path, { headers: bearer(token), ...(body === undefined ? {} : { body }) });
}

describe('J20 a key is taken from the header alone', () => {
  test('and not from the address, the referrer, a cookie, another header, a password or a body', async () => {
    const [who, stranger] = [await owner(), await site.call('GET', '/v1/payments')];
    const key = await keyOf(who);
    expect(await isGood(who, key)).toBe(true);
    for (const name of ['key', 'api_key', 'access_token', 'token', 'authorization'])
      expect(told(await balance(who, {}, `?${name}=${key.text}`))).toEqual(told(stranger));
    const elsewhere: Record<string, string>[] = [
      { referer: `http://127.0.0.1:9920/wallet?key=${key.text}` },
      { cookie: `hero_session=${key.text}` },
      { cookie: `__Host-hero_session=${key.text}; authorization=Bearer ${key.text}` },
      { 'x-api-key': key.text },
      { 'proxy-authorization': `Bearer ${key.text}` },
    ];
    for (const headers of elsewhere) expect(told(await balance(who, headers))).toEqual(told(stranger));
    for (const scheme of ['Basic', 'Token', 'Key', ''])
      expect((await balance(who, { authorization: `${scheme} ${key.text}`.trim() })).status).toBe(401);
    const basic = { authorization: `Basic ${Buffer.from(`${key.text}:`).toString('base64')}` };
    expect((await balance(who, basic)).status).toBe(401);
    const call = { jsonrpc: '2.0', id: 1, method: 'BillingService.billing_get', params: { sid: who.sid } };
    const inBody = await site.call('POST', '/rpc', { body: { ...call, params: { ...call.params, key: key.text } } });
    expect(inBody.json['error']).toMatchObject({ data: { code: 'unauthenticated' } });
    const inHeader = await site.call('POST', '/rpc', { body: call, headers: key.headers });
    expect(inHeader.json['result']).toMatchObject({ sid: who.sid });
  });

  test('of no length, of half a length, guessed by its beginning, or another’s secret: all are nobody, and alike', async () => {
    const [who, other] = [await owner(), await owner()];
    const [key, theirs] = [await keyOf(who), await keyOf(other)];
    const [, id = '', secret = ''] = key.text.split('_');
    const [, , otherSecret = ''] = theirs.text.split('_');
    const unknown = told(await balance(who, bearer(`uk_${'0'.repeat(16)}_${'A'.repeat(43)}`)));
    expect(unknown).toMatchObject([401, 'Bearer', { code: 'unauthenticated' }]);
    const wrong = [
      'uk_',
      `uk_${id}`,
      `uk_${id}_`,
      `uk__${secret}`,
      `uk_${id}_${secret.slice(0, 8)}`,
      `uk_${id}_${secret.slice(0, -1)}`,
      `uk_${id}_${secret}A`,
      `uk_${id}_${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}`,
      `uk_${id}_${otherSecret}`,
      `nk_${id}_${secret}`,
      `UK_${id}_${secret}`,
      `${id}_${secret}`,
      secret,
      '',
    ];
    for (const text of wrong) expect([text, told(await balance(who, bearer(text)))]).toEqual([text, unknown]);
    expect((await balance(who, { authorization: 'Bearer' })).status).toBe(401);
    expect(await isGood(who, key)).toBe(true);
    await site.ports.clock.advance(MINUTE_MS);
  });

  test('is kept as a hash only: neither a table nor the log has it, nor any answer but the first', async () => {
    const who = await owner();
    const key = await keyOf(who, ['read', 'spend']);
    const next = await rotate(key, 60, who);
    const body = { amount: '0.10', description: 'x' };
    await site.call('POST', `/v1/billings/${who.sid}/debits`, {
      body,
      headers: { ...next.headers, 'idempotency-key': 'j20-kept' },
    });
    const answers = await asOwner(who, 'GET', '/v1/keys');
    const rows = await site.database.owner.query<{ row: string }>({
      name: 'test.everything_written',
      text: ['key', 'audit', 'event', 'mail', 'delivery', 'idempotency', 'entry', 'session']
        .map((table) => `select row_to_json(${table})::text as row from ${table}`)
        .join(' union all '),
    });
    const written = [...rows.map(({ row }) => row), answers.text, JSON.stringify(site.ports.log.lines)].join('\n');
    expect(written).toContain(next.text.slice(3, 19));
    for (const { text } of [key, next]) expect(written).not.toContain(text.slice(20));
  });

  test('that is wrong ten times in a minute is barred, and bars no other from the same address until a hundred', async () => {
    const [who, other] = [await owner(), await owner()];
    const [key, right] = [await keyOf(who), await keyOf(other)];
    const { app, lanes } = openProcess(site);
    const ask = async (headers: Record<string, string>) => (await app.request('/v1/payments', { headers })).status;
    const wrong = bearer(`${key.text.slice(0, -1)}${key.text.endsWith('A') ? 'B' : 'A'}`);
    for (let tries = 0; tries < 10; tries += 1) expect(await ask(wrong)).toBe(401);
    expect([await ask(wrong), await ask(key.headers), await ask(right.headers)]).toEqual([429, 429, 200]);
    for (let tries = 0; tries < 100; tries += 1)
      await ask(bearer(`uk_${String(tries).padStart(16, '0')}_${'A'.repeat(43)}`));
    expect(await ask(right.headers)).toBe(429);
    await site.ports.clock.advance(MINUTE_MS + 1);
    expect([await ask(key.headers), await ask(right.headers)]).toEqual([200, 200]);
    await lanes.close();
  });

  test('is dead at once, in every process, when it is revoked, expired, or its owner may not come in', async () => {
    const who = await owner();
    const { app, lanes } = openProcess(site);
    const there = async ({ headers }: UserKey) => (await app.request(`/v1/billings/${who.sid}`, { headers })).status;
    const expiresAt = new Date(site.ports.clock.now().getTime() + DAY_MS).toISOString();
    const [revoked, expiring, left] = [
      await keyOf(who),
      await keyOf(who, ['read'], { expires_at: expiresAt }),
      await keyOf(who),
    ];
    expect([await there(revoked), await there(expiring), await there(left)]).toEqual([200, 200, 200]);
    const ended = await asOwner(who, 'POST', `/v1/keys/${revoked.sid}/revoke`, {});
    expect(ended.json).toMatchObject({ state: 'revoked', revoked_at: expect.any(String) });
    expect(ended.json).not.toHaveProperty('key');
    expect([await there(revoked), await there(left)]).toEqual([401, 200]);
    await site.ports.clock.advance(DAY_MS - 1);
    expect(await there(expiring)).toBe(200);
    await site.ports.clock.advance(1);
    expect([await there(expiring), await there(left)]).toEqual([401, 200]);
    const disable = { name: 'test.disable', text: 'update app_user set disabled_at = $2 where sid = $1' };
    await site.database.owner.query(disable, [who.userSid, site.ports.clock.now()]);
    expect(await there(left)).toBe(401);
    const unknown = told(await balance(who, bearer(`uk_${'1'.repeat(16)}_${'A'.repeat(43)}`)));
    for (const key of [revoked, expiring, left]) expect(told(await balance(who, key.headers))).toEqual(unknown);
    await lanes.close();
  });
});

describe('a rotation', () => {
  test('leaves the old key good until its overlap ends, and the one before it ends now', async () => {
    const who = await owner();
    const first = await keyOf(who);
    const second = await rotate(first, 120, who);
    expect([await isGood(who, first), await isGood(who, second)]).toEqual([true, true]);
    const third = await rotate(second, 60, who);
    expect([await isGood(who, first), await isGood(who, second), await isGood(who, third)]).toEqual([
      false,
      true,
      true,
    ]);
    await site.ports.clock.advance(MINUTE_MS - 1);
    expect(await isGood(who, second)).toBe(true);
    await site.ports.clock.advance(1);
    expect([await isGood(who, second), await isGood(who, third)]).toEqual([false, true]);
    const stolen = await rotate(third, 0, who);
    expect([await isGood(who, third), await isGood(who, stolen)]).toEqual([false, true]);
  });

  test('at the same moment as another leaves one present key and one old one', async () => {
    const who = await owner();
    const key = await keyOf(who);
    const both = await Promise.all([rotate(key, 60, who), rotate(key, 60, who)]);
    expect(await Promise.all(both.map((one) => isGood(who, one)))).toEqual([true, true]);
    expect(await isGood(who, key)).toBe(false);
    const { json } = await asOwner(who, 'GET', '/v1/keys');
    const ids = both.map(({ text }) => text.slice(3, 19));
    expect(ids).toContain((json['items'] as { key_id: string }[])[0]?.key_id);
    await site.ports.clock.advance(MINUTE_MS);
    expect((await Promise.all(both.map((one) => isGood(who, one)))).filter(Boolean)).toHaveLength(1);
  });

  test('charges nobody twice: what was sent with one key is found by the new one, and by another of the owner', async () => {
    const who = await owner();
    const key = await keyOf(who, ['spend', 'read']);
    const headers = { 'idempotency-key': 'over-the-rotation' };
    const debit = { path: `/v1/billings/${who.sid}/debits`, body: { amount: '1.00', description: 'x' } };
    const hold = { path: '/v1/holds', body: { wallet_sid: who.sid, amount: '2.00', description: 'x' } };
    for (const { path, body } of [debit, hold]) {
      const first = await site.call('POST', path, { body, headers: { ...key.headers, ...headers } });
      const next = await rotate(key, 60, who);
      for (const other of [next, await keyOf(who, ['spend'])]) {
        const again = await site.call('POST', path, { body, headers: { ...other.headers, ...headers } });
        expect([again.status, again.text, again.headers.get('idempotency-hit')]).toEqual([
          first.status,
          first.text,
          'true',
        ]);
      }
    }
    expect((await balance(who, await keyOf(who).then((one) => one.headers))).json).toMatchObject({
      credit_balance: '7.00',
      reserved: '2.00',
    });
  });

  test('is not for a key that has ended', async () => {
    const who = await owner();
    const key = await keyOf(who);
    await asOwner(who, 'POST', `/v1/keys/${key.sid}/revoke`, {});
    const answer = await asOwner(who, 'POST', `/v1/keys/${key.sid}/rotate`, {});
    expect([answer.status, codeOf(answer)]).toEqual([409, 'state_conflict']);
    const before = await asOwner(who, 'GET', '/v1/keys');
    await asOwner(who, 'POST', `/v1/keys/${key.sid}/revoke`, {});
    expect((await asOwner(who, 'GET', '/v1/keys')).text).toBe(before.text);
  });
});

describe('the last use', () => {
  test('is told to the minute, of the present key and of the old one, and written once for many requests', async () => {
    const who = await owner();
    const key = await keyOf(who);
    const shown = async () => ((await asOwner(who, 'GET', '/v1/keys')).json['items'] as Record<string, unknown>[])[0];
    expect(await shown()).toMatchObject({ last_used_at: null, old_key_last_used_at: null });
    const first = site.ports.clock.now().toISOString();
    site.ports.crash.reached.length = 0;
    await Promise.all(Array.from({ length: 20 }, () => isGood(who, key)));
    const writes = (): number => site.ports.crash.reached.filter((label) => label === 'sql:before:key.use').length;
    expect(writes()).toBe(1);
    await site.ports.clock.advance(MINUTE_MS - 1_000);
    await isGood(who, key);
    expect(writes()).toBe(1);
    expect(await shown()).toMatchObject({ last_used_at: first });
    await site.ports.clock.advance(2_000);
    const later = site.ports.clock.now().toISOString();
    await isGood(who, key);
    expect(await shown()).toMatchObject({ last_used_at: later });
    const next = await rotate(key, 3_600, who);
    expect(await shown()).toMatchObject({ last_used_at: null, old_key_last_used_at: later });
    await isGood(who, next);
    expect(await shown()).toMatchObject({ last_used_at: later });
    await site.ports.clock.advance(2 * MINUTE_MS);
    await isGood(who, key);
    expect(await shown()).toMatchObject({ old_key_last_used_at: site.ports.clock.now().toISOString() });
  });

  test('is told of nodes’ keys too', async () => {
    const node = await site.node();
    const shown = async () => (await site.operator('GET', `/v1/nodes/${node.sid}`)).json;
    expect(await shown()).toMatchObject({ key_last_used_at: null });
    await site.call('GET', `/v1/nodes/${node.sid}/gaps`, { headers: node.headers });
    const used = site.ports.clock.now().toISOString();
    expect(await shown()).toMatchObject({ key_last_used_at: used, old_key_last_used_at: null });
    await site.operator('POST', `/v1/nodes/${node.sid}/rotate`, {});
    expect(await shown()).toMatchObject({ key_last_used_at: null, old_key_last_used_at: used });
    await site.ports.clock.advance(2 * MINUTE_MS);
    const { app, lanes } = openProcess(site);
    await post(app, '/v1/usage', { records: [] }, node.headers);
    expect(await shown()).toMatchObject({ old_key_last_used_at: site.ports.clock.now().toISOString() });
    await lanes.close();
  });
});
