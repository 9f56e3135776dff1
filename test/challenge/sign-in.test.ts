import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sandboxFetch } from '../../sandbox/mycelium/in-process.ts';
import { MyceliumSandbox } from '../../sandbox/mycelium/network.ts';
import { subnetOf } from '../../sandbox/mycelium/node.ts';
import { calm } from '../../sandbox/mycelium/switches.ts';
import { pruneOldChallenges } from '../../src/operations/challenge/prune.ts';
import { myceliumMessenger } from '../../src/providers/mycelium/index.ts';
import { refusalOf, testSite, type Answer, type TestSite } from '../transport/site.ts';

let site: TestSite;
let overlay: MyceliumSandbox;
let isAway = false;

beforeAll(async () => {
  site = await testSite({
    messenger: (ports) => {
      overlay = new MyceliumSandbox({ clock: ports.clock, random: ports.random, nodes: ['service', 'ada', 'ben'] });
      const reach = sandboxFetch(overlay);
      const http = {
        fetch: (input: string | URL | Request, init?: RequestInit) =>
          isAway ? Promise.reject(new TypeError('away')) : reach(input, init),
      };
      return myceliumMessenger({ url: 'http://mycelium.invalid', ports: { ...ports, http } });
    },
  });
});
afterAll(async () => {
  overlay.close();
  await site.close();
});
beforeEach(async () => {
  isAway = false;
  Object.assign(overlay.switches, calm());
  // Past the limits of the test before.
  await site.ports.clock.advance(10 * 60_000);
});

const node = (name: string) => {
  const found = overlay.node(name);
  if (found === null) throw new Error(name);
  return found;
};
const OURS = { origin: 'http://127.0.0.1:9920' };

/** The cookies that an answer sets, as the next request sends them; one that is taken away is not. */
const cookiesOf = ({ headers }: Answer): string =>
  headers
    .getSetCookie()
    .map((line) => line.split(';')[0] ?? '')
    .filter((pair) => !pair.endsWith('='))
    .join('; ');

interface Begun {
  readonly sid: string;
  readonly number: string;
  readonly code: string;
  readonly cookie: string;
}

const ask = (body: object, headers: Record<string, string> = {}) =>
  site.call('POST', '/login/challenge', { body, headers: { ...OURS, ...headers } });

const codeSentTo = (name: string): string =>
  / challenge \S+ code (\S+)$/m.exec(overlay.arrived(node(name))[0]?.payload.toString() ?? '')?.[1] ?? 'none';

async function begin(name = 'ada', more: object = {}, headers: Record<string, string> = {}): Promise<Begun> {
  const answer = await ask({ address: node(name).address, ...more }, headers);
  expect(answer.status).toBe(201);
  const { challenge, number } = answer.json;
  return { sid: String(challenge), number: String(number), code: codeSentTo(name), cookie: cookiesOf(answer) };
}

const verify = (begun: Pick<Begun, 'sid' | 'cookie'>, more: object = {}, headers: Record<string, string> = {}) =>
  site.call('POST', '/login/verify', {
    body: { challenge: begun.sid, ...more },
    headers: { ...OURS, cookie: begun.cookie, ...headers },
  });

const sessionOf = async (token: unknown) =>
  (await site.call('GET', '/v1/session', { headers: { authorization: `Bearer ${String(token)}` } })).json;

/** Signed in as the owner of a node, with the headers of a page. */
async function signIn(name: string): Promise<{ userSid: string; headers: Record<string, string>; token: string }> {
  const begun = await begin(name);
  const answer = await verify(begun, { code: begun.code });
  expect(answer.status).toBe(200);
  const token = String(answer.json['token']);
  const { session } = (await sessionOf(token)) as { session: { form_token: string } };
  const headers = { ...OURS, cookie: cookiesOf(answer), 'x-form-token': session.form_token };
  return { userSid: String(answer.json['user_sid']), headers, token };
}

const reply = (name: string, text: string, topic = ''): void => {
  const [received] = overlay.arrived(node(name));
  overlay.send(node(name), {
    to: node('service').address,
    topic: Buffer.from(topic),
    payload: Buffer.from(text),
    replyTo: topic === '' ? (received?.id ?? null) : null,
  });
};

const users = async (): Promise<number> =>
  ((await site.operator('GET', '/v1/users?limit=200')).json['items'] as unknown[]).length;

