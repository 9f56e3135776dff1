import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { closeSound } from '../usage/reporting.ts';
import { refusalOf, testSite, type Answer, type TestSite } from '../transport/site.ts';
import { itemsIn, join, openOrganisation, signIn, type Person, type Shared } from './people.ts';

/** Well formed, and nobody's. */
const NOBODY = '01JD9ZQ4T2V6M0F8K3A5B7C9D1';

let site: TestSite;
let shared: Shared;
let people: Readonly<Record<'owner' | 'member' | 'viewer' | 'stranger', Person>>;
let holdSid: string;
beforeAll(async () => {
  site = await testSite();
  const [owner, member, viewer, stranger] = [
    await signIn(site, 'Owner'),
    await signIn(site, 'Member'),
    await signIn(site, 'Viewer'),
    await signIn(site, 'Stranger'),
  ];
  people = { owner, member, viewer, stranger };
  shared = await openOrganisation(site, owner, 10_000);
  await join(owner, shared.sid, member, { role: 'member' });
  await join(owner, shared.sid, viewer, { role: 'viewer' });
  const hold = { wallet_sid: shared.walletSid, amount: '1.00', description: 'work' };
  holdSid = String((await member.as('POST', '/v1/holds', hold, 'reach-hold')).json['sid']);
  for (const who of [owner, stranger]) {
    const own = { wallet_sid: who.walletSid, amount: '1.00', description: 'theirs alone' };
    await site.operator('POST', '/admin/balance-adjust', { sid: who.walletSid, balance_cents: 100 });
    await who.as('POST', '/v1/holds', own, `reach-${who.userSid}`);
  }
  const endpoint = { url: 'http://127.0.0.1:9/hook', description: 'of the organisation', wallet_sid: shared.walletSid };
  expect((await owner.as('POST', '/v1/endpoints', endpoint)).status).toBe(201);
});
afterAll(() => closeSound(site));

const said = ({ status, json }: Answer) => ({ status, body: { ...json, request_id: null } });

