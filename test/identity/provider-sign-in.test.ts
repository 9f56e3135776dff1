import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { calm } from '../../sandbox/forge/switches.ts';
import { buildHttp } from '../../src/http/app.ts';
import { loginForge, type LoginForge } from '../support/forge-login.ts';
import { refusalOf, SETTINGS, testSite, type Answer, type TestSite } from '../transport/site.ts';
import { Browser } from './browser-stub.ts';

let forge: LoginForge;
let site: TestSite;
beforeAll(async () => {
  forge = await loginForge(SETTINGS.publicUrl);
  site = await testSite({
    identityProviders: (ports) => [forge.provider(ports), forge.provider(ports, 'oidc')],
    settings: {
      roleClaims: {
        forge: { claim: 'email', values: [{ value: 'turing@forge.invalid', role: 'support' }] },
        oidc: null,
      },
    },
  });
  forge.useClock(site.ports.clock);
});
afterAll(async () => {
  await site.close();
  await forge.close();
});
beforeEach(() => void Object.assign(forge.running.switches, calm()));

const browser = (other?: Browser): Browser => new Browser(site.app, other?.cookies);

/** Where an answer sends the browser. */
function next(answer: Answer): string {
  const location = answer.headers.get('location');
  if (answer.status !== 303 || location === null) throw new Error(`no redirect: ${answer.status} ${answer.text}`);
  return location;
}

const begin = async (visitor: Browser, name = 'forge', query = ''): Promise<string> =>
  next(await visitor.visit(`/login/${name}/start${query}`));

async function signIn(visitor: Browser, login = 'ada'): Promise<string> {
  await visitor.visit(await forge.agree(await begin(visitor), login));
  const { userSid } = await visitor.session();
  if (userSid === null) throw new Error('nobody is signed in');
  return userSid;
}

/** To link, or to show once more who one is; answers where a person lands. */
async function fromPage(visitor: Browser, purpose: 'link' | 'prove', login: string): Promise<string> {
  const { json } = await visitor.send('/login/forge/start', { purpose, return_to: '/account' });
  return next(await visitor.visit(await forge.agree(String(json['location']), login)));
}

async function sessions(): Promise<bigint> {
  const [row] = await site.database.owner.query<{ count: bigint }>({
    name: 'test.sessions',
    text: 'select count(*) from session where revoked_at is null',
  });
  return row?.count ?? -1n;
}

/** No session came of it: not in this browser, and not in the database. */
async function expectNobody(visitor: Browser, before: bigint): Promise<void> {
  expect((await visitor.session()).userSid).toBeNull();
  expect(await sessions()).toBe(before);
}

