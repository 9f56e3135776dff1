import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expireHolds } from '../../src/operations/hold/expire.ts';
import { codeOf, testSite, type Answer, type TestSite } from '../transport/site.ts';
import {
  closeSound,
  HOUR_MS,
  itemsOf,
  openProcess,
  outcomesOf,
  post,
  reporting,
  type Node,
  type OtherProcess,
  type Reporting,
} from './reporting.ts';

const UNKNOWN = '01JD9ZQ4T2V6M0F8K3A5B7C9D1';
let site: TestSite;
let usage: Reporting['usage'];
let keys = 0;
/** A second process on the same database: every other grant and report goes there. */
let second: OtherProcess;
beforeAll(async () => {
  site = await testSite();
  ({ usage } = reporting(site));
  second = openProcess(site);
});
afterAll(async () => {
  await second.lanes.close();
  await closeSound(site);
});

const appOf = (turn: number) => (turn % 2 === 0 ? site.app : second.app);
let reports = 0;
const report = (node: Node, records: readonly unknown[]): Promise<Answer> =>
  post(appOf((reports += 1)), '/v1/usage', { records }, node.headers);

let grants = 0;
const grant = (node: Node, body: Record<string, unknown>, key = `grant-${(keys += 1)}`): Promise<Answer> =>
  post(appOf((grants += 1)), '/v1/leases', { amount: '5', ...body }, { ...node.headers, 'idempotency-key': key });
const sidOf = (answer: Answer | undefined): string => {
  const lease = answer?.json['lease'] as { sid: string } | undefined;
  return lease?.sid ?? '';
};
const asNode = (node: Node, path: string, body: unknown = {}): Promise<Answer> =>
  site.call('POST', path, { body, headers: node.headers });
const settle = (node: Node, sid: string, records: readonly unknown[] = []): Promise<Answer> =>
  asNode(node, `/v1/leases/${sid}/settle`, { records });
