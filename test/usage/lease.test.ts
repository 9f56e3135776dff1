import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyLease, type LeaseKeys } from '../../client/lease.ts';
import { buildHttp } from '../../src/http/app.ts';
import { expireHolds } from '../../src/operations/hold/expire.ts';
import { openPostingLanes } from '../../src/store/posting-lanes.ts';
import { faultProxy } from '../support/fault-proxy.ts';
import { ADMIN_SECRET, answerOf, codeOf, testSite, type Answer, type TestSite } from '../transport/site.ts';
import { closeSound, HOUR_MS, itemsOf, outcomesOf, reporting, type Node, type Reporting } from './reporting.ts';

const UNKNOWN = '01JD9ZQ4T2V6M0F8K3A5B7C9D1';
let site: TestSite;
let usage: Reporting['usage'];
let report: Reporting['report'];
let keys = 0;
beforeAll(async () => {
  site = await testSite();
  ({ usage, report } = reporting(site));
});
afterAll(() => closeSound(site));

const grant = (node: Node, body: Record<string, unknown>, key = `grant-${(keys += 1)}`): Promise<Answer> =>
  site.call('POST', '/v1/leases', {
    body: { amount: '5', ...body },
    headers: { ...node.headers, 'idempotency-key': key },
  });
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
const publicKeys = async (): Promise<LeaseKeys> =>
  (await site.call('GET', '/.well-known/jwks.json')).json as unknown as LeaseKeys;

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

  test('is granted once for a key, and answered byte for byte', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(1_000);
    const answers = await Promise.all(Array.from({ length: 10 }, () => grant(node, { user_sid: userSid }, 'the-same')));
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

describe('the token of a lease', () => {
  test('is verified without us, for its node, until it ends; a forged or altered one is not', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(1_000);
    const granted = await grant(node, { user_sid: userSid, seconds: 600 });
    const token = String(granted.json['token']);
    const known = await publicKeys();
    const now = site.ports.clock.now();
    const verify = (text: string, more: { nodeSid?: string; now?: Date } = {}, by = known) =>
      verifyLease(text, by, { nodeSid: node.sid, now, ...more });
    const expiresAt = new Date(now.getTime() + 600_000);
    expect(await verify(token)).toEqual({
      kind: 'valid',
      lease: {
        leaseSid: sidOf(granted),
        nodeSid: node.sid,
        userSid,
        walletSid: sid,
        amount: '5.00',
        issuedAt: now,
        expiresAt,
      },
    });
    expect(await verify(token, { now: expiresAt })).toEqual({ kind: 'invalid', fault: 'expired' });
    expect(await verify(token, { nodeSid: UNKNOWN })).toEqual({ kind: 'invalid', fault: 'of_another_node' });
    const [head = '', body = '', signature = ''] = token.split('.');
    const altered = (from: string, to: string, part = body): string =>
      Buffer.from(Buffer.from(part, 'base64url').toString().replace(from, to)).toString('base64url');
    const other = await testSite({ settings: { sessionKey: 'another session key that signs something else' } });
    const theirs = (await other.call('GET', '/.well-known/jwks.json')).json as unknown as LeaseKeys;
    await other.close();
    const swapped = { keys: known.keys.map(({ kid }) => ({ kid, x: theirs.keys[0]?.x ?? '' })) };
    for (const [text, fault, by] of [
      [`${head}.${altered('"5.00"', '"9.00"')}.${signature}`, 'forged', known],
      [`${head}.${altered(userSid, UNKNOWN)}.${signature}`, 'forged', known],
      [`${head}.${body}.${'A'.repeat(signature.length)}`, 'forged', known],
      [token, 'forged', swapped],
      [token, 'unknown_key', theirs],
      [`${altered('EdDSA', 'none', head)}.${body}.`, 'malformed', known],
      [`${altered('EdDSA', 'HS256', head)}.${body}.${signature}`, 'malformed', known],
      [`${token}.x`, 'malformed', known],
      ['', 'malformed', known],
      ['..', 'malformed', known],
      [`${head}.bm90IGpzb24.${signature}`, 'malformed', known],
    ] as const) {
      expect([text, await verify(text, {}, by)]).toEqual([text, { kind: 'invalid', fault }]);
    }
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

test('an outage neither stops the work nor gives it away: a node works on its lease and is charged afterwards, once', async () => {
  const node = await site.node();
  const { sid, userSid } = await site.wallet(1_000);
  const proxy = await faultProxy(site.database.url);
  const db = site.database.open({ url: proxy.url });
  const lanes = openPostingLanes(db, site.ports, { lanes: 2, batchRecordsMax: 1_000, queueMax: 10_000 });
  const app = buildHttp(
    { ...site.house, db, lanes },
    { adminSecrets: [{ id: 'adm_1', secret: ADMIN_SECRET }], ping: () => Promise.resolve() },
  );
  const send = async (path: string, body: unknown): Promise<Answer> =>
    answerOf(
      await app.request(path, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', 'idempotency-key': 'outage', ...node.headers },
      }),
    );
  const known = await publicKeys();
  const granted = await send('/v1/leases', { user_sid: userSid, amount: '5', seconds: 7_200 });
  const lease = sidOf(granted);
  proxy.set('reset');
  await site.ports.clock.advance(HOUR_MS);
  const records = [usage(userSid, { lease, quantity: '20', seq: 1 })];
  // The database is away, and with it the service: the connections that were open break too.
  await site.database.owner.query({
    name: 'test.break',
    text: `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename is not null and pid <> pg_backend_pid() and state = 'idle'`,
  });
  const away = await send(`/v1/leases/${lease}/settle`, { records });
  expect([away.status, Number(away.headers.get('retry-after')) > 0]).toEqual([503, true]);
  const mayWork = await verifyLease(String(granted.json['token']), known, {
    nodeSid: node.sid,
    now: site.ports.clock.now(),
  });
  expect(mayWork).toMatchObject({ kind: 'valid', lease: { amount: '5.00', userSid } });
  records.push(usage(userSid, { lease, quantity: '5', seq: 2 }));
  await site.ports.clock.advance(HOUR_MS / 2);
  proxy.set('none');
  const settled = await send(`/v1/leases/${lease}/settle`, { records });
  expect([settled.status, settled.json['lease']]).toMatchObject([200, { state: 'released', drawn: '2.75' }]);
  expect((await send(`/v1/leases/${lease}/settle`, { records })).status).toBe(200);
  expect(await stateOf(sid)).toBe('7.25 + 0.00');
  await lanes.close();
  await db.close();
  await proxy.close();
});