describe('a person who signs in through the Forge', () => {
  it('is somebody new with a wallet at first, and the same one from then on', async () => {
    const [first, second] = [browser(), browser()];
    const userSid = await signIn(first, 'grace');
    const { json } = await first.ask(`/v1/users/${userSid}`);
    expect(json['display_name']).toBe('Grace Hopper');
    expect(await signIn(second, 'grace')).toBe(userSid);
  });

  it('lands on the page that was asked for, with nothing of the attempt left in the browser', async () => {
    const visitor = browser();
    const back = await forge.agree(await begin(visitor, 'forge', '?return_to=/usage'));
    expect(next(await visitor.visit(back))).toBe('/usage');
    expect([...visitor.cookies.keys()]).toEqual(['hero_session']);
  });

  it('may do so in several tabs at once', async () => {
    const visitor = browser();
    const [one, other] = [await begin(visitor, 'forge', '?return_to=/usage'), await begin(visitor)];
    expect(next(await visitor.visit(await forge.agree(one)))).toBe('/usage');
    expect(next(await visitor.visit(await forge.agree(other)))).toBe('/');
  });

  it('is told of the ways that there are, and of no other', async () => {
    const { json } = await browser().ask('/v1/session');
    expect(json['sign_in']).toEqual([
      { name: 'forge', title: 'Forge' },
      { name: 'oidc', title: 'Example' },
    ]);
  });

  it('is told where a way is not set up, and gets cookies that only this host over TLS can set', async () => {
    const secure = buildHttp(
      {
        ...site.house,
        identityProviders: new Map([['oidc', forge.provider(site.ports, 'oidc')]]),
        settings: { ...site.house.settings, publicUrl: 'https://wallet.example' },
      },
      { adminSecrets: [], ping: async () => {} },
    );
    const visitor = new Browser(secure);
    const page = next(await visitor.visit('/login/forge/start'));
    expect(page).toBe('/sign-in/failed?problem=not_configured&with=forge&return_to=%2F');
    for (const path of ['/login/forge/start', '/login/forge/callback'])
      expect([path, (await visitor.ask(path)).status]).toEqual([path, 503]);
    const { headers } = await visitor.visit('/login/oidc/start');
    expect(headers.get('set-cookie')).toMatch(
      /^__Host-hero_sign_in=[^;]+; Max-Age=3600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
  });

  it('J06 gets a session of their own, whatever cookie was there before', async () => {
    const planted = browser();
    planted.cookies.set('hero_session', 'planted-by-somebody-else');
    await signIn(planted);
    expect(planted.cookies.get('hero_session')).not.toBe('planted-by-somebody-else');
    const left = browser(planted);
    await signIn(planted, 'grace');
    expect((await left.session()).userSid).toBeNull();
  });

  it('J16 is answered alike whether or not anybody knows them', async () => {
    const shape = async (): Promise<unknown> => {
      const visitor = browser();
      const { status, headers, text } = await visitor.visit(await forge.agree(await begin(visitor), 'new-comer'));
      return [status, headers.get('location'), text, [...headers.keys()].filter((name) => name !== 'x-request-id')];
    };
    forge.running.login?.state.add('New Comer');
    expect(await shape()).toEqual(await shape());
  });
});

describe('J07 nobody is signed in, and a program is told 400,', () => {
  const refuses = async (visitor: Browser, callback: string, reason: string): Promise<void> => {
    const before = await sessions();
    const { pathname, search } = new URL(callback);
    const answer = await visitor.ask(`${pathname}${search}`);
    expect(refusalOf(answer)).toBe('400 sign_in_failed');
    expect(answer.json['details']).toEqual({ reason });
    await expectNobody(visitor, before);
  };
  const returned = async (visitor: Browser): Promise<string> => await forge.agree(await begin(visitor));
  const changed = (address: string, change: (query: URLSearchParams) => void): string => {
    const url = new URL(address);
    change(url.searchParams);
    return url.href;
  };

  it('without a state', async () => {
    const visitor = browser();
    const callback = await returned(visitor);
    await refuses(
      visitor,
      changed(callback, (query) => query.delete('state')),
      'unknown',
    );
  });
  it('with two states, one of them right', async () => {
    const visitor = browser();
    const callback = await returned(visitor);
    await refuses(
      visitor,
      changed(callback, (query) => query.append('state', 'another')),
      'invalid',
    );
  });
  it('with the state of another browser', async () => {
    const attacker = browser();
    await refuses(browser(), await returned(attacker), 'unknown');
  });
  it('with a state that was used', async () => {
    const visitor = browser();
    const callback = await returned(visitor);
    const copy = browser(visitor);
    await visitor.visit(callback);
    await refuses(copy, callback, 'used');
    await refuses(browser(), callback, 'unknown');
  });
  it('after five minutes', async () => {
    const visitor = browser();
    const callback = await returned(visitor);
    await site.ports.clock.advance(300_001);
    await refuses(visitor, callback, 'expired');
  });
  it('with an answer that came to the address of another provider', async () => {
    const visitor = browser();
    const callback = await returned(visitor);
    await refuses(visitor, callback.replace('/login/forge/', '/login/oidc/'), 'unknown');
  });
  it('with a code that another attempt has used', async () => {
    const [first, second] = [browser(), browser()];
    const callback = await returned(first);
    await first.visit(callback);
    const code = new URL(callback).searchParams.get('code') ?? '';
    const own = await returned(second);
    await refuses(
      second,
      changed(own, (query) => query.set('code', code)),
      'refused',
    );
  });
  it("with another attempt's code that nobody has used", async () => {
    const [victim, attacker] = [browser(), browser()];
    const code = new URL(await returned(attacker)).searchParams.get('code') ?? '';
    const own = await returned(victim);
    await refuses(
      victim,
      changed(own, (query) => query.set('code', code)),
      'refused',
    );
  });
  it('with an id token that does not hold', async () => {
    for (const kind of ['wrong-nonce', 'unsigned', 'public-key-as-secret', 'wrong-issuer', 'expired'] as const) {
      forge.running.switches.idToken = kind;
      const visitor = browser();
      await refuses(visitor, await returned(visitor), 'invalid');
    }
  });
  it('without having agreed', async () => {
    const visitor = browser();
    await refuses(visitor, await forge.deny(await begin(visitor)), 'denied');
  });
  it('with a cookie that was changed', async () => {
    const visitor = browser();
    const callback = await returned(visitor);
    const kept = visitor.cookies.get('hero_sign_in') ?? '';
    visitor.cookies.set('hero_sign_in', `${kept.slice(0, -4)}AAAA`);
    await refuses(visitor, callback, 'unknown');
  });

  it('twice of one answer, even at the same moment', async () => {
    const visitor = browser();
    const callback = await returned(visitor);
    const before = await sessions();
    const both = await Promise.all([browser(visitor).visit(callback), browser(visitor).visit(callback)]);
    expect(both.map(next).toSorted()).toEqual(['/', '/sign-in/failed?problem=used&with=forge&return_to=%2F']);
    expect(await sessions()).toBe(before + 1n);
  });

  it('and a person is sent on to a page that says what to do, by an address without code and state', async () => {
    const visitor = browser();
    const back = await forge.deny(await begin(visitor, 'forge', '?return_to=/usage'));
    expect(next(await visitor.visit(back))).toBe('/sign-in/failed?problem=denied&with=forge&return_to=%2Fusage');
  });

  it('and a link that is only looked at is not used up', async () => {
    const visitor = browser();
    const callback = new URL(await returned(visitor));
    const cookie = `hero_sign_in=${visitor.cookies.get('hero_sign_in')}`;
    const looked = await site.call('HEAD', `${callback.pathname}${callback.search}`, { headers: { cookie } });
    expect(looked.status).toBe(405);
    expect(next(await visitor.visit(callback.href))).toBe('/');
  });

  it('and a Forge that is away is 503', async () => {
    forge.running.switches.faults = [{ kind: 'error-before-effect', path: 'access_token', times: 1 }];
    const visitor = browser();
    const { pathname, search } = new URL(await returned(visitor));
    expect(refusalOf(await visitor.ask(`${pathname}${search}`))).toBe('503 unavailable');
  });
});

describe('J08 who somebody is depends on issuer and subject alone:', () => {
  const people = (): Map<number, { id: number; login: string; name: string; email: string }> => {
    const known = forge.running.login?.state.people;
    if (known === undefined) throw new Error('there is a sign-in');
    return known;
  };

  it('another subject with the same name and address is another user', async () => {
    const userSid = await signIn(browser(), 'alan');
    people().set(77, { id: 77, login: 'alan-2', name: 'Alan Turing', email: 'alan@forge.invalid' });
    expect(await signIn(browser(), 'alan-2')).not.toBe(userSid);
  });

  it('the same subject with another name and address is the same user', async () => {
    const userSid = await signIn(browser(), 'alan');
    people().set(3, { id: 3, login: 'mathison', name: 'A. M. Turing', email: 'turing@forge.invalid' });
    expect(await signIn(browser(), 'mathison')).toBe(userSid);
  });

  it('whoever takes over a user name does not take over the account', async () => {
    people().set(3, { id: 3, login: 'mathison', name: 'A. M. Turing', email: 'turing@forge.invalid' });
    people().set(78, { id: 78, login: 'alan', name: 'Somebody Else', email: 'alan@forge.invalid' });
    expect(await signIn(browser(), 'alan')).not.toBe(await signIn(browser(), 'mathison'));
  });

  it('J09 a role that follows from a verified claim ends with the claim', async () => {
    people().set(3, { id: 3, login: 'mathison', name: 'A. M. Turing', email: 'turing@forge.invalid' });
    const visitor = browser();
    await signIn(visitor, 'mathison');
    expect((await visitor.session()).role).toBe('operator');
    people().set(3, { id: 3, login: 'mathison', name: 'A. M. Turing', email: 'TURING@forge.invalid' });
    await signIn(browser(), 'mathison');
    // Of every session, not only of the new one.
    expect((await visitor.session()).role).toBe('user');
  });
});

describe('somebody who is signed in', () => {
  it('links a second identity, and gets in with either', async () => {
    forge.running.login?.state.add('Emmy Noether');
    forge.running.login?.state.add('Emmy Work');
    const visitor = browser();
    const userSid = await signIn(visitor, 'emmy-noether');
    const before = browser(visitor);
    expect(await fromPage(visitor, 'link', 'emmy-work')).toBe('/account');
    expect((await visitor.session()).userSid).toBe(userSid);
    // The session is another one from then on.
    expect((await before.session()).userSid).toBeNull();
    expect(await signIn(browser(), 'emmy-work')).toBe(userSid);
    const { json } = await visitor.ask(`/v1/users/${userSid}/identities`);
    expect((json['items'] as { label: string }[]).map(({ label }) => label)).toEqual(['emmy-noether', 'emmy-work']);
  });

  it("cannot link what is somebody else's, and does not learn whose it is", async () => {
    const graces = await signIn(browser(), 'grace');
    const visitor = browser();
    const userSid = await signIn(visitor);
    const page = await fromPage(visitor, 'link', 'grace');
    expect(page).toBe('/sign-in/failed?problem=taken&with=forge&return_to=%2Faccount');
    const { json } = await visitor.send('/login/forge/start', { purpose: 'link' });
    const { pathname, search } = new URL(await forge.agree(String(json['location']), 'grace'));
    const told = await visitor.ask(`${pathname}${search}`);
    expect(refusalOf(told)).toBe('409 state_conflict');
    expect(told.text).not.toContain(graces);
    expect(told.text).not.toMatch(/grace/i);
    // Still signed in as before.
    expect((await visitor.session()).userSid).toBe(userSid);
    expect(await signIn(browser(), 'grace')).toBe(graces);
  });

  it('J15 shows once more who they are by an identity of the account, and by no other', async () => {
    const visitor = browser();
    const userSid = await signIn(visitor);
    await site.ports.clock.advance(11 * 60_000);
    const barred = await visitor.send('/login/forge/start', { purpose: 'link' });
    expect(refusalOf(barred)).toBe('403 reauth_required');
    expect(await fromPage(visitor, 'prove', 'grace')).toContain('problem=other_account');
    expect(refusalOf(await visitor.send('/login/forge/start', { purpose: 'link' }))).toBe('403 reauth_required');
    expect(await fromPage(visitor, 'prove', 'ada')).toBe('/account');
    expect((await visitor.session()).userSid).toBe(userSid);
    expect((await visitor.send('/login/forge/start', { purpose: 'link' })).status).toBe(200);
  });

  it('links nothing once they have signed out, or are somebody else', async () => {
    const visitor = browser();
    await signIn(visitor);
    const { json } = await visitor.send('/login/forge/start', { purpose: 'link' });
    const back = await forge.agree(String(json['location']), 'mathison');
    const another = browser(visitor);
    await visitor.send('/logout', {});
    expect(next(await visitor.visit(back))).toContain('problem=signed_out');
    await signIn(another, 'grace');
    expect(next(await another.visit(back))).toContain('problem=signed_out');
  });

  it('J10 begins that only from a page of ours', async () => {
    const visitor = browser();
    await signIn(visitor);
    const path = '/login/forge/start';
    const link = { purpose: 'link' };
    const foreign = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
    expect(refusalOf(await visitor.send(path, link, foreign))).toBe('403 csrf_failed');
    expect(refusalOf(await visitor.send(path, link, { 'x-form-token': 'another' }))).toBe('403 csrf_failed');
    // By following a link one can only sign in.
    const followed = new URL(await begin(visitor, 'forge', '?purpose=link'));
    await visitor.visit(await forge.agree(followed.href, 'grace'));
    expect((await visitor.session()).userSid).toBe(await signIn(browser(), 'grace'));
    expect(refusalOf(await browser().send(path, link))).toBe('401 unauthenticated');
    expect(refusalOf(await visitor.send(path, { purpose: 'sign_in' }))).toBe('400 invalid_request');
  });
});
