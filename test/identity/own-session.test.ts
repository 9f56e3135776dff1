import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeUserKey } from '../support/key.ts';
import { refusalOf, testSite, type TestSite } from '../transport/site.ts';
import { signIn, type Person } from './people.ts';

let site: TestSite;
let ada: Person;
beforeAll(async () => {
  site = await testSite();
  ada = await signIn(site, 'Ada');
});
afterAll(() => site.close());

const ASKED = [
  ['/login/forge/start', { purpose: 'link' }],
  ['/login/forge/start', { purpose: 'prove' }],
  ['/login/challenge', { address: '500::1', purpose: 'link' }],
  ['/login/challenge', { address: '500::1', purpose: 'prove' }],
] as const;

// Whoever links an identity to an account is that user from then on.
describe.each(ASKED)('%s with %j', (path, body) => {
  const ask = async (headers: Record<string, string>): Promise<string> =>
    refusalOf(await site.call('POST', path, { body, headers }));

  test('is for the person in a session of their own', async () => {
    expect(await ask(ada.headers), 'as far as that it is not set up here').toMatch(/^503 /);
  });

  test('J22 is not for an operator who looks as that person', async () => {
    const operator = await signIn(site, 'Mallory', 'admin');
    const view = { body: { reason: 'a ticket' }, headers: operator.headers };
    expect((await site.call('POST', `/v1/users/${ada.userSid}/view-as`, view)).status).toBe(200);
    expect(await ask(operator.headers)).toBe('401 unauthenticated');
  });

  test('J20 is not for a key, whatever it is for', async () => {
    const key = await makeUserKey(site.house, ada.userSid, ['read', 'top_up', 'spend']);
    expect(await ask(key.headers)).toBe('401 unauthenticated');
  });

  test('is not for the admin secret, nor for nobody', async () => {
    expect(refusalOf(await site.operator('POST', path, body))).toBe('401 unauthenticated');
    expect(await ask({})).toBe('401 unauthenticated');
  });
});
