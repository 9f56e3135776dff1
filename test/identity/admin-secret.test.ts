import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callerAddress, limitKey } from '../../src/domain/identity/caller-address.ts';
import { parseNetwork } from '../../src/domain/event/address.ts';
import { idOfSecret } from '../../src/http/admin-secret.ts';
import { buildHttp } from '../../src/http/app.ts';
import type { App } from '../../src/http/context.ts';
import { ADMIN_SECRET, answerOf, refusalOf, testSite, type Answer, type TestSite } from '../transport/site.ts';
import { signIn } from './people.ts';

const HEADER = 'x-hero-onboarding-admin-secret';
const RIGHT = { [HEADER]: ADMIN_SECRET };
const OLD_SECRET = 'the-secret-before-it-of-thirty-two-bytes-and-more';

let site: TestSite;
/** One with counters of its own, so that one test's failures are not another's. */
let app: App;
const fresh = (settings: Partial<TestSite['house']['settings']> = {}): App =>
  buildHttp(
    { ...site.house, settings: { ...site.house.settings, ...settings } },
    {
      adminSecrets: [
        { id: 'adm_1', secret: ADMIN_SECRET },
        { id: 'adm_0', secret: OLD_SECRET },
      ],
      ping: () => Promise.resolve(),
    },
  );
beforeAll(async () => {
  site = await testSite();
  app = fresh();
});
afterAll(() => site.close());

/** From an address, with headers as they come. */
async function ask(path: string, headers: HeadersInit, { from = '192.0.2.1', at = app } = {}): Promise<Answer> {
  const env = { incoming: { socket: { remoteAddress: from } } };
  return answerOf(await at.request(path, { headers }, env));
}

const auditOf = async (subject: string): Promise<Record<string, unknown>[]> =>
  (await site.operator('GET', `/v1/audit-events?subject=${subject}&limit=200`)).json['items'] as Record<
    string,
    unknown
  >[];

describe('J01 an admin secret', () => {
  const wrong: Readonly<Record<string, Headers | Record<string, string>>> = {
    'that is wrong': { [HEADER]: `${ADMIN_SECRET.slice(0, -1)}x` },
    'that is short': { [HEADER]: ADMIN_SECRET.slice(0, 8) },
    'that is long': { [HEADER]: ADMIN_SECRET.repeat(100) },
    'that is empty': { [HEADER]: '' },
    'that is sent twice': new Headers([
      [HEADER, ADMIN_SECRET],
      [HEADER, ADMIN_SECRET],
    ]),
    'with an é in it': { [HEADER]: `${ADMIN_SECRET}é` },
    'as a bearer token': { authorization: `Bearer ${ADMIN_SECRET}` },
  };
  for (const [how, headers] of Object.entries(wrong)) {
    test(`${how} is 401, and tells nothing`, async () => {
      const answer = await ask('/v1/users', headers, { at: fresh() });
      expect(refusalOf(answer)).toBe('401 unauthenticated');
      expect(answer.text).not.toContain(ADMIN_SECRET.slice(0, 8));
    });
  }

  test('in the address is not read', async () => {
    for (const name of [HEADER, 'admin_secret', 'secret', 'token'])
      expect([400, 401]).toContain((await ask(`/v1/users?${name}=${ADMIN_SECRET}`, {})).status);
  });

  test('wrong in any way answers alike but for the request id', async () => {
    const texts = await Promise.all(
      Object.values(wrong)
        .slice(0, 5)
        .map(async (headers) => (await ask('/v1/users', headers, { at: fresh() })).text.replace(/req_\w+/, '')),
    );
    expect(new Set(texts).size).toBe(1);
  });

  test('is compared in the same time wherever it differs', () => {
    const secrets = [{ id: 'adm_1', secret: ADMIN_SECRET }];
    const early = `x${ADMIN_SECRET.slice(1)}`;
    const late = `${ADMIN_SECRET.slice(0, -1)}x`;
    // A busy machine can make a run look uneven, or three; a comparison that ends early makes all of them so.
    let least = Number.POSITIVE_INFINITY;
    for (let run = 0; run < RUNS_MAX && least >= 4.5; run += 1)
      least = Math.min(
        least,
        unevenness((secret) => idOfSecret(secrets, secret), early, late),
      );
    expect(least).toBeLessThan(4.5);
  });
});

const RUNS_MAX = 20;

