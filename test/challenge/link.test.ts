import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { refusalOf } from '../transport/site.ts';
import { overlayStory, type Begun, type OverlayStory } from './overlay-story.ts';

let story: OverlayStory;
beforeAll(async () => {
  story = await overlayStory();
});
afterAll(() => story.close());
beforeEach(async () => {
  story.isAway = false;
  await story.rest();
});

describe('for somebody who is signed in', () => {
  /** As the browser sends both cookies. */
  const verifyAs = (who: { headers: Readonly<Record<string, string>> }, begun: Begun) =>
    story.verify(begun, { code: begun.code }, { ...who.headers, cookie: `${who.headers['cookie']}; ${begun.cookie}` });

  it('a code links the node to the account, with a new session instead of the old', async () => {
    story.overlay.add('gil');
    const gil = await story.play('Gil');
    const begun = await story.begin('gil', { purpose: 'link' }, gil.headers);
    const linked = await verifyAs(gil, begun);
    expect(linked.json['user_sid']).toBe(gil.userSid);
    expect((await story.sessionOf(linked.json['token']))['role']).toBe('user');
    const old = await story.site.call('GET', '/v1/session', { headers: { authorization: `Bearer ${gil.token}` } });
    expect(refusalOf(old)).toBe('401 unauthenticated');
    expect((await story.signIn('gil')).userSid).toBe(gil.userSid);
  });

  it('somebody else’s node is not linked, and the answer does not say whose it is', async () => {
    const ada = await story.signIn('ada');
    const hal = await story.play('Hal');
    const begun = await story.begin('ada', { purpose: 'link' }, hal.headers);
    const refused = await verifyAs(hal, begun);
    expect(refusalOf(refused)).toBe('409 state_conflict');
    expect(refused.text).not.toContain(ada.userSid);
    expect((await story.signIn('ada')).userSid).toBe(ada.userSid);
  });

  it('a code counts in the session that asked for it, and nowhere else', async () => {
    story.overlay.add('ivy');
    const [ivy, other] = [await story.play('Ivy'), await story.play('Other')];
    const begun = await story.begin('ivy', { purpose: 'link' }, ivy.headers);
    expect(refusalOf(await verifyAs(other, begun))).toBe('401 unauthenticated');
    expect(refusalOf(await story.verify(begun, { code: begun.code }))).toBe('401 unauthenticated');
    expect((await verifyAs(ivy, begun)).json['user_sid']).toBe(ivy.userSid);
  });

  it('J15 a stale session links nothing before its holder has shown who they are', async () => {
    story.overlay.add('joe');
    const joe = await story.signIn('joe');
    await story.site.ports.clock.advance(11 * 60_000);
    const stale = await story.ask({ address: story.node('ben').address, purpose: 'link' }, joe.headers);
    expect(refusalOf(stale)).toBe('403 reauth_required');
    const strange = await story.begin('ben', { purpose: 'prove' }, joe.headers);
    expect(refusalOf(await verifyAs(joe, strange))).toBe('403 forbidden');
    const begun = await story.begin('joe', { purpose: 'prove' }, joe.headers);
    const proven = await verifyAs(joe, begun);
    expect(proven.json['user_sid']).toBe(joe.userSid);
    const { session } = (await story.sessionOf(proven.json['token'])) as { session: { proven_until: string } };
    expect(Date.parse(session.proven_until)).toBe(story.site.ports.clock.now().getTime() + 10 * 60_000);
  });

  it('nobody links without a session: not anonymously, and not with the admin secret', async () => {
    for (const headers of [{}, { 'x-hero-onboarding-admin-secret': 'test-admin-secret-of-thirty-two-bytes-and-more' }])
      for (const purpose of ['link', 'prove'])
        expect(refusalOf(await story.ask({ address: story.node('ben').address, purpose }, headers))).toBe(
          '401 unauthenticated',
        );
  });
});
