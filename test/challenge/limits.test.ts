import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { subnetOf } from '../../sandbox/mycelium/node.ts';
import { refusalOf, testSite } from '../transport/site.ts';
import { OURS, overlayStory, type OverlayStory } from './overlay-story.ts';

let story: OverlayStory;
beforeAll(async () => {
  story = await overlayStory();
});
afterAll(() => story.close());
beforeEach(async () => {
  story.isAway = false;
  await story.rest();
});

describe('a challenge', () => {
  it('J17 is limited for each node, whoever asks, and for each caller', async () => {
    const statuses = [];
    for (let asked = 0; asked < 6; asked += 1)
      statuses.push((await story.ask({ address: story.node('ada').address })).status);
    expect(statuses).toEqual([201, 201, 201, 201, 201, 429]);
    const barred = await story.ask({ address: `${subnetOf(story.node('ada')).replace('/64', '')}9` });
    expect(refusalOf(barred)).toBe('429 rate_limited');
    expect(Number(barred.headers.get('retry-after'))).toBeGreaterThan(290);
    const asked = story.overlay.arrived(story.node('ada')).length;
    await Promise.all([1, 2, 3].map(() => story.ask({ address: story.node('ada').address })));
    expect(story.overlay.arrived(story.node('ada'))).toHaveLength(asked);
    await story.site.ports.clock.advance(5 * 60_000);
    expect((await story.ask({ address: story.node('ada').address })).status).toBe(201);
    let last = 0;
    for (let more = 0; more < 31; more += 1) last = (await story.ask({ address: '4ff::1', nonsense: 1 })).status;
    expect(last).toBe(400);
    for (let more = 0; more < 31; more += 1) last = (await story.ask({ address: 'nonsense' })).status;
    expect(last).toBe(429);
    for (let more = 0; more < 31; more += 1)
      last = (await story.verify({ sid: story.site.ports.ids.sid(), cookie: '' }, { code: 'x' })).status;
    expect(last).toBe(429);
  });

  it('says what is wrong with an address, and which node cannot be reached', async () => {
    const wrong = await story.ask({ address: 'fe80::1%eth0' });
    expect(refusalOf(wrong)).toBe('400 invalid_request');
    expect(wrong.json['errors']).toEqual([{ pointer: '#/address', detail: expect.stringContaining('zone') }]);
    let isOver = false;
    const dark = story.ask({ address: '4ff::1' }).finally(() => {
      isOver = true;
    });
    await expect
      .poll(async () => {
        await story.site.ports.clock.advance(300);
        return isOver;
      })
      .toBe(true);
    expect(refusalOf(await dark)).toBe('409 state_conflict');
  });

  it('waits a moment for the way to a node that was not written to before', async () => {
    story.overlay.switches.knowsKeys = 'once-sent-to';
    story.overlay.add('new');
    const asking = story.begin('new');
    await expect.poll(() => story.site.ports.clock.sleeping).toBe(1);
    await story.site.ports.clock.advance(300);
    const begun = await asking;
    expect((await story.verify(begun, { code: begun.code })).status).toBe(200);
  });

  it('is refused with 503 while our node is away, and where none is set up', async () => {
    const begun = await story.begin();
    story.isAway = true;
    expect(refusalOf(await story.ask({ address: story.node('ada').address }))).toBe('503 unavailable');
    expect(refusalOf(await story.verify(begun))).toBe('503 unavailable');
    expect((await story.verify(begun, { code: begun.code })).status).toBe(200);
    const bare = await testSite();
    const session = await bare.call('GET', '/v1/session');
    expect(session.json['mycelium']).toBeNull();
    for (const [path, body] of [
      ['/login/challenge', { address: story.node('ada').address }],
      ['/login/verify', { challenge: begun.sid, code: begun.code }],
    ] as const)
      expect(refusalOf(await bare.call('POST', path, { body, headers: OURS }))).toBe('503 unavailable');
    await bare.close();
  });

  it('J10 is refused to a page of another site', async () => {
    const foreign = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
    expect(refusalOf(await story.ask({ address: story.node('ada').address }, foreign))).toBe('403 csrf_failed');
    const begun = await story.begin();
    expect(refusalOf(await story.verify(begun, { code: begun.code }, foreign))).toBe('403 csrf_failed');
  });

  it('gives a program its secret instead of a cookie', async () => {
    const answer = await story.ask({ address: story.node('ada').address, headless: true });
    expect(answer.headers.getSetCookie()).toEqual([]);
    const begun = { sid: String(answer.json['challenge']), cookie: '' };
    const code = story.codeSentTo('ada');
    expect(refusalOf(await story.verify(begun, { code }))).toBe('401 unauthenticated');
    expect((await story.verify(begun, { code, secret: answer.json['secret'] })).status).toBe(200);
  });
});
