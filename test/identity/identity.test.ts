import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isRefusal } from '../../src/domain/refusal.ts';
import { ownAuthor } from '../../src/operations/audit/record.ts';
import { complete, type Purpose } from '../../src/operations/identity/complete.ts';
import { issuerKey, type Proof } from '../../src/operations/identity/proof.ts';
import type { SignedIn } from '../../src/operations/session/open.ts';
import { buildHttp } from '../../src/http/app.ts';
import { testSite, type Answer, type TestSite } from '../transport/site.ts';

const MINUTE_MS = 60_000;
const FORGE = 'https://git.example.org';
const CALLER = { address: '192.0.2.1', agent: 'a test' };

let site: TestSite;
beforeAll(async () => {
  site = await testSite({ settings: { operators: [{ issuer: FORGE, subject: 'boss', role: 'finance' }] } });
});
afterAll(() => site.close());

const forge = (subject: string, more: Partial<Proof> = {}): Proof => ({
  kind: 'forge',
  issuer: FORGE,
  subject,
  label: `name-of-${subject}`,
  displayName: `Name of ${subject}`,
  claimedRole: null,
  ...more,
});
const overlay = (subject: string): Proof => ({ ...forge(subject), kind: 'mycelium', issuer: 'mycelium' });

const finish = (proof: Proof, purpose: Purpose = { kind: 'sign_in' }) =>
  complete(site.house, { proof, purpose, caller: CALLER, author: ownAuthor(site.house, 'test') });

async function enter(proof: Proof, purpose?: Purpose): Promise<SignedIn> {
  const signedIn = await finish(proof, purpose);
  if (isRefusal(signedIn)) throw new Error(signedIn.message);
  return signedIn;
}

const bearer = ({ token }: SignedIn) => ({ authorization: `Bearer ${token}` });
const as = (who: SignedIn, method: string, path: string, body?: unknown): Promise<Answer> =>
  site.call(method, path, { headers: bearer(who), ...(body === undefined ? {} : { body }) });
const roleOf = async (who: SignedIn): Promise<unknown> => (await as(who, 'GET', '/v1/session')).json['operator_role'];
const isAlive = async (who: SignedIn): Promise<boolean> => (await as(who, 'GET', '/v1/session')).status === 200;
const purposeOf = (kind: 'link' | 'prove', who: SignedIn): Purpose => ({
  kind,
  userSid: who.userSid ?? '',
  sessionSid: who.sid,
});
const items = (answer: Answer): Record<string, unknown>[] => answer.json['items'] as Record<string, unknown>[];

describe('an identity', () => {
  test('J08 is issuer and subject: the same come back to the same user, whatever they are called now', async () => {
    const first = await enter(forge('7'));
    const renamed = await enter(forge('7', { label: 'renamed', displayName: 'Renamed' }));
    expect(renamed.userSid).toBe(first.userSid);
    const twin = await enter(forge('8', { label: 'renamed', displayName: 'Renamed' }));
    expect(twin.userSid).not.toBe(first.userSid);
    const elsewhere = await enter(forge('7', { issuer: 'https://other.example.org' }));
    expect(elsewhere.userSid).not.toBe(first.userSid);
  });

  test('opens one user when two browsers come with it at once', async () => {
    const both = await Promise.all(Array.from({ length: 6 }, () => enter(forge('at-once'))));
    expect(new Set(both.map(({ userSid }) => userSid)).size).toBe(1);
    expect(new Set(both.map(({ sid }) => sid)).size).toBe(6);
    expect(items(await site.operator('GET', '/v1/users?search=Name%20of%20at-once'))).toHaveLength(1);
  });

  test('that an operator wrote down by its number is that of the forge who comes with it', async () => {
    const made = await site.operator('POST', '/v1/users', { forge_id: '4711', display_name: 'Known before' });
    const taken = await site.operator('POST', '/v1/users', { forge_id: '4711' });
    expect(taken.status).toBe(409);
    expect((await enter(forge('4711'))).userSid).toBe(made.json['sid']);
    expect((await enter(forge('4711'))).userSid).toBe(made.json['sid']);
  });

  test.each([
    ['https://git.example.org/', 'https://git.example.org'],
    ['https://git.example.org', 'https://git.example.org'],
    ['https://git.example.org/sub//', 'https://git.example.org/sub'],
  ])('of the issuer %s is kept under %s', (issuer, key) => expect(issuerKey(issuer)).toBe(key));

  test('of somebody who may not come in opens nothing, and what was open is dead', async () => {
    const who = await enter(forge('barred'));
    const at = site.ports.clock.now();
    await site.database.owner.query(
      { name: 'test.disable', text: 'update app_user set disabled_at = $2 where sid = $1' },
      [who.userSid, at],
    );
    expect(await isAlive(who)).toBe(false);
    expect(await finish(forge('barred'))).toMatchObject({ code: 'forbidden' });
  });
});

