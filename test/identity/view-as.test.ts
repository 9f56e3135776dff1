import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OPERATIONS, pathFieldsOf } from '../../src/operations/registry.ts';
import { refusalOf, testSite, type Answer, type TestSite } from '../transport/site.ts';
import { signIn, type Person } from './people.ts';

let site: TestSite;
let ada: Person;
beforeAll(async () => {
  site = await testSite();
  ada = await signIn(site, 'Ada');
});
afterAll(() => site.close());

const sessionOf = async ({ headers }: Person): Promise<Record<string, unknown>> =>
  (await site.call('GET', '/v1/session', { headers })).json;
const view = (by: Person, userSid: string): Promise<Answer> =>
  site.call('POST', `/v1/users/${userSid}/view-as`, { body: { reason: 'a ticket' }, headers: by.headers });
const stop = ({ headers }: Person): Promise<Answer> =>
  site.call('POST', '/v1/session/stop-viewing', { body: {}, headers });
const auditOf = async (subject: string): Promise<unknown> =>
  (await site.operator('GET', `/v1/audit-events?subject=${subject}`)).json['items'];

describe('J22 an operator who looks as a user', () => {
  test('sees what the user sees, and who looks is said; then is an operator again', async () => {
    const support = await signIn(site, 'Support', 'support');
    expect((await view(support, ada.userSid)).json).toEqual({ user_sid: ada.userSid, display_name: 'Ada' });
    const viewer = `operator:${support.userSid}`;
    expect(await sessionOf(support)).toMatchObject({
      role: 'user',
      operator_role: null,
      rights: [],
      user: { sid: ada.userSid, wallet_sid: ada.walletSid },
      viewed_by: viewer,
    });
    expect((await sessionOf(ada))['viewed_by']).toBeNull();
    expect((await site.call('GET', `/v1/billings/${ada.walletSid}`, { headers: support.headers })).status).toBe(200);
    const grace = await signIn(site, 'Grace');
    const hers = await site.call('GET', `/v1/billings/${grace.walletSid}`, { headers: support.headers });
    expect(refusalOf(hers)).toBe('404 not_found');
    expect((await site.call('GET', '/v1/users', { headers: support.headers })).status).toBe(403);
    expect((await stop(support)).json).toEqual({ was_viewing: true });
    expect((await stop(support)).json).toEqual({ was_viewing: false });
    expect(await sessionOf(support)).toMatchObject({ role: 'operator', operator_role: 'support', viewed_by: null });
  });

  test('leaves audit rows with both ids', async () => {
    const support = await signIn(site, 'Support', 'support');
    const eve = await signIn(site, 'Eve');
    await view(support, eve.userSid);
    await stop(support);
    const actor = `operator:${support.userSid}`;
    expect(await auditOf(eve.userSid)).toMatchObject([
      { action: 'session.stop-viewing', actor, subject: eve.userSid },
      { action: 'session.view-as', actor, subject: eve.userSid, reason: 'a ticket' },
    ]);
    const line = site.ports.log.lines.findLast(({ facts }) => facts['operation'] === 'session.stop-viewing');
    expect(line?.facts['actor']).toBe(`${actor} as user:${eve.userSid}`);
  });

  test('changes nothing, by whatever operation, an admin no more than others', async () => {
    const admin = await signIn(site, 'An admin', 'admin');
    await view(admin, ada.userSid);
    const writes = OPERATIONS.filter(({ name, http }) => http.method !== 'get' && name !== 'session.stop-viewing');
    for (const operation of writes) {
      let { path } = operation.http;
      for (const field of pathFieldsOf(operation)) path = path.replace(`{${field}}`, ada.userSid);
      const method = operation.http.method.toUpperCase();
      const body = method === 'DELETE' ? {} : { body: {} };
      const answer = await site.call(method, path, { ...body, headers: admin.headers });
      expect(`${operation.name} ${refusalOf(answer)}`).toBe(`${operation.name} 403 forbidden`);
    }
    const taking = OPERATIONS.filter(({ right, access }) => right === 'export' && access === 'user');
    for (const { name, http } of taking) {
      const answer = await site.call('GET', http.path.replace('{sid}', ada.userSid), { headers: admin.headers });
      expect(`${name} ${answer.status}`).toBe(`${name} 403`);
    }
  });

  test('needs a session of their own, and a user who is there', async () => {
    const asked = await site.operator('POST', `/v1/users/${ada.userSid}/view-as`, { reason: 'x' });
    expect(refusalOf(asked)).toBe('409 state_conflict');
    const support = await signIn(site, 'Support', 'support');
    expect(refusalOf(await view(support, '01JD9ZQ4T2V6M0F8K3A5B7C9D1'))).toBe('404 not_found');
    expect(refusalOf(await view(ada, support.userSid))).toBe('403 forbidden');
  });

  test('who is no operator any more does not look any more', async () => {
    const support = await signIn(site, 'Once support', 'support');
    await view(support, ada.userSid);
    await site.operator('POST', `/v1/operators/${support.userSid}/revoke`, {});
    expect((await site.call('GET', '/v1/session', { headers: support.headers })).status).toBe(401);
  });
});

describe('J15 what needs a sign-in of the last ten minutes', () => {
  const MONEY: readonly (readonly [string, string, unknown])[] = [
    ['an adjustment', '/admin/balance-adjust', { sid: '01JD9ZQ4T2V6M0F8K3A5B7C9D1', balance_cents: 1 }],
    ['a refund', '/v1/refunds', { payment_sid: '01JD9ZQ4T2V6M0F8K3A5B7C9D1', amount: '1.00', reason: 'x' }],
    ['a new key of a node', '/v1/nodes', { name: 'x' }],
    ['a new secret of an endpoint', '/v1/endpoints/01JD9ZQ4T2V6M0F8K3A5B7C9D1/rotate', {}],
    ['a role', '/v1/operators/01JD9ZQ4T2V6M0F8K3A5B7C9D1/grant', { role: 'support' }],
  ];
  for (const [what, path, body] of MONEY) {
    test(`${what} is refused to an older session until it shows itself again`, async () => {
      const admin = await signIn(site, `admin of ${what}`, 'admin');
      site.ports.clock.advance(10 * 60_000 + 1);
      const headers = { ...admin.headers, 'idempotency-key': 'step-up' };
      expect(refusalOf(await site.call('POST', path, { body, headers }))).toBe('403 reauth_required');
      const again = await signIn(site, `admin of ${what}`, 'admin');
      const answer = await site.call('POST', path, {
        body,
        headers: { ...again.headers, 'idempotency-key': 'step-up' },
      });
      expect([201, 404]).toContain(answer.status);
    });
  }

  test('whoever holds the admin secret shows it again: a new session, and the one before is over', async () => {
    const body = { admin_secret: 'test-admin-secret-of-thirty-two-bytes-and-more' };
    const first = await site.call('POST', '/login/admin', { body });
    const cookie = `hero_session=${String(first.json['token'])}`;
    site.ports.clock.advance(11 * 60_000);
    const again = await site.call('POST', '/login/admin', {
      body,
      headers: { cookie, 'sec-fetch-site': 'same-origin' },
    });
    expect(again.json['session_sid']).not.toBe(first.json['session_sid']);
    const bearer = (answer: Answer): Record<string, string> => ({
      authorization: `Bearer ${String(answer.json['token'])}`,
    });
    expect((await site.call('GET', '/v1/session', { headers: bearer(first) })).status).toBe(401);
    const node = await site.call('POST', '/v1/nodes', { body: { name: 'y' }, headers: bearer(again) });
    expect(node.status).toBe(201);
  });
});