/** Welch's t of two times 20,000 calls in turn, without the slowest tenth, which the machine made slow. */
function unevenness(call: (secret: string) => unknown, one: string, other: string): number {
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < 40_000; round += 1) {
    const which = round % 2 === 0 ? 0 : 1;
    const before = process.hrtime.bigint();
    call(which === 0 ? one : other);
    times[which].push(Number(process.hrtime.bigint() - before));
  }
  const [a, b] = times.map((all) => {
    const kept = all.toSorted((x, y) => x - y).slice(0, Math.floor(all.length * 0.9));
    const mean = kept.reduce((sum, time) => sum + time, 0) / kept.length;
    return { mean, error: kept.reduce((sum, time) => sum + (time - mean) ** 2, 0) / kept.length ** 2 };
  });
  return Math.abs((a?.mean ?? 0) - (b?.mean ?? 0)) / Math.sqrt((a?.error ?? 0) + (b?.error ?? 0));
}

describe('J02 guessing the admin secret', () => {
  const guess = (at: App, from: string): Promise<Answer> => ask('/v1/users', { [HEADER]: 'a guess' }, { at, from });

  test('from one address ends after ten in a minute; others, and operators with an identity, are not held up', async () => {
    const at = fresh();
    const admin = await signIn(site, 'An admin', 'admin');
    for (let tries = 0; tries < 10; tries += 1) expect((await guess(at, '192.0.2.7')).status).toBe(401);
    const barred = await guess(at, '192.0.2.7');
    expect(refusalOf(barred)).toBe('429 rate_limited');
    expect(Number(barred.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await ask('/v1/users', RIGHT, { at, from: '192.0.2.7' })).status).toBe(429);
    expect((await ask('/v1/users', RIGHT, { at, from: '192.0.2.8' })).status).toBe(200);
    expect((await ask('/v1/users', admin.headers, { at, from: '192.0.2.7' })).status).toBe(200);
    await site.ports.clock.advance(61_000);
    expect((await ask('/v1/users', RIGHT, { at, from: '192.0.2.7' })).status).toBe(200);
  });

  test('from many addresses ends after a hundred in a minute, with an audit row for each ten', async () => {
    const at = fresh();
    const before = (await auditOf('admin-secret')).length;
    for (let tries = 0; tries < 100; tries += 1) expect((await guess(at, `198.51.100.${tries}`)).status).toBe(401);
    expect((await guess(at, '203.0.113.1')).status).toBe(429);
    const rows = await auditOf('admin-secret');
    expect(rows).toHaveLength(before + 10);
    expect(rows[0]).toMatchObject({ action: 'admin-secret.failures', outcome: 'refused', after: { failures: 10 } });
    const admin = await signIn(site, 'An admin', 'admin');
    expect((await ask('/v1/users', admin.headers, { at, from: '203.0.113.1' })).status).toBe(200);
  });

  test('from the addresses of one IPv6 network counts as from one', async () => {
    const at = fresh();
    for (let tries = 0; tries < 10; tries += 1) await guess(at, `2001:db8:1:2::${tries}`);
    expect((await guess(at, '2001:db8:1:2:ffff::1')).status).toBe(429);
    expect((await guess(at, '2001:db8:1:3::1')).status).toBe(401);
  });
});

