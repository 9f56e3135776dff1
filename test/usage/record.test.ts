import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf, testSite, type TestSite } from '../transport/site.ts';
import { closeSound, HOUR_MS, itemsOf, outcomesOf, reporting, type Reporting } from './reporting.ts';

let site: TestSite;
let usage: Reporting['usage'];
let report: Reporting['report'];
beforeAll(async () => {
  site = await testSite();
  ({ usage, report } = reporting(site));
});
afterAll(() => closeSound(site));

const balanceOf = async (sid: string): Promise<unknown> =>
  (await site.operator('GET', `/v1/billings/${sid}`)).json['credit_balance'];

describe('a record', () => {
  test('is charged at the price of its time, and the statement and its explanation say how', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(1_000);
    const answer = await report(node, [usage(userSid, { quantity: '1.5', description: 'VM web-1' })]);
    expect(itemsOf(answer)).toMatchObject([
      { outcome: 'applied', charge: '0.165', balance: '9.835', wallet_state: 'ok', is_repeated: false, code: null },
    ]);
    const [line] = (await site.operator('GET', `/v1/billings/${sid}/statement`)).json['items'] as Record<
      string,
      unknown
    >[];
    expect(line).toMatchObject({ kind: 'usage', amount: '-0.165', description: 'VM web-1' });
    const explained = await site.operator('GET', `/v1/billings/${sid}/statement/${String(line?.['seq'])}/explanation`);
    expect(explained.json).toMatchObject({ is_proved: true, charge: '0.165' });
    expect(JSON.stringify(explained.json['steps'])).toContain('1.5 hour at $0.1 per hour and a margin of 10 %');
  });

  test('in seconds has the hour’s price, and what is less than a micro-dollar is carried', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(100);
    const second = () => usage(userSid, { quantity: '1', unit: 'second' });
    const answer = await report(node, Array.from({ length: 36 }, second));
    expect(outcomesOf(answer)).toEqual(Array.from({ length: 36 }, () => 'applied'));
    // 36 s of 0.11 an hour are 1,100 micro-dollars; one second is 30.555…
    expect(await balanceOf(sid)).toBe('0.9989');
    expect(new Set(itemsOf(answer).map(({ charge }) => charge))).toEqual(new Set(['0.00003', '0.000031']));
  });

  test('of a call costs what the provider charged and the margin, owed to the one and earned by the other', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(1_000);
    const call = {
      applies_to: 'llm',
      resource_kind: 'm/x',
      cost: '0.0123456789',
      provider: 'openrouter',
      tokens: { input: 12, output: 3 },
    };
    expect(outcomesOf(await report(node, [usage(userSid, call)]))).toEqual(['applied']);
    expect(await balanceOf(sid)).toBe('9.98642');
    const rows = await site.database.owner.query<{ code: string; sum: bigint }>({
      name: 'test.legs',
      text: `select code, sum(amount)::int8 as sum from batch_leg join system_account on id = account where code ~ 'llm' group by code order by code`,
    });
    expect(rows).toEqual([
      { code: 'payable:llm:openrouter', sum: 12_345n },
      { code: 'revenue:llm_margin', sum: 1_235n },
    ]);
    expect(outcomesOf(await report(node, [usage(userSid, { ...call, provider: undefined })]))).toEqual([
      'invalid_request',
    ]);
    expect(outcomesOf(await report(node, [usage(userSid, { ...call, applies_to: 'hero_os_hourly' })]))).toEqual([
      'invalid_request',
    ]);
  });

  test('E07 sent again is answered as the first time, sent with another content it is refused', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(1_000);
    const record = usage(userSid);
    const one = (body: unknown) => site.call('POST', '/record_usage', { body, headers: node.headers });
    const first = await one(record);
    await site.ports.clock.advance(90 * 24 * HOUR_MS);
    const again = await one(record);
    expect([again.status, again.text]).toEqual([first.status, first.text]);
    expect(first.headers.has('idempotency-hit')).toBe(false);
    expect(again.headers.get('idempotency-hit')).toBe('true');
    expect(codeOf(await one({ ...record, quantity: '2' }))).toBe('idempotency_key_reused');
    expect(await balanceOf(sid)).toBe('9.89');
    const other = await site.node();
    expect(outcomesOf(await report(other, [record]))).toEqual(['applied']);
    expect(await balanceOf(sid)).toBe('9.78');
  });

  test('E08 in a batch with bad ones, repeated ones and one twice is judged by itself, in order', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(20_000);
    const before = usage(userSid);
    await report(node, [before]);
    const good = Array.from({ length: 990 }, () => usage(userSid));
    const twice = usage(userSid);
    const bad = [{ nonsense: true }, usage(userSid, { quantity: '1e3' }), usage('01JD9ZQ4T2V6M0F8K3A5B7C9D1'), null];
    const answer = await report(node, [
      ...good,
      ...bad,
      before,
      twice,
      twice,
      usage(userSid, { applies_to: 'nothing' }),
    ]);
    expect(answer.status).toBe(200);
    expect(outcomesOf(answer)).toEqual([
      ...good.map(() => 'applied'),
      'invalid_request',
      'invalid_request',
      'not_found',
      'invalid_request',
      'applied',
      'applied',
      'applied',
      'state_conflict',
    ]);
    expect(itemsOf(answer).filter(({ is_repeated }) => is_repeated === true)).toHaveLength(2);
    expect(await balanceOf(sid)).toBe('90.88');
    expect((await report(node, [])).status).toBe(400);
    expect(
      (
        await report(
          node,
          Array.from({ length: 1_001 }, () => ({})),
        )
      ).status,
    ).toBe(400);
  });

  test('E09 that is late is posted now with its own instant; one from the future is refused', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(1_000);
    const now = site.ports.clock.now().getTime();
    const at = (ms: number) => usage(userSid, { occurred_at: new Date(now + ms).toISOString() });
    const sent = [at(-HOUR_MS), at(-40 * 24 * HOUR_MS), at(4 * 60_000), at(HOUR_MS), at(10 * 365 * 24 * HOUR_MS)];
    expect(outcomesOf(await report(node, sent))).toEqual([
      'applied',
      'applied',
      'applied',
      'invalid_request',
      'invalid_request',
    ]);
    const lines = (await site.operator('GET', `/v1/billings/${sid}/statement`)).json['items'] as Record<
      string,
      string
    >[];
    expect(lines.slice(0, 3).map(({ occurred_at }) => occurred_at)).toEqual([
      sent[2]?.['occurred_at'],
      sent[1]?.['occurred_at'],
      sent[0]?.['occurred_at'],
    ]);
    expect(new Set(lines.slice(0, 3).map(({ recorded_at }) => recorded_at)).size).toBe(1);
  });

  test('for an empty or frozen wallet is owed: below zero to the limit, then unbilled and never lost', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(100);
    const states = itemsOf(await report(node, [usage(userSid, { quantity: '9' }), usage(userSid)])).map(
      ({ balance, wallet_state }) => [balance, wallet_state],
    );
    expect(states).toEqual([
      ['0.01', 'low'],
      ['-0.10', 'empty'],
    ]);
    await site.operator('POST', `/v1/billings/${sid}/freeze`, { is_frozen: true, reason: 'a dispute' });
    const large = usage(userSid, { quantity: '44' });
    const small = usage(userSid, { quantity: '2' });
    const answer = await report(node, [large, usage(userSid, { quantity: '1' }), small]);
    expect(itemsOf(answer)).toMatchObject([
      { outcome: 'applied', balance: '-4.94', wallet_state: 'suspended' },
      { outcome: 'unbilled', code: 'insufficient_balance', charge: null, wallet_state: 'suspended' },
      { outcome: 'unbilled', code: 'insufficient_balance' },
    ]);
    await site.operator('POST', '/admin/balance-adjust', { sid, balance_cents: 10_000 });
    expect(itemsOf(await report(node, [small]))).toMatchObject([{ outcome: 'unbilled', is_repeated: true }]);
    const first = await site.operator('GET', `/v1/usage/unbilled?wallet_sid=${sid}&limit=1`);
    const cursor = encodeURIComponent(String(first.json['next_cursor']));
    const second = await site.operator('GET', `/v1/usage/unbilled?wallet_sid=${sid}&limit=1&cursor=${cursor}`);
    const listed = [...itemsOf(first), ...itemsOf(second)];
    expect(new Set(listed.map(({ amount }) => amount))).toEqual(new Set(['0.11', '0.22']));
    expect(second.json['next_cursor']).toBeNull();
    expect(listed[0]?.['record']).toMatchObject({ node: node.sid, category: 'hero_os_hourly' });
  });
});