describe('sign-in by a code that is sent to a node', () => {
  it('J06 opens a new session for whoever types the code, and a wallet the first time', async () => {
    const planted = { cookie: 'hero_session=planted-by-somebody-else; hero_challenge=planted' };
    const answer = await ask({ address: node('ada').address }, planted);
    const begun = { sid: String(answer.json['challenge']), cookie: cookiesOf(answer) };
    expect(begun.cookie).toMatch(/^hero_challenge=[\w-]{43}$/);
    const code = codeSentTo('ada');
    expect(answer.text).not.toContain(code);
    const done = await verify(
      begun,
      { code: ` ${code.toLowerCase()} ` },
      { cookie: `hero_session=planted; ${begun.cookie}` },
    );
    expect(done.status).toBe(200);
    expect(cookiesOf(done)).toMatch(/^hero_session=[\w-]{43}$/);
    expect(done.headers.getSetCookie().join()).toContain('hero_challenge=;');
    const session = await sessionOf(done.json['token']);
    expect(session).toMatchObject({ role: 'user', user: { wallet_sid: expect.any(String) } });
    expect(await sessionOf((await signIn('ada')).token)).toMatchObject({ user: session['user'] });
  });

  it('takes every address of a node’s network for that node, and shows the latest', async () => {
    const first = await signIn('ada');
    const other = `[${subnetOf(node('ada')).replace('::/64', ':0:0:0:00AB').toUpperCase()}]`;
    const answer = await ask({ address: other });
    const done = await verify(
      { sid: String(answer.json['challenge']), cookie: cookiesOf(answer) },
      { code: codeSentTo('ada') },
    );
    expect(done.json['user_sid']).toBe(first.userSid);
    const { items } = (await site.operator('GET', `/v1/users/${first.userSid}/identities`)).json as { items: object[] };
    expect(items).toMatchObject([{ kind: 'mycelium', subject: subnetOf(node('ada')), label: answer.json['address'] }]);
    expect(items).toHaveLength(1);
  });

  it('is for one browser: the code alone opens nothing elsewhere', async () => {
    const begun = await begin();
    const elsewhere = [
      { ...begun, cookie: '' },
      { ...begun, cookie: 'hero_challenge=guessed' },
      { ...begun, cookie: (await begin('ben')).cookie },
    ];
    for (const other of elsewhere) {
      const refused = await verify(other, { code: begun.code });
      expect(refusalOf(refused)).toBe('401 unauthenticated');
      const unknown = await verify({ ...other, sid: site.ports.ids.sid() }, { code: begun.code });
      expect({ ...refused.json, request_id: '' }).toEqual({ ...unknown.json, request_id: '' });
    }
    expect((await verify(begun, { code: begun.code })).status).toBe(200);
  });

  it('is for once, also when both tries come at the same moment', async () => {
    const begun = await begin();
    const answers = await Promise.all([1, 2, 3].map(() => verify(begun, { code: begun.code })));
    expect(answers.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([200, 409, 409]);
    expect(refusalOf(await verify(begun, { code: begun.code }))).toBe('409 state_conflict');
  });

  it('ends after five minutes, and after five wrong codes', async () => {
    const late = await begin();
    await site.ports.clock.advance(5 * 60_000 - 1);
    const worn = await begin('ben');
    await site.ports.clock.advance(1);
    expect(refusalOf(await verify(late, { code: late.code }))).toBe('409 state_conflict');
    const left = [];
    for (const code of ['0000-0000-0000', 'nonsense', '', late.code, '1111-1111-1111']) {
      const answer = await verify(worn, { code });
      if (answer.status === 400) left.push(answer.status);
      else left.push((answer.json['details'] as Record<string, unknown>)['tries_left']);
    }
    // An empty code is none at all, and no try.
    expect(left).toEqual([4, 3, 400, 2, 1]);
    expect((await verify(worn, { code: '2222-2222-2222' })).json['details']).toEqual({ tries_left: 0 });
    expect(refusalOf(await verify(worn, { code: worn.code }))).toBe('409 state_conflict');
  });

  it('J16 answers alike whether somebody here has the node or not, and whatever the account is', async () => {
    const { userSid } = await signIn('ada');
    overlay.add('stranger');
    const shape = ({ status, json, headers }: Answer) => [status, Object.keys(json), headers.getSetCookie().length];
    const before = await users();
    const known = shape(await ask({ address: node('ada').address }));
    expect(shape(await ask({ address: node('stranger').address }))).toEqual(known);
    expect(await users()).toBe(before);
    expect(known).toEqual([201, ['challenge', 'address', 'number', 'expires_at'], 1]);
    await site.database.owner.query(
      { name: 'test.disable', text: 'update app_user set disabled_at = now() where sid = $1' },
      [userSid],
    );
    expect(shape(await ask({ address: node('ada').address }))).toEqual(known);
    const begun = await begin('ada');
    expect(refusalOf(await verify(begun, { code: begun.code }))).toBe('403 forbidden');
    await site.database.owner.query({ name: 'test.enable', text: 'update app_user set disabled_at = null' });
  });

  it('finds the user whom an operator added with an address, in another spelling', async () => {
    overlay.add('eve');
    const given = `[${node('eve').address.toUpperCase()}]`;
    const added = await site.operator('POST', '/v1/users', { display_name: 'Eve', mycelium_address: given });
    expect(added.status).toBe(201);
    expect((await signIn('eve')).userSid).toBe(added.json['sid']);
    const again = { mycelium_address: `${subnetOf(node('eve')).replace('/64', '')}7` };
    expect(refusalOf(await site.operator('POST', '/v1/users', again))).toBe('409 state_conflict');
    expect(refusalOf(await site.operator('POST', '/v1/users', { mycelium_address: '::1' }))).toBe(
      '400 invalid_request',
    );
  });

  it('keeps neither the code nor the secret, and forgets challenges a day later', async () => {
    const begun = await begin();
    const dump = { name: 'test.challenges', text: 'select to_jsonb(c)::text as row from challenge as c' };
    const rows = async () => (await site.database.owner.query<{ row: string }>(dump)).map(({ row }) => row).join('\n');
    const secret = begun.cookie.split('=')[1] ?? '';
    expect(await rows()).toContain(begun.sid);
    for (const hidden of [begun.code, begun.code.replaceAll('-', ''), secret])
      expect(await rows()).not.toContain(hidden);
    expect(JSON.stringify(site.ports.log.lines)).not.toContain(begun.code);
    await site.ports.clock.advance(86_400_000 + 5 * 60_000 + 1);
    await pruneOldChallenges(site.house);
    expect(await rows()).not.toContain(begun.sid);
  });

  it('remembers the key that a node first came with', async () => {
    await signIn('ben');
    await site.database.owner.query({
      name: 'test.other_key',
      text: `update overlay_node set public_key = repeat('0', 64)`,
    });
    const begun = await begin('ben');
    expect(refusalOf(await verify(begun, { code: begun.code }))).toBe('403 forbidden');
    await site.database.owner.query({ name: 'test.forget_keys', text: 'delete from overlay_node' });
  });
});

describe('sign-in by a reply of the node', () => {
  it('opens the session of the browser that shows the number', async () => {
    const begun = await begin();
    const waiting = await verify(begun);
    expect([waiting.status, waiting.json['state']]).toEqual([202, 'waiting']);
    reply('ada', `${begun.code} ${begun.number}`);
    expect(refusalOf(await verify({ ...begun, cookie: '' }))).toBe('401 unauthenticated');
    expect((await verify(begun)).status).toBe(200);
    expect(refusalOf(await verify(begun))).toBe('409 state_conflict');
  });

  it('takes a message with our topic for one, too, and others for nothing', async () => {
    const begun = await begin();
    reply('ada', 'hello?', 'login');
    reply('ada', `${begun.code} ${begun.number}`, 'login');
    expect((await verify(begun)).status).toBe(200);
  });

  it('is nothing without the number, from another node, or when it is our own message sent back', async () => {
    const begun = await begin();
    const echo = overlay.arrived(node('ada'))[0]?.payload.toString() ?? '';
    reply('ada', echo);
    reply('ada', begun.code, 'login');
    expect((await verify(begun)).status).toBe(202);
    reply('ben', `${begun.code} ${begun.number}`, 'login');
    expect((await verify(begun)).status).toBe(202);
    overlay.switches.sourceKey = 'of-another';
    reply('ada', `${begun.code} ${begun.number}`);
    expect((await verify(begun)).status).toBe(202);
    overlay.switches.sourceKey = 'true';
    const wrong = String((Number(begun.number) + 1) % 10_000).padStart(4, '0');
    for (let tries = 0; tries < 5; tries += 1) {
      expect((await verify(begun)).status).toBe(202);
      reply('ada', `${begun.code} ${wrong}`, 'login');
    }
    reply('ada', `${begun.code} ${begun.number}`);
    expect(refusalOf(await verify(begun).then(() => verify(begun)))).toBe('409 state_conflict');
  });

  it('comes late, twice or not at all without harm', async () => {
    const begun = await begin();
    Object.assign(overlay.switches, { delayMs: 2_000, duplicates: 2 });
    reply('ada', `${begun.code} ${begun.number}`);
    expect((await verify(begun)).status).toBe(202);
    await site.ports.clock.advance(2_000);
    expect((await verify(begun)).status).toBe(200);
    const lost = await begin('ben', {}, {});
    overlay.switches.lossRate = 1;
    reply('ben', `${lost.code} ${lost.number}`);
    expect((await verify(lost)).status).toBe(202);
  });

  it('is found by whichever process looked, for all who wait', async () => {
    overlay.add('fay');
    const [one, other] = [await begin('ada'), await begin('fay')];
    reply('ada', `${one.code} ${one.number}`);
    reply('fay', `${other.code} ${other.number}`);
    const answers = await Promise.all([verify(one), verify(other)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  });
});

describe('a challenge', () => {
  it('J17 is limited for each node, whoever asks, and for each caller', async () => {
    const statuses = [];
    for (let asked = 0; asked < 6; asked += 1) statuses.push((await ask({ address: node('ada').address })).status);
    expect(statuses).toEqual([201, 201, 201, 201, 201, 429]);
    const barred = await ask({ address: `${subnetOf(node('ada')).replace('/64', '')}9` });
    expect(refusalOf(barred)).toBe('429 rate_limited');
    expect(Number(barred.headers.get('retry-after'))).toBeGreaterThan(290);
    const asked = overlay.arrived(node('ada')).length;
    await Promise.all([1, 2, 3].map(() => ask({ address: node('ada').address })));
    expect(overlay.arrived(node('ada'))).toHaveLength(asked);
    await site.ports.clock.advance(5 * 60_000);
    expect((await ask({ address: node('ada').address })).status).toBe(201);
    let last = 0;
    for (let more = 0; more < 31; more += 1) last = (await ask({ address: '4ff::1', nonsense: 1 })).status;
    expect(last).toBe(400);
    for (let more = 0; more < 31; more += 1) last = (await ask({ address: 'nonsense' })).status;
    expect(last).toBe(429);
    for (let more = 0; more < 31; more += 1)
      last = (await verify({ sid: site.ports.ids.sid(), cookie: '' }, { code: 'x' })).status;
    expect(last).toBe(429);
  });

  it('says what is wrong with an address, and which node cannot be reached', async () => {
    const wrong = await ask({ address: 'fe80::1%eth0' });
    expect(refusalOf(wrong)).toBe('400 invalid_request');
    expect(wrong.json['errors']).toEqual([{ pointer: '#/address', detail: expect.stringContaining('zone') }]);
    let isOver = false;
    const dark = ask({ address: '4ff::1' }).finally(() => {
      isOver = true;
    });
    await expect
      .poll(async () => {
        await site.ports.clock.advance(300);
        return isOver;
      })
      .toBe(true);
    expect(refusalOf(await dark)).toBe('409 state_conflict');
  });

  it('waits a moment for the way to a node that was not written to before', async () => {
    overlay.switches.knowsKeys = 'once-sent-to';
    overlay.add('new');
    const asking = begin('new');
    await expect.poll(() => site.ports.clock.sleeping).toBe(1);
    await site.ports.clock.advance(300);
    const begun = await asking;
    expect((await verify(begun, { code: begun.code })).status).toBe(200);
  });

  it('is refused with 503 while our node is away, and where none is set up', async () => {
    const begun = await begin();
    isAway = true;
    expect(refusalOf(await ask({ address: node('ada').address }))).toBe('503 unavailable');
    expect(refusalOf(await verify(begun))).toBe('503 unavailable');
    expect((await verify(begun, { code: begun.code })).status).toBe(200);
    const bare = await testSite();
    const session = await bare.call('GET', '/v1/session');
    expect(session.json['mycelium']).toBeNull();
    for (const [path, body] of [
      ['/login/challenge', { address: node('ada').address }],
      ['/login/verify', { challenge: begun.sid, code: begun.code }],
    ] as const)
      expect(refusalOf(await bare.call('POST', path, { body, headers: OURS }))).toBe('503 unavailable');
    await bare.close();
  });

  it('J10 is refused to a page of another site', async () => {
    const foreign = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
    expect(refusalOf(await ask({ address: node('ada').address }, foreign))).toBe('403 csrf_failed');
    const begun = await begin();
    expect(refusalOf(await verify(begun, { code: begun.code }, foreign))).toBe('403 csrf_failed');
  });

  it('gives a program its secret instead of a cookie', async () => {
    const answer = await ask({ address: node('ada').address, headless: true });
    expect(answer.headers.getSetCookie()).toEqual([]);
    const begun = { sid: String(answer.json['challenge']), cookie: '' };
    const code = codeSentTo('ada');
    expect(refusalOf(await verify(begun, { code }))).toBe('401 unauthenticated');
    expect((await verify(begun, { code, secret: answer.json['secret'] })).status).toBe(200);
  });
});

describe('for somebody who is signed in', () => {
  const sandbox = async (name: string) => {
    const answer = await site.call('POST', '/login/sandbox', { body: { name }, headers: OURS });
    const token = String(answer.json['token']);
    const { session } = (await sessionOf(token)) as { session: { form_token: string } };
    return {
      userSid: String(answer.json['user_sid']),
      token,
      headers: { ...OURS, cookie: cookiesOf(answer), 'x-form-token': session.form_token },
    };
  };
  /** As the browser sends both cookies. */
  const verifyAs = (who: { headers: Record<string, string> }, begun: Begun) =>
    verify(begun, { code: begun.code }, { ...who.headers, cookie: `${who.headers['cookie']}; ${begun.cookie}` });

  it('a code links the node to the account, with a new session instead of the old', async () => {
    overlay.add('gil');
    const gil = await sandbox('Gil');
    const begun = await begin('gil', { purpose: 'link' }, gil.headers);
    const linked = await verifyAs(gil, begun);
    expect(linked.json['user_sid']).toBe(gil.userSid);
    expect((await sessionOf(linked.json['token']))['role']).toBe('user');
    const old = await site.call('GET', '/v1/session', { headers: { authorization: `Bearer ${gil.token}` } });
    expect(refusalOf(old)).toBe('401 unauthenticated');
    expect((await signIn('gil')).userSid).toBe(gil.userSid);
  });

  it('somebody else’s node is not linked, and the answer does not say whose it is', async () => {
    const ada = await signIn('ada');
    const hal = await sandbox('Hal');
    const begun = await begin('ada', { purpose: 'link' }, hal.headers);
    const refused = await verifyAs(hal, begun);
    expect(refusalOf(refused)).toBe('409 state_conflict');
    expect(refused.text).not.toContain(ada.userSid);
    expect((await signIn('ada')).userSid).toBe(ada.userSid);
  });

  it('a code counts in the session that asked for it, and nowhere else', async () => {
    overlay.add('ivy');
    const [ivy, other] = [await sandbox('Ivy'), await sandbox('Other')];
    const begun = await begin('ivy', { purpose: 'link' }, ivy.headers);
    expect(refusalOf(await verifyAs(other, begun))).toBe('401 unauthenticated');
    expect(refusalOf(await verify(begun, { code: begun.code }))).toBe('401 unauthenticated');
    expect((await verifyAs(ivy, begun)).json['user_sid']).toBe(ivy.userSid);
  });

  it('J15 a stale session links nothing before its holder has shown who they are', async () => {
    overlay.add('joe');
    const joe = await signIn('joe');
    await site.ports.clock.advance(11 * 60_000);
    const stale = await ask({ address: node('ben').address, purpose: 'link' }, joe.headers);
    expect(refusalOf(stale)).toBe('403 reauth_required');
    const strange = await begin('ben', { purpose: 'prove' }, joe.headers);
    expect(refusalOf(await verifyAs(joe, strange))).toBe('403 forbidden');
    const begun = await begin('joe', { purpose: 'prove' }, joe.headers);
    const proven = await verifyAs(joe, begun);
    expect(proven.json['user_sid']).toBe(joe.userSid);
    const { session } = (await sessionOf(proven.json['token'])) as { session: { proven_until: string } };
    expect(Date.parse(session.proven_until)).toBe(site.ports.clock.now().getTime() + 10 * 60_000);
  });

  it('nobody links without a session: not anonymously, and not with the admin secret', async () => {
    for (const headers of [{}, { 'x-hero-onboarding-admin-secret': 'test-admin-secret-of-thirty-two-bytes-and-more' }])
      for (const purpose of ['link', 'prove'])
        expect(refusalOf(await ask({ address: node('ben').address, purpose }, headers))).toBe('401 unauthenticated');
  });
});