describe('each use of the admin secret', () => {
  const usesOf = async (requestId: string | null): Promise<Record<string, unknown>[]> =>
    [...(await auditOf('adm_1')), ...(await auditOf('adm_0'))].filter((row) => row['request_id'] === requestId);
  const sent = (headers: Record<string, string>, path: string, body?: unknown): Promise<Answer> =>
    site.call(body === undefined ? 'GET' : 'POST', path, { headers, ...(body === undefined ? {} : { body }) });

  test('to read is one row a minute for each operation', async () => {
    await site.ports.clock.advance(61_000);
    const first = await sent(RIGHT, '/v1/billings');
    const again = await sent(RIGHT, '/v1/billings');
    expect(await usesOf(first.headers.get('x-request-id'))).toMatchObject([
      {
        actor: 'admin:adm_1',
        action: 'admin-secret.use',
        outcome: 'done',
        after: { operation: 'billing.list', status: 200 },
      },
    ]);
    expect(await usesOf(again.headers.get('x-request-id'))).toEqual([]);
    await site.ports.clock.advance(61_000);
    expect(await usesOf((await sent(RIGHT, '/v1/billings')).headers.get('x-request-id'))).toHaveLength(1);
  });

  test('to write leaves a row each, its own or one that says what it was, refused or not, over both wires', async () => {
    const { sid } = await site.wallet(500);
    const debit = { amount: '1.00', description: 'x' };
    const debits = await Promise.all(
      [1, 2, 3].map((nth) => sent({ ...RIGHT, 'idempotency-key': `use-${nth}` }, `/v1/billings/${sid}/debits`, debit)),
    );
    for (const { headers } of debits) expect(await usesOf(headers.get('x-request-id'))).toHaveLength(1);
    const adjusted = await sent(RIGHT, '/admin/balance-adjust', { sid, balance_cents: 700 });
    expect(await usesOf(adjusted.headers.get('x-request-id'))).toEqual([]);
    expect((await auditOf(sid))[0]).toMatchObject({ actor: 'admin:adm_1', action: 'billing.adjust' });
    const refused = await sent(RIGHT, '/admin/balance-adjust', { sid: '01JD9ZQ4T2V6M0F8K3A5B7C9D1', balance_cents: 1 });
    expect(await usesOf(refused.headers.get('x-request-id'))).toMatchObject([{ outcome: 'refused' }]);
    const batch = [1, 2].map((id) => ({ jsonrpc: '2.0', id, method: 'usage.push', params: {} }));
    const called = await site.call('POST', '/rpc', { body: batch, headers: RIGHT });
    expect(await usesOf(called.headers.get('x-request-id'))).toHaveLength(2);
  });

  test('says which of two secrets it was, while one is rotated', async () => {
    await site.ports.clock.advance(61_000);
    const answer = await ask('/v1/prices', { [HEADER]: OLD_SECRET });
    expect(await usesOf(answer.headers.get('x-request-id'))).toMatchObject([
      { actor: 'admin:adm_0', subject: 'adm_0' },
    ]);
  });

  test('to sign in is a row', async () => {
    const signedIn = await site.call('POST', '/login/admin', { body: { admin_secret: ADMIN_SECRET } });
    expect(await usesOf(signedIn.headers.get('x-request-id'))).toMatchObject([
      { action: 'admin-secret.sign-in', after: { session_sid: signedIn.json['session_sid'] } },
    ]);
  });
});

describe('J17 where a request comes from', () => {
  const PROXIES = ['127.0.0.1', '10.0.3.0/24', 'fd00::/8'].flatMap((text) => parseNetwork(text) ?? []);

  test.each([
    ['203.0.113.9', '198.51.100.1', '203.0.113.9', 'a stranger is not believed'],
    ['127.0.0.1', '198.51.100.1', '198.51.100.1', 'a proxy of ours is'],
    ['::ffff:127.0.0.1', '198.51.100.1', '198.51.100.1', 'also when the socket writes IPv6'],
    ['127.0.0.1', '1.2.3.4, 198.51.100.1', '198.51.100.1', 'what the caller wrote before it is not'],
    ['127.0.0.1', '1.2.3.4, 198.51.100.1, 10.0.3.7', '198.51.100.1', 'through two proxies'],
    ['fd00::1', '[2001:db8::5]:4711', '2001:db8::5', 'a port is left out'],
    ['127.0.0.1', '198.51.100.1:99', '198.51.100.1', 'of IPv4 too'],
    ['127.0.0.1', 'unknown', '127.0.0.1', 'what is no address is not believed'],
    ['127.0.0.1', '198.51.100.1, ', '127.0.0.1', 'nor what is empty'],
    ['127.0.0.1', null, '127.0.0.1', 'nothing is said'],
  ])('%s saying %s is %s: %s', (peer, forwarded, expected, _why) => {
    expect(callerAddress(peer, forwarded, PROXIES)).toBe(expected);
  });

  test('a spoofed header neither evades a limit nor bars somebody else', async () => {
    const at = fresh({ trustedProxies: PROXIES });
    const guess = (from: string, forwarded: string): Promise<Answer> =>
      ask('/v1/users', { [HEADER]: 'a guess', 'x-forwarded-for': forwarded }, { at, from });
    for (let tries = 0; tries < 10; tries += 1) await guess('203.0.113.9', `198.51.100.${tries}`);
    expect((await guess('203.0.113.9', '198.51.100.77')).status).toBe(429);
    expect((await guess('127.0.0.1', '198.51.100.1')).status).toBe(401);
    for (let tries = 0; tries < 9; tries += 1) await guess('127.0.0.1', `1.1.1.${tries}, 198.51.100.1`);
    expect((await guess('127.0.0.1', '198.51.100.1')).status).toBe(429);
    expect((await guess('127.0.0.1', '198.51.100.2')).status).toBe(401);
  });

  test('limits count an IPv6 network of 64 bits as one caller, and IPv4 written as IPv6 as IPv4', () => {
    expect(limitKey('2001:db8::1')).toBe(limitKey('2001:db8::ffff:1'));
    expect(limitKey('2001:db8::1')).not.toBe(limitKey('2001:db8:0:1::1'));
    expect(limitKey('::ffff:192.0.2.1')).toBe(limitKey('192.0.2.1'));
  });
});
