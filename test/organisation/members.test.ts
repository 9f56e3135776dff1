import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { INVITATIONS_OPEN_MAX, ORGANISATIONS_MAX } from '../../src/domain/organisation/member.ts';
import { MailNotSent, type OutgoingMail } from '../../src/ports/ports.ts';
import { buildHttp } from '../../src/http/app.ts';
import { pruneOldInvitations } from '../../src/operations/invitation/prune.ts';
import { endMembershipsOf, listSoleOwnerships } from '../../src/store/membership.ts';
import { closeSound } from '../usage/reporting.ts';
import { answerOf, refusalOf, testSite, type Answer, type TestSite } from '../transport/site.ts';
import { invite, itemsIn, join, openOrganisation, signIn, type Person, type Shared } from './people.ts';

const DAY_MS = 86_400_000;

let site: TestSite;
let owner: Person;
let member: Person;
let shared: Shared;
beforeAll(async () => {
  site = await testSite({ settings: { sessionHours: 9_000, sessionIdleMinutes: 540_000 } });
  owner = await signIn(site, 'Owner');
  member = await signIn(site, 'Member');
  shared = await openOrganisation(site, owner);
  await join(owner, shared.sid, member, { role: 'member', monthly_cap: '10.00' });
});
afterAll(() => closeSound(site));
beforeEach(async () => {
  await prove(owner);
  await prove(member);
});

const sorted = (answers: readonly Answer[]): number[] =>
  answers.map(({ status }) => status).toSorted((one, other) => one - other);
const rolesOf = async (who: Person, sid: string): Promise<unknown[]> =>
  itemsIn(await who.as('GET', `/v1/organisations/${sid}/members`)).map(({ user_sid: user, role }) => [user, role]);
const actionsOf = async (sid: string): Promise<unknown[]> =>
  itemsIn(await site.operator('GET', `/v1/audit-events?subject=${sid}`)).map(({ action }) => action);

describe('an organisation', () => {
  test('has a wallet of its own, which its members find in their session', async () => {
    const session = await member.as('GET', '/v1/session');
    expect(session.json['wallets']).toEqual([
      { wallet_sid: member.walletSid, owner_sid: member.userSid, name: 'Member', kind: 'person', role: 'owner' },
      {
        wallet_sid: shared.walletSid,
        owner_sid: shared.sid,
        name: 'Ada & Friends',
        kind: 'organisation',
        role: 'member',
      },
    ]);
    expect((await member.as('GET', `/v1/organisations/${shared.sid}`)).json).toMatchObject({
      name: 'Ada & Friends',
      role: 'member',
      members: 2,
    });
    expect(itemsIn(await member.as('GET', '/v1/organisations'))).toHaveLength(1);
    const found = itemsIn(await site.operator('GET', '/v1/organisations?search=Friends'));
    expect(found).toEqual([expect.objectContaining({ sid: shared.sid, role: null })]);
    expect((await site.operator('GET', `/v1/users/${shared.sid}`)).json['kind']).toBe('organisation');
  });

  test('is renamed and written to by its owners only', async () => {
    const change = { name: 'Ada and Friends', email: 'friends@example.org' };
    expect(refusalOf(await member.as('PATCH', `/v1/organisations/${shared.sid}`, change))).toBe('404 not_found');
    expect((await owner.as('PATCH', `/v1/organisations/${shared.sid}`, change)).json).toMatchObject(change);
    await owner.as('PATCH', `/v1/organisations/${shared.sid}`, { name: 'Ada & Friends', email: null });
  });

  test('is not for operators to be in', async () => {
    expect(refusalOf(await site.operator('POST', '/v1/organisations', { name: 'x' }))).toBe('403 forbidden');
  });

  test('is not opened without end', async () => {
    const keen = await signIn(site);
    const open = () => keen.as('POST', '/v1/organisations', { name: 'One more' });
    const made = await Promise.all(Array.from({ length: ORGANISATIONS_MAX + 2 }, open));
    expect(made.filter(({ status }) => status === 201)).toHaveLength(ORGANISATIONS_MAX);
    expect(made.filter(({ status }) => status === 409)).toHaveLength(2);
  });
});