describe('a node', () => {
  test('E10 that is unknown, revoked or not of this user is refused', async () => {
    const { userSid } = await site.wallet(100);
    const stranger = { sid: 'x', headers: { authorization: `Bearer nk_0123456789abcdef_${'A'.repeat(43)}` } };
    expect((await report(stranger, [usage(userSid)])).status).toBe(401);
    const other = await site.wallet(100);
    const node = await site.node({ user_sids: [userSid] });
    expect(outcomesOf(await report(node, [usage(other.userSid), usage(userSid)]))).toEqual(['forbidden', 'applied']);
    const revoked = await site.operator('POST', `/v1/nodes/${node.sid}/revoke`, { reason: 'stolen' });
    expect(revoked.json['revoked_at']).toEqual(expect.any(String));
    expect((await report(node, [usage(userSid)])).status).toBe(401);
    expect((await site.operator('POST', `/v1/nodes/${node.sid}/rotate`, {})).status).toBe(404);
  });

  test('E11 whose key was stolen does no more harm than its limits, in the same transaction, and its key is changed', async () => {
    const node = await site.node({ record_max: '1', hour_max: '2.5' });
    const { sid, userSid } = await site.wallet(10_000);
    const ten = () => usage(userSid, { quantity: '9' });
    expect(outcomesOf(await report(node, [usage(userSid, { quantity: '100' })]))).toEqual(['amount_out_of_range']);
    const bursts = await Promise.all(Array.from({ length: 10 }, () => report(node, [ten()])));
    const came = bursts.flatMap(outcomesOf);
    expect([
      came.filter((one) => one === 'applied').length,
      came.filter((one) => one === 'rate_limited').length,
    ]).toEqual([2, 8]);
    const single = await site.call('POST', '/record_usage', { body: ten(), headers: node.headers });
    expect([single.status, Number(single.headers.get('retry-after')) > 0]).toEqual([429, true]);
    expect(await balanceOf(sid)).toBe('98.02');
    await site.ports.clock.advance(HOUR_MS);
    expect(outcomesOf(await report(node, [ten()]))).toEqual(['applied']);
    const rotated = await site.operator('POST', `/v1/nodes/${node.sid}/rotate`, { overlap_seconds: 60 });
    const fresh = { sid: node.sid, headers: { authorization: `Bearer ${String(rotated.json['key'])}` } };
    const record = usage(userSid);
    expect([(await report(node, [record])).status, outcomesOf(await report(fresh, [record]))]).toEqual([
      200,
      ['applied'],
    ]);
    await site.ports.clock.advance(61_000);
    expect([(await report(node, [record])).status, (await report(fresh, [record])).status]).toEqual([401, 200]);
  });

  test('is shown to an operator without its key, and to nobody else', async () => {
    const node = await site.node({ record_max: '1' });
    const shown = await site.operator('GET', `/v1/nodes/${node.sid}`);
    expect(shown.json).toMatchObject({ sid: node.sid, record_max: '1.00', revoked_at: null });
    expect(shown.json).not.toHaveProperty('key');
    expect((await site.operator('GET', `/v1/nodes/${node.sid}`)).text).toBe(shown.text);
    expect((await site.operator('GET', '/v1/nodes/01JD9ZQ4T2V6M0F8K3A5B7C9D1')).status).toBe(404);
    expect((await site.call('GET', `/v1/nodes/${node.sid}`)).status).toBe(401);
    expect((await site.call('GET', `/v1/nodes/${node.sid}`, { headers: node.headers })).status).toBe(403);
  });

  test('may do nothing but report, and nobody else may report', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(100);
    for (const path of [
      `/v1/billings/${sid}`,
      '/v1/billings',
      '/v1/nodes',
      '/v1/payments',
      '/v1/prices',
      '/v1/audit-events',
    ]) {
      const answer = await site.call('GET', path, { headers: node.headers });
      expect([path, answer.status === 403 || answer.status === 404]).toEqual([path, true]);
    }
    expect((await site.operator('POST', '/v1/usage', { records: [usage(userSid)] })).status).toBe(403);
    expect((await site.call('POST', '/v1/usage', { body: { records: [usage(userSid)] } })).status).toBe(401);
    expect((await site.operator('GET', '/v1/nodes')).text).not.toContain('hash');
  });
});

