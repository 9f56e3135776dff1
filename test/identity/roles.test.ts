import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { execute, type Reply } from '../../src/operations/execute.ts';
import type { Operation } from '../../src/operations/operation.ts';
import { operatorGrant } from '../../src/operations/operator/grant.ts';
import { operatorRevoke } from '../../src/operations/operator/revoke.ts';
import { pruneOldSessions } from '../../src/operations/session/prune.ts';
import { buildHttp } from '../../src/http/app.ts';
import { ADMIN_SECRET, answerOf, refusalOf, testSite, type Answer, type TestSite } from '../transport/site.ts';
import { signIn, type Person } from './people.ts';

const LISTED = { issuer: 'https://git.example.org', subject: '42' };
/** Where nobody has a secret: what admins do to one another counts. */
const NO_SECRET = { hasAdminSecret: false };

let site: TestSite;
beforeAll(async () => {
  site = await testSite();
});
afterAll(() => site.close());

let names = 0;
const someone = (role: Parameters<typeof signIn>[2] = 'user'): Promise<Person> =>
  signIn(site, `person ${(names += 1)}`, role);

const roleSeen = async ({ headers }: Person): Promise<unknown> =>
  (await site.call('GET', '/v1/session', { headers })).json['operator_role'];

const auditOf = async (subject: string): Promise<Record<string, unknown>[]> =>
  (await site.operator('GET', `/v1/audit-events?subject=${subject}`)).json['items'] as Record<string, unknown>[];

describe('a role', () => {
  test('is granted with before and after in the audit trail, and ends every session of its holder', async () => {
    const ada = await someone();
    const granted = await site.operator('POST', `/v1/operators/${ada.userSid}/grant`, {
      role: 'support',
      reason: 'new here',
    });
    expect(granted.json).toEqual({ user_sid: ada.userSid, role: 'support', sessions_ended: 1 });
    expect(refusalOf(await site.call('GET', '/v1/session', { headers: ada.headers }))).toBe('401 unauthenticated');
    const [row] = await auditOf(ada.userSid);
    expect(row).toMatchObject({
      action: 'operator.grant',
      actor: 'admin:adm_1',
      reason: 'new here',
      before: { role: null },
      after: { role: 'support' },
    });
  });

  test('that somebody has already changes nothing and leaves them signed in', async () => {
    const ada = await someone('support');
    const rows = (await auditOf(ada.userSid)).length;
    const again = await site.operator('POST', `/v1/operators/${ada.userSid}/grant`, { role: 'support' });
    expect(again.json['sessions_ended']).toBe(0);
    expect(await roleSeen(ada)).toBe('support');
    expect(await auditOf(ada.userSid)).toHaveLength(rows);
  });

  test('that is revoked is gone, and so are the sessions; a second time nothing happens', async () => {
    const ada = await someone('finance');
    expect((await site.operator('POST', `/v1/operators/${ada.userSid}/revoke`, {})).json['sessions_ended']).toBe(1);
    expect((await site.call('GET', '/v1/users', { headers: ada.headers })).status).toBe(401);
    expect((await site.operator('POST', `/v1/operators/${ada.userSid}/revoke`, {})).json['sessions_ended']).toBe(0);
  });

  test('is for admins to give, not for finance or users', async () => {
    const [finance, user] = [await someone('finance'), await someone()];
    for (const { headers } of [finance, user]) {
      const asked = { body: { role: 'admin' }, headers };
      expect(refusalOf(await site.call('POST', `/v1/operators/${user.userSid}/grant`, asked))).toBe('403 forbidden');
    }
  });

  test('of nobody is not found, of a barred user is refused', async () => {
    const nobody = '01JD9ZQ4T2V6M0F8K3A5B7C9D1';
    expect(refusalOf(await site.operator('POST', `/v1/operators/${nobody}/grant`, { role: 'support' }))).toBe(
      '404 not_found',
    );
    expect(refusalOf(await site.operator('POST', `/v1/operators/${nobody}/revoke`, {}))).toBe('404 not_found');
    const ada = await someone();
    await site.operator('POST', `/v1/users/${ada.userSid}/disable`, { reason: 'x' });
    const granted = await site.operator('POST', `/v1/operators/${ada.userSid}/grant`, { role: 'support' });
    expect(refusalOf(granted)).toBe('409 state_conflict');
  });
});