describe('members', () => {
  test('are set by owners: role and cap, and the cap ends with the role of a member', async () => {
    const path = `/v1/organisations/${shared.sid}/members/${member.userSid}`;
    expect(refusalOf(await member.as('PATCH', path, { role: 'owner' }))).toBe('404 not_found');
    expect((await owner.as('PATCH', path, { monthly_cap: '5.00' })).json['monthly_cap']).toBe('5.00');
    const wrong = await owner.as('PATCH', path, { role: 'viewer', monthly_cap: '5.00' });
    expect([refusalOf(wrong), wrong.json['errors']]).toEqual([
      '400 invalid_request',
      [{ pointer: '#/monthly_cap', detail: 'is for members only: leave it out, or make it null' }],
    ]);
    expect((await owner.as('PATCH', path, { role: 'viewer' })).json).toMatchObject({
      role: 'viewer',
      monthly_cap: null,
    });
    expect((await owner.as('PATCH', path, { role: 'member', monthly_cap: '10' })).json['monthly_cap']).toBe('10.00');
    const [last] = itemsIn(await site.operator('GET', `/v1/audit-events?subject=${shared.sid}`));
    expect(last).toMatchObject({ action: 'member.set', before: { role: 'viewer' }, after: { role: 'member' } });
  });

  test('the last owner can neither leave, nor be removed, nor become less', async () => {
    const own = `/v1/organisations/${shared.sid}`;
    expect(refusalOf(await owner.as('POST', `${own}/leave`, {}))).toBe('409 state_conflict');
    expect(refusalOf(await owner.as('DELETE', `${own}/members/${owner.userSid}`))).toBe('409 state_conflict');
    expect(refusalOf(await owner.as('PATCH', `${own}/members/${owner.userSid}`, { role: 'member' }))).toBe(
      '409 state_conflict',
    );
    expect(refusalOf(await site.operator('DELETE', `${own}/members/${owner.userSid}`))).toBe('409 state_conflict');
  });

  test('of two owners who remove each other at once one stays, ten times', async () => {
    for (let round = 0; round < 10; round += 1) {
      const [one, two] = [await signIn(site), await signIn(site)];
      const { sid } = await openOrganisation(site, one);
      await join(one, sid, two, { role: 'viewer' });
      await one.as('PATCH', `/v1/organisations/${sid}/members/${two.userSid}`, { role: 'owner' });
      const answers = await Promise.all([
        one.as('DELETE', `/v1/organisations/${sid}/members/${two.userSid}`),
        two.as('DELETE', `/v1/organisations/${sid}/members/${one.userSid}`),
      ]);
      expect(sorted(answers)).toEqual([200, 404]);
      const left = itemsIn(await site.operator('GET', `/v1/organisations/${sid}/members`));
      expect(left.map(({ role }) => role)).toEqual(['owner']);
    }
  });

  test('hand the ownership on: the owner becomes a member, after a fresh proof', async () => {
    const [giver, heir] = [await signIn(site), await signIn(site)];
    const { sid } = await openOrganisation(site, giver);
    const path = `/v1/organisations/${sid}/transfer`;
    expect(refusalOf(await giver.as('POST', path, { user_sid: heir.userSid }))).toBe('404 not_found');
    await join(giver, sid, heir, { role: 'member', monthly_cap: '1' });
    await site.ports.clock.advance(11 * 60_000);
    expect(refusalOf(await giver.as('POST', path, { user_sid: heir.userSid }))).toBe('403 reauth_required');
    const again = await signIn(site, `Giver ${giver.userSid}`);
    expect(refusalOf(await again.as('POST', path, { user_sid: heir.userSid }))).toBe('404 not_found');
    await prove(giver);
    expect((await giver.as('POST', path, { user_sid: heir.userSid })).json['role']).toBe('member');
    expect(await rolesOf(heir, sid)).toEqual([
      [giver.userSid, 'member'],
      [heir.userSid, 'owner'],
    ]);
    expect(refusalOf(await giver.as('POST', path, { user_sid: giver.userSid }))).toBe('404 not_found');
    expect((await actionsOf(sid))[0]).toBe('organisation.transfer');
  });

  test('an operator makes an owner where the owner is gone', async () => {
    const [gone, heir] = [await signIn(site), await signIn(site)];
    const { sid } = await openOrganisation(site, gone);
    await join(gone, sid, heir, { role: 'viewer' });
    await site.operator('POST', `/v1/organisations/${sid}/transfer`, { user_sid: heir.userSid });
    expect(await rolesOf(heir, sid)).toEqual([
      [gone.userSid, 'owner'],
      [heir.userSid, 'owner'],
    ]);
  });

  test('whoever left, or was taken out, reaches nothing of it with the session that they have', async () => {
    const guest = await signIn(site);
    await join(owner, shared.sid, guest, { role: 'member' });
    expect((await guest.as('GET', `/v1/billings/${shared.walletSid}`)).status).toBe(200);
    expect((await guest.as('POST', `/v1/organisations/${shared.sid}/leave`, {})).status).toBe(200);
    expect(refusalOf(await guest.as('GET', `/v1/billings/${shared.walletSid}`))).toBe('404 not_found');
    await join(owner, shared.sid, guest, { role: 'viewer' });
    expect((await guest.as('GET', `/v1/billings/${shared.walletSid}`)).status).toBe(200);
    await owner.as('DELETE', `/v1/organisations/${shared.sid}/members/${guest.userSid}`);
    expect(refusalOf(await guest.as('GET', `/v1/billings/${shared.walletSid}`))).toBe('404 not_found');
    expect((await guest.as('GET', '/v1/session')).json['wallets']).toHaveLength(1);
  });
});

