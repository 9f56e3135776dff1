import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KEY_SCOPES } from '../../src/domain/identity/role.ts';
import { bearer, makeUserKey, type UserKey } from '../support/key.ts';
import { refusalOf, testSite, type Answer, type TestSite } from '../transport/site.ts';
import { itemsIn as items, join, openOrganisation, signIn } from './people.ts';

let site: TestSite;
beforeAll(async () => {
  site = await testSite();
});
afterAll(() => site.close());

const as = ({ headers }: Pick<UserKey, 'headers'>, method: string, path: string, body?: unknown): Promise<Answer> =>
  site.call(method, path, {
    headers: { ...headers, 'idempotency-key': 'once' },
    ...(body === undefined ? {} : { body }),
  });

describe('a key of an organisation', () => {
  test('is made, seen, rotated and ended by its owners alone, and reaches its wallet and none of theirs', async () => {
    const [boss, member, viewer] = [
      await signIn(site, 'the boss'),
      await signIn(site, 'the member'),
      await signIn(site, 'the viewer'),
    ];
    const shared = await openOrganisation(site, boss, 1_000);
    await join(boss, shared.sid, member, { role: 'member' });
    await join(boss, shared.sid, viewer, { role: 'viewer' });
    const wish = { name: 'gateway', owner_sid: shared.sid, scopes: [...KEY_SCOPES] };
    for (const who of [member, viewer]) expect((await who.as('POST', '/v1/keys', wish)).status).toBe(404);
    const { json } = await boss.as('POST', '/v1/keys', wish);
    const path = `/v1/keys?owner_sid=${shared.sid}`;
    expect(items(await boss.as('GET', path))).toMatchObject([{ sid: json['sid'], owner_sid: shared.sid }]);
    expect(items(await boss.as('GET', '/v1/keys'))).toEqual([]);
    for (const who of [member, viewer]) {
      expect((await who.as('GET', path)).status).toBe(404);
      for (const verb of ['rotate', 'revoke'])
        expect((await who.as('POST', `/v1/keys/${String(json['sid'])}/${verb}`, {})).status).toBe(404);
    }
    const key = { headers: bearer(String(json['key'])) };
    expect((await as(key, 'GET', `/v1/billings/${shared.walletSid}`)).status).toBe(200);
    for (const { walletSid } of [boss, member])
      expect((await as(key, 'GET', `/v1/billings/${walletSid}`)).status).toBe(404);
    const debit = await as(key, 'POST', `/v1/billings/${shared.walletSid}/debits`, {
      amount: '1.00',
      description: 'x',
    });
    expect(debit.json).toMatchObject({ credit_balance: '9.00' });
    const invited = await as(key, 'POST', `/v1/organisations/${shared.sid}/invitations`, { role: 'owner' });
    expect(refusalOf(invited)).toBe('403 forbidden');
    // A key of one's own is no way around a cap: it does not reach the organisation.
    const own = await makeUserKey(site.house, boss.userSid, [...KEY_SCOPES]);
    expect((await as(own, 'GET', `/v1/billings/${shared.walletSid}`)).status).toBe(404);
    expect((await boss.as('POST', `/v1/keys/${String(json['sid'])}/revoke`, {})).json).toMatchObject({
      state: 'revoked',
    });
    expect((await as(key, 'GET', `/v1/billings/${shared.walletSid}`)).status).toBe(401);
  });
});