describe('linking', () => {
  test('J06 gives one user two ways in and a new session; unlinking leaves one', async () => {
    const before = await enter(forge('two'));
    const after = await enter(overlay('5aa::1'), purposeOf('link', before));
    expect(after.userSid).toBe(before.userSid);
    expect(await isAlive(before), 'J06 the session from before is over').toBe(false);
    expect((await enter(overlay('5aa::1'))).userSid).toBe(before.userSid);
    const list = items(await as(after, 'GET', `/v1/users/${String(after.userSid)}/identities`));
    expect(list.map(({ kind }) => kind)).toEqual(['forge', 'mycelium']);
    const [forgeSid, overlaySid] = list.map(({ sid }) => String(sid));
    const unlink = (sid: string | undefined) =>
      as(after, 'DELETE', `/v1/users/${String(after.userSid)}/identities/${String(sid)}`);
    const answers = await Promise.all([unlink(forgeSid), unlink(overlaySid)]);
    expect(
      answers.map(({ status }) => status).toSorted((a, b) => a - b),
      'the last one stays',
    ).toEqual([200, 409]);
    expect(items(await as(after, 'GET', `/v1/users/${String(after.userSid)}/identities`))).toHaveLength(1);
  });

  test("to somebody else's is refused without a word on whose it is, and merges nothing", async () => {
    const owner = await enter(forge('owner'));
    const other = await enter(forge('other'));
    const refused = await finish(forge('owner'), purposeOf('link', other));
    expect(refused).toMatchObject({ code: 'state_conflict' });
    expect(JSON.stringify(refused)).not.toContain(String(owner.userSid));
    expect(JSON.stringify(refused)).not.toContain('Name of');
    expect(await isAlive(other), 'a refused link ends nothing').toBe(true);
    expect((await enter(forge('owner'))).userSid).toBe(owner.userSid);
  });

  test('of one identity to two users at once gives it to one of them', async () => {
    const [one, two] = [await enter(forge('race-1')), await enter(forge('race-2'))];
    const ends = await Promise.all([one, two].map((who) => finish(overlay('5aa::2'), purposeOf('link', who))));
    expect(ends.filter(isRefusal)).toHaveLength(1);
  });
});

describe('J15 money and secrets', () => {
  const create = (who: SignedIn) =>
    as(who, 'POST', '/v1/endpoints', { url: 'https://8.8.8.8/events', description: 'of a test' });

  test('take somebody who showed within ten minutes who they are', async () => {
    const who = await enter(forge('step'));
    expect(await create(who)).toMatchObject({ status: 201 });
    await site.ports.clock.advance(10 * MINUTE_MS + 1);
    const late = await create(who);
    expect([late.status, late.json['code']]).toEqual([403, 'reauth_required']);
    expect((await as(who, 'GET', '/v1/payments')).status, 'reading goes on').toBe(200);
    const again = await enter(forge('step'), purposeOf('prove', who));
    expect((await create(again)).status).toBe(201);
    expect(await isAlive(who), 'J06 a proof gives a new session').toBe(false);
  });

  test('are not opened by a proof of another account, and that makes no new one', async () => {
    const who = await enter(forge('step-2'));
    const other = await enter(forge('step-3'));
    for (const proof of [forge('step-3'), forge('never-seen')])
      expect(await finish(proof, purposeOf('prove', who))).toMatchObject({ code: 'forbidden' });
    expect(items(await site.operator('GET', '/v1/users?search=never-seen'))).toHaveLength(0);
    expect(await isAlive(other)).toBe(true);
  });
});

describe('J14 a session', () => {
  test('is over when nobody uses it for half an hour, and after twelve hours in any case', async () => {
    const idle = await enter(forge('idle'));
    const busy = await enter(forge('busy'));
    for (let minutes = 0; minutes < 12 * 60 - 20; minutes += 20) {
      expect(await isAlive(busy)).toBe(true);
      await site.ports.clock.advance(20 * MINUTE_MS);
    }
    expect(await isAlive(idle)).toBe(false);
    await site.ports.clock.advance(20 * MINUTE_MS);
    expect(await isAlive(busy), 'twelve hours').toBe(false);
  });

  test('can be seen and ended from another one, in every process at once', async () => {
    const [phone, laptop, other] = [await enter(forge('dev')), await enter(forge('dev')), await enter(forge('dev-2'))];
    const path = `/v1/users/${String(phone.userSid)}/sessions`;
    const listed = items(await as(phone, 'GET', path));
    expect(listed.map(({ sid, is_current }) => [sid, is_current])).toEqual([
      [laptop.sid, false],
      [phone.sid, true],
    ]);
    expect(listed[0]).toMatchObject({ address: '192.0.2.1', agent: 'a test' });
    expect((await as(other, 'GET', path)).status).toBe(404);
    expect((await as(other, 'POST', `${path}/revoke`, {})).status).toBe(404);
    expect((await as(phone, 'POST', `${path}/revoke`, { session_sid: other.sid })).json).toEqual({ revoked: 0 });
    expect((await as(phone, 'POST', `${path}/revoke`, { session_sid: laptop.sid })).json).toEqual({ revoked: 1 });
    const elsewhere = buildHttp(site.house, { adminSecrets: [], ping: () => Promise.resolve() });
    expect((await elsewhere.request('/v1/session', { headers: bearer(laptop) })).status).toBe(401);
    const third = await enter(forge('dev'));
    expect((await as(third, 'POST', `${path}/revoke`, {})).json).toEqual({ revoked: 1 });
    expect([await isAlive(phone), await isAlive(third), await isAlive(other)]).toEqual([false, true, true]);
  });
});

describe('J09 a role', () => {
  test('comes from the list of the configuration by issuer and subject, never by name', async () => {
    expect(await roleOf(await enter(forge('boss')))).toBe('finance');
    expect(await roleOf(await enter(forge('x', { label: 'boss', displayName: 'boss' })))).toBe(null);
    expect(await roleOf(await enter(forge('boss', { issuer: 'https://evil.example' })))).toBe(null);
  });

  test('that a provider claims lasts until it claims it no more', async () => {
    const claimed = await enter(forge('claims', { claimedRole: 'auditor' }));
    expect(await roleOf(claimed)).toBe('auditor');
    const without = await enter(forge('claims'));
    expect([await roleOf(without), await roleOf(claimed)]).toEqual([null, null]);
    const audit = items(await site.operator('GET', `/v1/audit-events?subject=${String(claimed.userSid)}`));
    expect(audit.filter(({ action }) => action === 'identity.claim')).toHaveLength(2);
  });
});