/** Shows anew who they are, by the same session. */
async function prove(who: Person): Promise<void> {
  await site.database.owner.query(
    { name: 'test.prove', text: 'update session set proven_at = $2 where user_sid = $1' },
    [who.userSid, site.ports.clock.now()],
  );
}

describe('an invitation', () => {
  test('says to whoever has it what it is to, and is accepted once, whoever tries', async () => {
    const token = await invite(owner, shared.sid, { role: 'member', monthly_cap: '3.50' });
    const guests = await Promise.all(Array.from({ length: 4 }, () => signIn(site)));
    const [first] = guests;
    const seen = await first?.as('POST', '/v1/invitations/look', { token });
    expect(seen?.json).toMatchObject({ organisation_name: 'Ada & Friends', role: 'member', monthly_cap: '3.50' });
    const answers = await Promise.all(guests.map((guest) => guest.as('POST', '/v1/invitations/accept', { token })));
    expect(sorted(answers)).toEqual([200, 404, 404, 404]);
    const winner = guests[answers.findIndex(({ status }) => status === 200)];
    if (!winner) throw new Error('nobody got in');
    const again = await winner.as('POST', '/v1/invitations/accept', { token });
    expect([again.status, again.json['role']]).toEqual([200, 'member']);
    await owner.as('DELETE', `/v1/organisations/${shared.sid}/members/${winner.userSid}`);
    expect(refusalOf(await winner.as('POST', '/v1/invitations/accept', { token }))).toBe('404 not_found');
  });

  test('that never was, was used, declined, revoked or is over looks alike', async () => {
    const guest = await signIn(site);
    const [used, declined, revoked, over] = await Promise.all(
      Array.from({ length: 4 }, () => invite(owner, shared.sid, { role: 'viewer' })),
    );
    await (await signIn(site)).as('POST', '/v1/invitations/accept', { token: used });
    await (await signIn(site)).as('POST', '/v1/invitations/decline', { token: declined });
    const open = itemsIn(await owner.as('GET', `/v1/organisations/${shared.sid}/invitations`));
    const wanted = await owner.as('POST', `/v1/organisations/${shared.sid}/invitations`, { role: 'viewer' });
    expect(itemsIn(await owner.as('GET', `/v1/organisations/${shared.sid}/invitations`))).toHaveLength(open.length + 1);
    expect(wanted.text).toContain('/invitations/');
    for (const { sid } of open.slice(0, 2))
      expect((await owner.as('DELETE', `/v1/organisations/${shared.sid}/invitations/${String(sid)}`)).status).toBe(200);
    await site.ports.clock.advance(7 * DAY_MS);
    for (const verb of ['look', 'accept', 'decline'])
      for (const token of [used, declined, revoked, over, 'nonsense', wanted.json['token']]) {
        const { json, ...answer } = await guest.as('POST', `/v1/invitations/${verb}`, { token });
        expect([answer.status, json['detail']]).toEqual([
          404,
          'This invitation is not valid, or not any more. Ask for a new one.',
        ]);
      }
    expect(itemsIn(await owner.as('GET', `/v1/organisations/${shared.sid}/invitations`))).toEqual([]);
  });

  test('is made, listed and revoked by owners only, and not without end', async () => {
    const path = `/v1/organisations/${shared.sid}/invitations`;
    expect(refusalOf(await member.as('POST', path, { role: 'viewer' }))).toBe('404 not_found');
    expect(refusalOf(await member.as('GET', path))).toBe('404 not_found');
    expect(refusalOf(await owner.as('POST', path, { role: 'owner' }))).toBe('400 invalid_request');
    const made = await Promise.all(
      Array.from({ length: INVITATIONS_OPEN_MAX + 2 }, () => owner.as('POST', path, { role: 'viewer' })),
    );
    expect(made.filter(({ status }) => status === 201)).toHaveLength(INVITATIONS_OPEN_MAX);
    expect(made.filter(({ status }) => status === 409)).toHaveLength(2);
    for (const { sid } of itemsIn(await owner.as('GET', path))) await owner.as('DELETE', `${path}/${String(sid)}`);
    const more = await Promise.all(
      Array.from({ length: INVITATIONS_OPEN_MAX }, () => owner.as('POST', path, { role: 'viewer' })),
    );
    expect(more.filter(({ status }) => status === 201)).toHaveLength(INVITATIONS_OPEN_MAX);
    await owner.as('DELETE', `${path}/${String(itemsIn(await owner.as('GET', path))[0]?.['sid'])}`);
    expect(refusalOf(await owner.as('POST', path, { role: 'viewer' }))).toBe('429 rate_limited');
    await site.ports.clock.advance(8 * DAY_MS);
  });

  test('is no way in for somebody who is in already, and stays good for another', async () => {
    const token = await invite(owner, shared.sid, { role: 'viewer' });
    expect(refusalOf(await member.as('POST', '/v1/invitations/accept', { token }))).toBe('409 state_conflict');
    expect((await (await signIn(site)).as('POST', '/v1/invitations/accept', { token })).status).toBe(200);
  });

  test('is kept as a hash, and mailed without a copy; a mail server that fails leaves the link with the owner', async () => {
    const sent: OutgoingMail[] = [];
    let isAway = false;
    const mailer = {
      send: (mail: OutgoingMail) => {
        if (isAway) return Promise.reject(new MailNotSent(false, 'away'));
        sent.push(mail);
        return Promise.resolve();
      },
    };
    const app = buildHttp({ ...site.house, mailer }, { adminSecrets: [], ping: () => Promise.resolve() });
    const ask = async (email: string) =>
      answerOf(
        await app.request(`/v1/organisations/${shared.sid}/invitations`, {
          method: 'POST',
          body: JSON.stringify({ role: 'viewer', email }),
          headers: { 'content-type': 'application/json', ...owner.headers },
        }),
      );
    const { json } = await ask('guest@example.org');
    expect([json['is_mailed'], sent[0]?.to]).toEqual([true, 'guest@example.org']);
    expect(sent[0]?.text).toContain(String(json['url']));
    expect(sent[0]?.html).toContain('Ada &amp; Friends');
    isAway = true;
    expect((await ask('guest@example.org')).json['is_mailed']).toBe(false);
    const [kept] = await site.database.owner.query<{ rows: string }>({
      name: 'test.kept',
      text: `select (select jsonb_agg(to_jsonb(invitation)) from invitation)::text || (select jsonb_agg(to_jsonb(audit)) from audit)::text
             || coalesce((select jsonb_agg(to_jsonb(mail)) from mail)::text, '') as rows`,
    });
    expect(kept?.rows.length).toBeGreaterThan(100);
    expect(kept?.rows).not.toContain(String(json['token']));
  });

  test('is forgotten after 90 days, with where it was mailed to', async () => {
    const count = async () =>
      (await site.database.owner.query({ name: 'test.invitations', text: 'select sid from invitation' })).length;
    await invite(owner, shared.sid, { role: 'viewer', email: 'guest@example.org' });
    expect(await count()).toBeGreaterThan(0);
    await pruneOldInvitations(site.house);
    expect(await count()).toBeGreaterThan(0);
    await site.ports.clock.advance(90 * DAY_MS + 1);
    await pruneOldInvitations(site.house);
    expect(await count()).toBe(0);
  });
});

test('a membership is what keeps an account from being deleted, where nobody else owns the organisation', async () => {
  const { db } = site.house;
  const [lone, other] = [await signIn(site), await signIn(site)];
  const { sid } = await openOrganisation(site, lone);
  expect(await listSoleOwnerships(db, lone.userSid)).toEqual([sid]);
  await join(lone, sid, other, { role: 'member' });
  expect(await listSoleOwnerships(db, lone.userSid)).toEqual([sid]);
  await lone.as('PATCH', `/v1/organisations/${sid}/members/${other.userSid}`, { role: 'owner' });
  expect(await listSoleOwnerships(db, lone.userSid)).toEqual([]);
  expect(await endMembershipsOf(db, lone.userSid, site.ports.clock.now())).toEqual([sid]);
  expect(await rolesOf(other, sid)).toEqual([[other.userSid, 'owner']]);
  expect(await listSoleOwnerships(db, other.userSid)).toEqual([sid]);
});