/** What the wallet may spend, and what is set aside. */
const stateOf = async (sid: string): Promise<string> => {
  const { json } = await site.operator('GET', `/v1/billings/${sid}`);
  return `${String(json['credit_balance'])} + ${String(json['reserved'])}`;
};
describe('a lease', () => {
  test('sets money aside, is seen by the user, the operator and the node, and goes back when it is released', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(1_000);
    const granted = await grant(node, { user_sid: userSid, seconds: 600 });
    expect([granted.status, granted.json['lease']]).toMatchObject([
      201,
      {
        user_sid: userSid,
        wallet_sid: sid,
        node_sid: node.sid,
        amount: '5.00',
        drawn: '0.00',
        remaining: '5.00',
        state: 'open',
      },
    ]);
    expect(await stateOf(sid)).toBe('5.00 + 5.00');
    const held = itemsOf(await site.operator('GET', `/v1/holds?kind=lease&wallet_sid=${sid}`));
    expect(held).toMatchObject([{ sid: sidOf(granted), kind: 'lease', node_sid: node.sid, amount: '5.00' }]);
    expect(itemsOf(await site.operator('GET', `/v1/holds?kind=hold&wallet_sid=${sid}`))).toEqual([]);
    const listed = await site.call('GET', '/v1/leases?state=open', { headers: node.headers });
    expect(itemsOf(listed)).toEqual([granted.json['lease']]);
    const other = await site.node();
    expect(itemsOf(await site.call('GET', '/v1/leases', { headers: other.headers }))).toEqual([]);
    expect(codeOf(await asNode(other, `/v1/leases/${sidOf(granted)}/release`))).toBe('not_found');
    const released = await asNode(node, `/v1/leases/${sidOf(granted)}/release`);
    expect(released.json).toMatchObject({ state: 'released', remaining: '0.00' });
    expect((await asNode(node, `/v1/leases/${sidOf(granted)}/release`)).text).toBe(released.text);
    expect(await stateOf(sid)).toBe('10.00 + 0.00');
  });

  test('is seen by its user among the holds, and by no other', async () => {
    const node = await site.node();
    const signedIn = async (name: string) => {
      const { json } = await site.call('POST', '/login/sandbox', { body: { name } });
      return { userSid: String(json['user_sid']), sid: String(json['wallet_sid']), token: String(json['token']) };
    };
    const [owner, other] = [await signedIn('Olga'), await signedIn('Otto')];
    await site.operator('POST', '/admin/balance-adjust', { sid: owner.sid, balance_cents: 1_000 });
    const lease = sidOf(await grant(node, { user_sid: owner.userSid }));
    const seenBy = async ({ token }: { token: string }): Promise<unknown[]> =>
      itemsOf(
        await site.call('GET', '/v1/holds?kind=lease&state=open', { headers: { authorization: `Bearer ${token}` } }),
      ).map(({ sid }) => sid);
    expect([await seenBy(owner), await seenBy(other)]).toEqual([[lease], []]);
    const mayNot = await site.call('POST', `/v1/leases/${lease}/release`, {
      body: {},
      headers: { authorization: `Bearer ${owner.token}` },
    });
    expect(mayNot.status).toBe(403);
  });

  test('is granted once for a key, and answered byte for byte', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(1_000);
    // In one process: two that meet at a key are tried with the other operations that take one.
    const asked = { user_sid: userSid, amount: '5' };
    const headers = { ...node.headers, 'idempotency-key': 'the-same' };
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(site.app, '/v1/leases', asked, headers)));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotency-hit') === 'true')).toHaveLength(9);
    expect(codeOf(await grant(node, { user_sid: userSid, amount: '6' }, 'the-same'))).toBe('idempotency_key_reused');
    expect(await stateOf(sid)).toBe('5.00 + 5.00');
  });

  test('is refused beyond its bounds, to strangers, for others’ users, and without money', async () => {
    const { sid, userSid } = await site.wallet(1_000);
    const node = await site.node({ user_sids: [userSid] });
    const stranger = await site.wallet(1_000);
    const asked = async (body: Record<string, unknown>): Promise<unknown> =>
      codeOf(await grant(node, { user_sid: userSid, ...body }));
    expect(await asked({ amount: '20.01' })).toBe('amount_out_of_range');
    expect(await asked({ amount: '0' })).toBe('amount_out_of_range');
    expect(await asked({ amount: '-1' })).toBe('invalid_request');
    expect(await asked({ seconds: 7_201 })).toBe('invalid_request');
    expect(await asked({ amount: '10.01' })).toBe('insufficient_balance');
    expect(await asked({ user_sid: stranger.userSid })).toBe('forbidden');
    // A refusal is kept under its key like any answer.
    const own = { ...node.headers, 'idempotency-key': 'of-a-stranger' };
    const twice = { body: { user_sid: stranger.userSid, amount: '1' }, headers: own };
    const refused = await site.call('POST', '/v1/leases', twice);
    expect((await site.call('POST', '/v1/leases', twice)).json).toEqual(refused.json);
    expect(codeOf(await grant(await site.node(), { user_sid: UNKNOWN }))).toBe('not_found');
    await site.operator('POST', `/v1/billings/${sid}/freeze`, { is_frozen: true, reason: 'a dispute' });
    expect(await asked({})).toBe('wallet_frozen');
    const body = { user_sid: userSid, amount: '1' };
    expect((await site.operator('POST', '/v1/leases', body, { 'idempotency-key': 'x' })).status).toBe(403);
    expect((await site.call('POST', '/v1/leases', { body, headers: node.headers })).status).toBe(400);
    expect((await site.operator('POST', `/v1/leases/${UNKNOWN}/settle`, {})).status).toBe(403);
    expect(codeOf(await settle(node, UNKNOWN))).toBe('not_found');
    expect(await stateOf(sid)).toBe('10.00 + 0.00');
  });

  test('E11 asked for in bursts by a stolen key locks no more than the node’s hour_max, in whatever process', async () => {
    const node = await site.node({ hour_max: '12' });
    const wallets = await Promise.all(Array.from({ length: 8 }, () => site.wallet(1_000)));
    const answers = await Promise.all(
      [...wallets, ...wallets].map(({ userSid }) => grant(node, { user_sid: userSid, seconds: 60 })),
    );
    const granted = answers.filter(({ status }) => status === 201);
    expect(granted).toHaveLength(2);
    const refused = answers.find(({ status }) => status === 429);
    expect([refused && codeOf(refused), refused?.headers.get('retry-after'), refused?.json['details']]).toEqual([
      'rate_limited',
      '60',
      { open: '10.00', hour_max: '12.00', open_leases: 2 },
    ]);
    await asNode(node, `/v1/leases/${sidOf(granted[0])}/release`);
    expect((await grant(node, { user_sid: wallets[0]?.userSid })).status).toBe(201);
    await site.ports.clock.advance(60_000);
    // The other one is over, and counts no more, though nobody has returned it yet.
    expect((await grant(node, { user_sid: wallets[1]?.userSid })).status).toBe(201);
    await site.operator('POST', `/v1/nodes/${node.sid}/revoke`, {});
    expect((await grant(node, { user_sid: wallets[2]?.userSid, amount: '0.01' })).status).toBe(401);
  });

  test('E01 asked for many times at once on one wallet never takes more than it has', async () => {
    const nodes = await Promise.all(Array.from({ length: 4 }, () => site.node()));
    const { sid, userSid } = await site.wallet(1_000);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        grant(nodes[index % 4] ?? { sid: '', headers: {} }, { user_sid: userSid, amount: '3' }),
      ),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
    expect(await stateOf(sid)).toBe('1.00 + 9.00');
  });
});