describe('the ladder', () => {
  test('halves the price after a week of continuous use and again after a month, and begins anew after a gap', async () => {
    const node = await site.node({ hour_max: '100000' });
    const { sid, userSid } = await site.wallet(100_000);
    const charges: unknown[] = [];
    const reportHour = async (): Promise<void> => {
      const [item] = itemsOf(await report(node, [usage(userSid)]));
      charges.push(item?.['charge']);
    };
    for (let day = 0; day <= 31; day += 1) {
      await reportHour();
      await site.ports.clock.advance(24 * HOUR_MS);
    }
    expect(charges.slice(0, 7)).toEqual(Array(7).fill('0.11'));
    expect(charges.slice(7, 30)).toEqual(Array(23).fill('0.055'));
    expect(charges.slice(30)).toEqual(Array(2).fill('0.0275'));
    const seq = 1 + charges.length;
    const explained = await site.operator('GET', `/v1/billings/${sid}/statement/${seq}/explanation`);
    expect(explained.json).toMatchObject({ is_proved: true });
    expect(JSON.stringify(explained.json['steps'])).toContain('31 days before: times 0.25 by version 1');
    await site.ports.clock.advance(8 * 24 * HOUR_MS);
    await reportHour();
    expect(charges.at(-1)).toBe('0.11');
  });

  test('never goes below what the provider charged, unless a version says so', async () => {
    const node = await site.node();
    const { userSid } = await site.wallet(10_000);
    const call = () => usage(userSid, { applies_to: 'llm', resource_kind: 'm', cost: '0.10', provider: 'openrouter' });
    const charge = async (): Promise<unknown> => itemsOf(await report(node, [call()]))[0]?.['charge'];
    expect(await charge()).toBe('0.11');
    for (let day = 0; day < 4; day += 1) {
      await site.ports.clock.advance(48 * HOUR_MS);
      await charge();
    }
    expect(await charge()).toBe('0.10');
    const rungs = [{ after_days: 7, multiplier: '0.5' }];
    const set = await site.operator('POST', '/v1/ladders', { category: 'llm', rungs, floor_at_cost: false });
    expect([set.status, set.json['version']]).toEqual([201, 2]);
    expect(await charge()).toBe('0.055');
    const wrong = await site.operator('POST', '/v1/ladders', {
      category: 'llm',
      rungs: [...rungs, { after_days: 8, multiplier: '0.6' }],
    });
    expect(wrong.json['errors']).toMatchObject([{ pointer: '#/rungs/1/multiplier' }]);
  });
});