describe('what a role in an organisation may do', () => {
  /** Method, path, body, whether it takes a key; and the status for owner, member and viewer. */
  const CELLS = (): readonly (readonly [
    string,
    string,
    unknown,
    string | null,
    readonly [number, number, number],
  ])[] => {
    const own = `/v1/organisations/${shared.sid}`;
    const money = { amount: '0.01', description: 'work' };
    const hold = { wallet_sid: shared.walletSid, ...money };
    const topUp = { provider: 'stripe', amount: '25.00', wallet_sid: shared.walletSid };
    const endpoint = { url: 'http://127.0.0.1:9/hook', description: 'x', wallet_sid: shared.walletSid };
    const wallet = shared.walletSid;
    return [
      ['GET', `/v1/billings/${wallet}`, undefined, null, [200, 200, 200]],
      ['GET', `/v1/billings/${wallet}/statement`, undefined, null, [200, 200, 200]],
      ['GET', `/v1/payments?wallet_sid=${wallet}`, undefined, null, [200, 200, 200]],
      ['GET', `/v1/refunds?wallet_sid=${wallet}`, undefined, null, [200, 200, 200]],
      ['GET', `/v1/payment-events?wallet_sid=${wallet}`, undefined, null, [200, 200, 200]],
      ['GET', `/v1/receipts?wallet_sid=${wallet}`, undefined, null, [200, 200, 200]],
      ['GET', `/v1/events?wallet_sid=${wallet}`, undefined, null, [200, 200, 200]],
      ['GET', `/v1/endpoints?wallet_sid=${wallet}`, undefined, null, [200, 200, 200]],
      ['GET', `/v1/holds/${holdSid}`, undefined, null, [200, 200, 200]],
      ['GET', own, undefined, null, [200, 200, 200]],
      ['GET', `${own}/members`, undefined, null, [200, 200, 200]],
      ['GET', `${own}/invitations`, undefined, null, [200, 404, 404]],
      ['GET', `/v1/keys?owner_sid=${shared.sid}`, undefined, null, [200, 404, 404]],
      ['POST', '/v1/keys', { name: 'a script', owner_sid: shared.sid }, null, [201, 404, 404]],
      // No provider is configured here: who may gets as far as being told so.
      ['POST', '/v1/payments', topUp, 'top-up', [503, 503, 503]],
      ['POST', `/v1/billings/${wallet}/debits`, money, 'debit', [200, 200, 404]],
      ['POST', '/v1/holds', hold, 'hold', [201, 201, 404]],
      ['POST', '/v1/endpoints', endpoint, null, [201, 404, 404]],
      ['PATCH', own, { name: 'Ada & Friends' }, null, [200, 404, 404]],
      ['PATCH', `${own}/members/${people.viewer.userSid}`, { role: 'viewer' }, null, [200, 404, 404]],
      ['POST', `${own}/invitations`, { role: 'viewer' }, null, [201, 404, 404]],
      ['DELETE', `${own}/invitations/${NOBODY}`, undefined, null, [404, 404, 404]],
      ['DELETE', `${own}/members/${NOBODY}`, undefined, null, [404, 404, 404]],
      ['POST', `${own}/transfer`, { user_sid: NOBODY }, null, [404, 404, 404]],
    ];
  };

  test('L14 is the same for everybody in it, and a stranger is told what is told of what is not there', async () => {
    let keys = 0;
    for (const [method, path, body, key, statuses] of CELLS()) {
      const call = (who: Person, where = path, sent = body) =>
        who.as(method, where, sent, key === null ? undefined : `${key}-${(keys += 1)}`);
      const answers = await Promise.all([people.owner, people.member, people.viewer].map((who) => call(who)));
      expect([path, ...answers.map(({ status }) => status)]).toEqual([path, ...statuses]);
      const gone = (text: string) => text.replaceAll(shared.sid, NOBODY).replaceAll(shared.walletSid, NOBODY);
      const elsewhere = body === undefined ? undefined : (JSON.parse(gone(JSON.stringify(body))) as unknown);
      const [hidden, missing] = [
        await call(people.stranger),
        await call(people.stranger, gone(path).replace(holdSid, NOBODY), elsewhere),
      ];
      expect([path, said(hidden)]).toEqual([path, said(missing)]);
      expect([path, hidden.status]).toEqual([path, path === '/v1/payments' ? 503 : 404]);
      expect(hidden.text).not.toContain(shared.sid);
    }
  });

  test('is what lists answer without a wallet: all that is reached and nothing else', async () => {
    const descriptions = async (who: Person) =>
      new Set(itemsIn(await who.as('GET', '/v1/holds')).map((hold) => hold['wallet_sid']));
    expect(await descriptions(people.owner)).toEqual(new Set([people.owner.walletSid, shared.walletSid]));
    expect(await descriptions(people.viewer)).toEqual(new Set([shared.walletSid]));
    expect(await descriptions(people.stranger)).toEqual(new Set([people.stranger.walletSid]));
    expect(itemsIn(await people.viewer.as('GET', '/v1/endpoints')).length).toBeGreaterThan(0);
    expect(itemsIn(await people.stranger.as('GET', '/v1/endpoints'))).toEqual([]);
    expect(itemsIn(await people.owner.as('GET', `/v1/endpoints?wallet_sid=${people.owner.walletSid}`))).toEqual([]);
  });

  test('of somebody’s own wallet, an organisation that they own says nothing', async () => {
    expect(refusalOf(await people.owner.as('GET', `/v1/billings/${people.member.walletSid}`))).toBe('404 not_found');
    expect(refusalOf(await people.owner.as('GET', `/v1/users/${people.member.userSid}`))).toBe('404 not_found');
    expect(refusalOf(await people.member.as('GET', `/v1/users/${people.owner.userSid}/sessions`))).toBe(
      '404 not_found',
    );
  });
});

test('usage is the organisation’s, and everybody in it sees it; nobody can sign in as one', async () => {
  const usage = { applies_to: 'hero_os_hourly', resource_kind: 'small', quantity: '1', idempotency_key: 'reach-usage' };
  const node = await site.node();
  const record = { ...usage, user_sid: shared.sid, occurred_at: site.ports.clock.now().toISOString() };
  const charged = await site.call('POST', '/record_usage', { body: record, headers: node.headers });
  expect(charged.json['outcome']).toBe('applied');
  for (const [who, status] of [
    [people.viewer, 200],
    [people.stranger, 404],
  ] as const)
    expect((await who.as('GET', `/v1/billings/${shared.walletSid}/usage`)).status).toBe(status);
  expect(itemsIn(await people.owner.as('GET', `/v1/users/${shared.sid}/identities`))).toEqual([]);
});