describe('usage under a lease', () => {
  test('is paid out of it, once, and what is left goes back when it is settled', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(1_000);
    const lease = sidOf(await grant(node, { user_sid: userSid }));
    const sent = [usage(userSid, { lease, quantity: '10' }), usage(userSid, { lease, quantity: '0.5' })];
    const answer = await report(node, sent);
    expect(itemsOf(answer)).toMatchObject([{ outcome: 'applied', charge: '1.10' }, { charge: '0.055' }]);
    expect(await stateOf(sid)).toBe('5.00 + 3.845');
    await Promise.all([report(node, sent), report(node, sent)]);
    expect(await stateOf(sid)).toBe('5.00 + 3.845');
    const last = usage(userSid, { quantity: '1' });
    const settled = await settle(node, lease, [last]);
    expect([settled.status, settled.json['lease']]).toMatchObject([
      200,
      { state: 'released', drawn: '1.265', remaining: '0.00' },
    ]);
    expect(outcomesOf(settled)).toEqual(['applied']);
    expect(await stateOf(sid)).toBe('8.735 + 0.00');
    const again = await settle(node, lease, [last]);
    expect([again.json['lease'], itemsOf(again)[0]?.['is_repeated']]).toEqual([settled.json['lease'], true]);
    expect(await stateOf(sid)).toBe('8.735 + 0.00');
    const lines = itemsOf(await site.operator('GET', `/v1/billings/${sid}/statement?limit=100`));
    expect(lines.filter(({ kind }) => kind === 'usage')).toHaveLength(3);
    expect(itemsOf(await site.operator('GET', `/v1/billings/${sid}/usage?by=category`))).toMatchObject([
      { charge: '1.265' },
    ]);
  });

  test('beyond it is owed like any other: from the wallet, below zero to the limit, then unbilled', async () => {
    const node = await site.node({ record_max: '1000' });
    const { sid, userSid } = await site.wallet(600);
    const lease = sidOf(await grant(node, { user_sid: userSid }));
    expect(outcomesOf(await report(node, [usage(userSid, { lease, quantity: '60' })]))).toEqual(['applied']);
    expect(await stateOf(sid)).toBe('-0.60 + 0.00');
    const more = sidOf(await grant(node, { user_sid: (await site.wallet(1)).userSid, amount: '0.01' }));
    expect(codeOf(await settle(node, more))).toBeUndefined();
    expect(outcomesOf(await report(node, [usage(userSid, { lease, quantity: '41' })]))).toEqual([
      'insufficient_balance',
    ]);
    expect(itemsOf(await site.operator('GET', `/v1/usage/unbilled?wallet_sid=${sid}`))).toHaveLength(1);
  });

  test('that is declined, or over the budget of the hour, leaves the lease as it was; it settles when nothing has to come again', async () => {
    const node = await site.node({ hour_max: '10' });
    const { sid, userSid } = await site.wallet(500);
    const lease = sidOf(await grant(node, { user_sid: userSid }));
    const much = usage(userSid, { lease, quantity: '95' });
    expect(outcomesOf(await report(node, [usage(userSid, { lease, quantity: '91.5' }), much]))).toEqual([
      'insufficient_balance',
      'insufficient_balance',
    ]);
    expect(await stateOf(sid)).toBe('0.00 + 5.00');
    expect(outcomesOf(await report(node, [usage(userSid, { lease, quantity: '80' })]))).toEqual(['applied']);
    expect(await stateOf(sid)).toBe('-3.80 + 0.00');
    await site.operator('POST', '/admin/balance-adjust', { sid, balance_cents: 1_000 });
    const small = sidOf(await grant(node, { user_sid: userSid, amount: '4' }));
    const late = usage(userSid, { lease: small, quantity: '20' });
    const held = await settle(node, small, [late]);
    expect([outcomesOf(held), (held.json['lease'] as Record<string, unknown>)['state']]).toEqual([
      ['rate_limited'],
      'open',
    ]);
    expect(Number(held.json['retry_after_seconds'])).toBeGreaterThan(0);
    expect(await stateOf(sid)).toBe('6.00 + 4.00');
    await site.ports.clock.advance(HOUR_MS);
    const settled = await settle(node, small, [late]);
    expect([outcomesOf(settled), settled.json['lease']]).toMatchObject([
      ['applied'],
      { state: 'released', drawn: '2.20' },
    ]);
    expect(await stateOf(sid)).toBe('7.80 + 0.00');
  });

  test('that comes after the end is charged all the same; the money went back by itself, read or by the job', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(500);
    const lease = sidOf(await grant(node, { user_sid: userSid, seconds: 60 }));
    await report(node, [usage(userSid, { lease, quantity: '10' })]);
    await site.ports.clock.advance(60_000);
    // Over, and still there: the work was done under it.
    await report(node, [usage(userSid, { lease, quantity: '10' })]);
    expect(await stateOf(sid)).toBe('0.00 + 2.80');
    const next = sidOf(await grant(node, { user_sid: userSid, amount: '2.5', seconds: 60 }));
    expect(await stateOf(sid)).toBe('0.30 + 2.50');
    await site.ports.clock.advance(60_000);
    await Promise.all([expireHolds(site.house), expireHolds(site.house)]);
    expect(await stateOf(sid)).toBe('2.80 + 0.00');
    expect(outcomesOf(await report(node, [usage(userSid, { lease: next, quantity: '30' })]))).toEqual(['applied']);
    expect(await stateOf(sid)).toBe('-0.50 + 0.00');
    const settled = await settle(node, next);
    expect(settled.json['lease']).toMatchObject({ state: 'expired', drawn: '0.00' });
  });

  test('is refused under a lease of another node or user, and then taken without it', async () => {
    const [node, other] = [await site.node(), await site.node()];
    const [one, two] = [await site.wallet(1_000), await site.wallet(1_000)];
    const lease = sidOf(await grant(node, { user_sid: one.userSid }));
    const foreign = usage(one.userSid, { lease });
    expect(outcomesOf(await report(other, [foreign]))).toEqual(['not_found']);
    const wrong = usage(two.userSid, { lease });
    expect(outcomesOf(await report(node, [wrong, usage(one.userSid, { lease }), usage(two.userSid)]))).toEqual([
      'invalid_request',
      'applied',
      'applied',
    ]);
    const { lease: _lease, ...without } = wrong;
    expect(outcomesOf(await report(node, [without]))).toEqual(['applied']);
    expect([await stateOf(one.sid), await stateOf(two.sid)]).toEqual(['5.00 + 4.89', '9.78 + 0.00']);
  });

  test('by many reports at once draws what they cost together', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(1_000);
    const lease = sidOf(await grant(node, { user_sid: userSid }));
    const batches = Array.from({ length: 12 }, () => [usage(userSid, { lease }), usage(userSid, { lease })]);
    await Promise.all([...batches, ...batches, ...batches].map((records) => report(node, records)));
    expect(await stateOf(sid)).toBe('5.00 + 2.36');
    expect((await settle(node, lease)).json['lease']).toMatchObject({ drawn: '2.64' });
  });

  test('is not captured by an operator, who may release the lease', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(1_000);
    const lease = sidOf(await grant(node, { user_sid: userSid }));
    await report(node, [usage(userSid, { lease })]);
    for (const verb of ['capture', 'settle']) {
      const headers = { 'idempotency-key': `${verb}-${lease}` };
      expect(codeOf(await site.operator('POST', `/v1/holds/${lease}/${verb}`, { amount: '1' }, headers))).toBe(
        'state_conflict',
      );
    }
    const released = await site.operator(
      'POST',
      `/v1/holds/${lease}/release`,
      {},
      { 'idempotency-key': `release-${lease}` },
    );
    expect(released.json).toMatchObject({ state: 'released', drawn: '0.11' });
    expect(await stateOf(sid)).toBe('9.89 + 0.00');
  });
});
