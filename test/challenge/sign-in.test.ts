import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { subnetOf } from '../../sandbox/mycelium/node.ts';
import { pruneOldChallenges } from '../../src/operations/challenge/prune.ts';
import { refusalOf, type Answer } from '../transport/site.ts';
import { cookiesOf, overlayStory, type OverlayStory } from './overlay-story.ts';

let story: OverlayStory;
beforeAll(async () => {
  story = await overlayStory();
});
afterAll(() => story.close());
beforeEach(async () => {
  story.isAway = false;
  await story.rest();
});

const users = async (): Promise<number> =>
  ((await story.site.operator('GET', '/v1/users?limit=200')).json['items'] as unknown[]).length;

describe('sign-in by a code that is sent to a node', () => {
  it('J06 opens a new session for whoever types the code, and a wallet the first time', async () => {
    const planted = { cookie: 'hero_session=planted-by-somebody-else; hero_challenge=planted' };
    const answer = await story.ask({ address: story.node('ada').address }, planted);
    const begun = { sid: String(answer.json['challenge']), cookie: cookiesOf(answer) };
    expect(begun.cookie).toMatch(/^hero_challenge=[\w-]{43}$/);
    const code = story.codeSentTo('ada');
    expect(answer.text).not.toContain(code);
    const done = await story.verify(
      begun,
      { code: ` ${code.toLowerCase()} ` },
      { cookie: `hero_session=planted; ${begun.cookie}` },
    );
    expect(done.status).toBe(200);
    expect(cookiesOf(done)).toMatch(/^hero_session=[\w-]{43}$/);
    expect(done.headers.getSetCookie().join()).toContain('hero_challenge=;');
    const session = await story.sessionOf(done.json['token']);
    expect(session).toMatchObject({ role: 'user', user: { wallet_sid: expect.any(String) } });
    expect(await story.sessionOf((await story.signIn('ada')).token)).toMatchObject({ user: session['user'] });
  });

  it('takes every address of a node’s network for that node, and shows the latest', async () => {
    const first = await story.signIn('ada');
    const other = `[${subnetOf(story.node('ada')).replace('::/64', ':0:0:0:00AB').toUpperCase()}]`;
    const answer = await story.ask({ address: other });
    const done = await story.verify(
      { sid: String(answer.json['challenge']), cookie: cookiesOf(answer) },
      { code: story.codeSentTo('ada') },
    );
    expect(done.json['user_sid']).toBe(first.userSid);
    const { items } = (await story.site.operator('GET', `/v1/users/${first.userSid}/identities`)).json as {
      items: object[];
    };
    expect(items).toMatchObject([
      { kind: 'mycelium', subject: subnetOf(story.node('ada')), label: answer.json['address'] },
    ]);
    expect(items).toHaveLength(1);
  });

  it('is for one browser: the code alone opens nothing elsewhere', async () => {
    const begun = await story.begin();
    const elsewhere = [
      { ...begun, cookie: '' },
      { ...begun, cookie: 'hero_challenge=guessed' },
      { ...begun, cookie: (await story.begin('ben')).cookie },
    ];
    for (const other of elsewhere) {
      const refused = await story.verify(other, { code: begun.code });
      expect(refusalOf(refused)).toBe('401 unauthenticated');
      const unknown = await story.verify({ ...other, sid: story.site.ports.ids.sid() }, { code: begun.code });
      expect({ ...refused.json, request_id: '' }).toEqual({ ...unknown.json, request_id: '' });
    }
    expect((await story.verify(begun, { code: begun.code })).status).toBe(200);
  });

  it('is for once, also when both tries come at the same moment', async () => {
    const begun = await story.begin();
    const answers = await Promise.all([1, 2, 3].map(() => story.verify(begun, { code: begun.code })));
    expect(answers.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([200, 409, 409]);
    expect(refusalOf(await story.verify(begun, { code: begun.code }))).toBe('409 state_conflict');
  });

  it('ends after five minutes, and after five wrong codes', async () => {
    const late = await story.begin();
    await story.site.ports.clock.advance(5 * 60_000 - 1);
    const worn = await story.begin('ben');
    await story.site.ports.clock.advance(1);
    expect(refusalOf(await story.verify(late, { code: late.code }))).toBe('409 state_conflict');
    const left = [];
    for (const code of ['0000-0000-0000', 'nonsense', '', late.code, '1111-1111-1111']) {
      const answer = await story.verify(worn, { code });
      if (answer.status === 400) left.push(answer.status);
      else left.push((answer.json['details'] as Record<string, unknown>)['tries_left']);
    }
    // An empty code is none at all, and no try.
    expect(left).toEqual([4, 3, 400, 2, 1]);
    expect((await story.verify(worn, { code: '2222-2222-2222' })).json['details']).toEqual({ tries_left: 0 });
    expect(refusalOf(await story.verify(worn, { code: worn.code }))).toBe('409 state_conflict');
  });

  it('J16 answers alike whether somebody here has the node or not, and whatever the account is', async () => {
    const { userSid } = await story.signIn('ada');
    story.overlay.add('stranger');
    const shape = ({ status, json, headers }: Answer) => [status, Object.keys(json), headers.getSetCookie().length];
    const before = await users();
    const known = shape(await story.ask({ address: story.node('ada').address }));
    expect(shape(await story.ask({ address: story.node('stranger').address }))).toEqual(known);
    expect(await users()).toBe(before);
    expect(known).toEqual([201, ['challenge', 'address', 'number', 'expires_at'], 1]);
    await story.site.database.owner.query(
      { name: 'test.disable', text: 'update app_user set disabled_at = now() where sid = $1' },
      [userSid],
    );
    expect(shape(await story.ask({ address: story.node('ada').address }))).toEqual(known);
    const begun = await story.begin('ada');
    expect(refusalOf(await story.verify(begun, { code: begun.code }))).toBe('403 forbidden');
    await story.site.database.owner.query({ name: 'test.enable', text: 'update app_user set disabled_at = null' });
  });

  it('finds the user whom an operator added with an address, in another spelling', async () => {
    story.overlay.add('eve');
    const given = `[${story.node('eve').address.toUpperCase()}]`;
    const added = await story.site.operator('POST', '/v1/users', { display_name: 'Eve', mycelium_address: given });
    expect(added.status).toBe(201);
    expect((await story.signIn('eve')).userSid).toBe(added.json['sid']);
    const again = { mycelium_address: `${subnetOf(story.node('eve')).replace('/64', '')}7` };
    expect(refusalOf(await story.site.operator('POST', '/v1/users', again))).toBe('409 state_conflict');
    expect(refusalOf(await story.site.operator('POST', '/v1/users', { mycelium_address: '::1' }))).toBe(
      '400 invalid_request',
    );
  });

  it('keeps neither the code nor the secret, and forgets challenges a day later', async () => {
    const begun = await story.begin();
    const dump = { name: 'test.challenges', text: 'select to_jsonb(c)::text as row from challenge as c' };
    const rows = async () =>
      (await story.site.database.owner.query<{ row: string }>(dump)).map(({ row }) => row).join('\n');
    const secret = begun.cookie.split('=')[1] ?? '';
    expect(await rows()).toContain(begun.sid);
    for (const hidden of [begun.code, begun.code.replaceAll('-', ''), secret])
      expect(await rows()).not.toContain(hidden);
    expect(JSON.stringify(story.site.ports.log.lines)).not.toContain(begun.code);
    await story.site.ports.clock.advance(86_400_000 + 5 * 60_000 + 1);
    await pruneOldChallenges(story.site.house);
    expect(await rows()).not.toContain(begun.sid);
  });

  it('remembers the key that a node first came with', async () => {
    await story.signIn('ben');
    await story.site.database.owner.query({
      name: 'test.other_key',
      text: `update overlay_node set public_key = repeat('0', 64)`,
    });
    const begun = await story.begin('ben');
    expect(refusalOf(await story.verify(begun, { code: begun.code }))).toBe('403 forbidden');
    await story.site.database.owner.query({ name: 'test.forget_keys', text: 'delete from overlay_node' });
  });
});

describe('sign-in by a reply of the node', () => {
  it('opens the session of the browser that shows the number', async () => {
    const begun = await story.begin();
    const waiting = await story.verify(begun);
    expect([waiting.status, waiting.json['state']]).toEqual([202, 'waiting']);
    story.reply('ada', `${begun.code} ${begun.number}`);
    expect(refusalOf(await story.verify({ ...begun, cookie: '' }))).toBe('401 unauthenticated');
    expect((await story.verify(begun)).status).toBe(200);
    expect(refusalOf(await story.verify(begun))).toBe('409 state_conflict');
  });

  it('takes a message with our topic for one, too, and others for nothing', async () => {
    const begun = await story.begin();
    story.reply('ada', 'hello?', 'login');
    story.reply('ada', `${begun.code} ${begun.number}`, 'login');
    expect((await story.verify(begun)).status).toBe(200);
  });

  it('is nothing without the number, from another node, or when it is our own message sent back', async () => {
    const begun = await story.begin();
    const echo = story.overlay.arrived(story.node('ada'))[0]?.payload.toString() ?? '';
    story.reply('ada', echo);
    story.reply('ada', begun.code, 'login');
    expect((await story.verify(begun)).status).toBe(202);
    story.reply('ben', `${begun.code} ${begun.number}`, 'login');
    expect((await story.verify(begun)).status).toBe(202);
    story.overlay.switches.sourceKey = 'of-another';
    story.reply('ada', `${begun.code} ${begun.number}`);
    expect((await story.verify(begun)).status).toBe(202);
    story.overlay.switches.sourceKey = 'true';
    const wrong = String((Number(begun.number) + 1) % 10_000).padStart(4, '0');
    for (let tries = 0; tries < 5; tries += 1) {
      expect((await story.verify(begun)).status).toBe(202);
      story.reply('ada', `${begun.code} ${wrong}`, 'login');
    }
    story.reply('ada', `${begun.code} ${begun.number}`);
    expect(refusalOf(await story.verify(begun).then(() => story.verify(begun)))).toBe('409 state_conflict');
  });

  it('comes late, twice or not at all without harm', async () => {
    const begun = await story.begin();
    Object.assign(story.overlay.switches, { delayMs: 2_000, duplicates: 2 });
    story.reply('ada', `${begun.code} ${begun.number}`);
    expect((await story.verify(begun)).status).toBe(202);
    await story.site.ports.clock.advance(2_000);
    expect((await story.verify(begun)).status).toBe(200);
    const lost = await story.begin('ben', {}, {});
    story.overlay.switches.lossRate = 1;
    story.reply('ben', `${lost.code} ${lost.number}`);
    expect((await story.verify(lost)).status).toBe(202);
  });

  it('is found by whichever process looked, for all who wait', async () => {
    story.overlay.add('fay');
    const [one, other] = [await story.begin('ada'), await story.begin('fay')];
    story.reply('ada', `${one.code} ${one.number}`);
    story.reply('fay', `${other.code} ${other.number}`);
    const answers = await Promise.all([story.verify(one), story.verify(other)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  });
});