describe('a price', () => {
  test('is dated: what happened before it keeps the one of its time, and one for the very resource comes first', async () => {
    const node = await site.node();
    const { userSid } = await site.wallet(10_000);
    const create = (more: Record<string, unknown>) =>
      site.operator('POST', '/v1/prices', {
        category: 'vm',
        kind: 'per_unit',
        unit: 'day',
        margin_percent: '0',
        ...more,
      });
    const used = (more: Record<string, unknown> = {}) =>
      usage(userSid, { applies_to: 'vm', resource_kind: 'v1', ...more });
    expect(outcomesOf(await report(node, [used()]))).toEqual(['state_conflict']);
    expect((await create({ amount: '2' })).status).toBe(201);
    const early = site.ports.clock.now().toISOString();
    await site.ports.clock.advance(HOUR_MS);
    expect((await create({ amount: '3' })).status).toBe(201);
    expect((await create({ amount: '5', resource_kind: 'v2' })).status).toBe(201);
    const answer = await report(node, [used(), used({ occurred_at: early }), used({ resource_kind: 'v2' })]);
    expect(itemsOf(answer).map(({ charge }) => charge)).toEqual(['3.00', '2.00', '5.00']);
    const past = await create({ amount: '1', active_from: early });
    expect(past.json['errors']).toMatchObject([{ pointer: '#/active_from' }]);
    const uneven = await create({ amount: '0.000000000001', margin_percent: '10' });
    expect(uneven.json['errors']).toMatchObject([{ pointer: '#/margin_percent' }]);
    expect(itemsOf(await site.operator('GET', '/v1/prices?category=vm'))).toHaveLength(3);
  });
});