describe('the list of operators', () => {
  test('has whom an admin, the configuration or a claim made one, each with the strongest of them', async () => {
    const own = await testSite({
      settings: {
        operators: [
          { ...LISTED, role: 'auditor' },
          { issuer: 'sandbox', subject: 'grace', role: 'finance' },
        ],
      },
    });
    const grace = await signIn(own, 'Grace', 'support');
    await signIn(own, 'Nobody special');
    const claimed = await signIn(own, 'Claire');
    await own.database.owner.query(
      { name: 'test.claim', text: `update identity set claimed_role = 'admin' where user_sid = $1` },
      [claimed.userSid],
    );
    const { json } = await own.operator('GET', '/v1/operators');
    expect(json['items']).toMatchObject([
      { user_sid: grace.userSid, role: 'finance', granted: { role: 'support' }, listed: [{ role: 'finance' }] },
      { user_sid: claimed.userSid, role: 'admin', granted: null, claimed: [{ issuer: 'sandbox', role: 'admin' }] },
      { user_sid: null, role: 'auditor', listed: [{ ...LISTED, role: 'auditor' }] },
    ]);
    await own.close();
  });
});

describe('the last admin', () => {
  let own: TestSite;
  let ada: Person;
  let grace: Person;
  beforeAll(async () => {
    own = await testSite({ settings: NO_SECRET, http: { adminSecrets: [] } });
    [ada, grace] = [await signIn(own, 'Ada', 'admin'), await signIn(own, 'Grace', 'admin')];
  });
  afterAll(() => own.close());

  const run = ({ userSid }: Person, operation: Operation, input: unknown): Promise<Reply> => {
    const actor = { kind: 'operator', id: `operator:${userSid}`, role: 'admin', userSid } as const;
    return execute(own.house, operation, { actor, input, idempotencyKey: null, requestId: 'req_of_a_test' });
  };
  const ask = (by: Person, path: string, body: unknown = {}): Promise<Answer> =>
    own.call('POST', path, { body, headers: by.headers });

  test('of two who take the role from each other at once one is left, and cannot take it from themselves', async () => {
    // Both are admitted before either has written: as two processes would admit them.
    const replies = await Promise.all([
      run(ada, operatorRevoke, { sid: grace.userSid }),
      run(grace, operatorGrant, { sid: ada.userSid, role: 'support' }),
    ]);
    expect(replies.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    const left = replies[0]?.status === 200 ? ada : grace;
    expect(refusalOf(await ask(left, `/v1/operators/${left.userSid}/revoke`))).toBe('409 state_conflict');
    expect(refusalOf(await ask(left, `/v1/operators/${left.userSid}/grant`, { role: 'finance' }))).toBe(
      '409 state_conflict',
    );
    expect(refusalOf(await ask(left, `/v1/users/${left.userSid}/disable`, { reason: 'x' }))).toBe('409 state_conflict');
  });

  test('may go once the configuration names somebody who can come, or there is an admin secret', async () => {
    for (const settings of [{ operators: [{ ...LISTED, role: 'admin' } as const] }, { hasAdminSecret: true }]) {
      const next = { ...own.house, settings: { ...own.house.settings, ...settings } };
      const app = buildHttp(next, {
        adminSecrets: [{ id: 'adm_1', secret: ADMIN_SECRET }],
        ping: () => Promise.resolve(),
      });
      const admin = await signIn(own, 'Ada', 'admin');
      const request = { method: 'POST', body: '{}', headers: { ...admin.headers, 'content-type': 'application/json' } };
      const answer = await answerOf(await app.request(`/v1/operators/${admin.userSid}/revoke`, request));
      expect(answer.status).toBe(200);
    }
  });
});

describe('J14 a session is over', () => {
  const status = async ({ headers }: Person): Promise<number> =>
    (await site.call('GET', '/v1/session', { headers })).status;

  test('after 30 minutes without use, and after 12 hours with it', async () => {
    const { clock } = site.ports;
    const idle = await someone();
    await clock.advance(31 * 60_000);
    expect(await status(idle)).toBe(401);
    const busy = await someone();
    for (let minutes = 0; minutes < 12 * 60; minutes += 20) {
      expect(await status(busy)).toBe(200);
      await clock.advance(20 * 60_000);
    }
    expect(await status(busy)).toBe(401);
  });

  test('for whoever stole its cookie before the sign-out, in every process', async () => {
    const ada = await someone();
    const other = buildHttp(site.house, { adminSecrets: [], ping: () => Promise.resolve() });
    await site.call('POST', '/logout', { headers: ada.headers });
    for (const headers of [ada.headers, { cookie: `hero_session=${ada.token}` }]) {
      const stolen = await answerOf(await other.request(`/v1/users/${ada.userSid}`, { headers }));
      expect(stolen.status).toBe(401);
    }
  });

  test('for a user who was disabled, at once; enabling brings no session back', async () => {
    const ada = await someone();
    const barred = await site.operator('POST', `/v1/users/${ada.userSid}/disable`, { reason: 'stolen device' });
    expect(barred.json['disabled_at']).not.toBeNull();
    expect(await status(ada)).toBe(401);
    const [row] = await auditOf(ada.userSid);
    expect(row).toMatchObject({ action: 'user.disable', reason: 'stolen device', after: { sessions_ended: 1 } });
    const again = await site.operator('POST', `/v1/users/${ada.userSid}/disable`, { reason: 'again' });
    expect(again.json['disabled_at']).toBe(barred.json['disabled_at']);
    const enabled = await site.operator('POST', `/v1/users/${ada.userSid}/enable`, {});
    expect(enabled.json['disabled_at']).toBeNull();
    expect(await status(ada)).toBe(401);
    expect((await auditOf(ada.userSid))[0]).toMatchObject({ action: 'user.enable' });
  });

  test('and half a year later its row is gone, while one of last week is kept as evidence', async () => {
    const { clock } = site.ports;
    const ada = await someone();
    const count = async (): Promise<number> =>
      (
        await site.database.owner.query(
          { name: 'test.session_rows', text: 'select sid from session where user_sid = $1' },
          [ada.userSid],
        )
      ).length;
    await clock.advance(7 * 86_400_000);
    await pruneOldSessions(site.house);
    expect(await count()).toBe(1);
    await clock.advance(180 * 86_400_000);
    expect((await pruneOldSessions(site.house)).removed).toBeGreaterThan(0);
    expect(await count()).toBe(0);
  });
});

test('an operator cannot bar themselves', async () => {
  const ada = await someone('admin');
  const asked = { body: { reason: 'x' }, headers: ada.headers };
  expect(refusalOf(await site.call('POST', `/v1/users/${ada.userSid}/disable`, asked))).toBe('409 state_conflict');
  expect(refusalOf(await site.operator('POST', '/v1/users/01JD9ZQ4T2V6M0F8K3A5B7C9D1/enable', {}))).toBe(
    '404 not_found',
  );
});

test('J09 a listed identity that is taken out of the configuration is no operator at the next request', async () => {
  const operators = [{ issuer: 'sandbox', subject: 'listed linda', role: 'admin' as const }];
  const own = await testSite({ settings: { operators } });
  const linda = await signIn(own, 'Listed Linda');
  const seen = async (app: TestSite['app']): Promise<unknown> =>
    (await answerOf(await app.request('/v1/session', { headers: linda.headers }))).json['operator_role'];
  expect(await seen(own.app)).toBe('admin');
  const without = { ...own.house, settings: { ...own.house.settings, operators: [] } };
  expect(await seen(buildHttp(without, { adminSecrets: [], ping: () => Promise.resolve() }))).toBeNull();
  await own.close();
});

describe('an operator who is a person', () => {
  test.each(['support', 'auditor', 'finance'] as const)(
    '(%s) ends their own sessions and changes their own name, and nobody else’s',
    async (role) => {
      const enter = async (name: string, as: string) =>
        (await site.call('POST', '/login/sandbox', { body: { name, role: as } })).json as Record<string, string>;
      const [self, second, other] = [
        await enter(`Self ${role}`, role),
        await enter(`Self ${role}`, role),
        await enter('Other', 'user'),
      ];
      const headers = { authorization: `Bearer ${String(self['token'])}` };
      const ask = (method: string, path: string, body: object) => site.call(method, path, { body, headers });
      const own = `/v1/users/${String(self['user_sid'])}`;
      const others = `/v1/users/${String(other['user_sid'])}`;
      expect((await ask('PATCH', own, { display_name: 'New' })).json).toMatchObject({ display_name: 'New' });
      expect((await ask('PATCH', others, { display_name: 'New' })).status).toBe(404);
      expect((await ask('POST', `${others}/sessions/revoke`, {})).status).toBe(404);
      expect((await ask('POST', `${own}/sessions/revoke`, { session_sid: second['session_sid'] })).json).toEqual({
        revoked: 1,
      });
    },
  );
});
