import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pruneOldBudgets } from '../../src/operations/node/prune-budgets.ts';
import { Crash } from '../support/ports.ts';
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

const DAY_MS = 24 * HOUR_MS;
let site: TestSite;
let usage: Reporting['usage'];
let report: Reporting['report'];
beforeAll(async () => {
  site = await testSite();
  ({ usage, report } = reporting(site));
});
afterAll(() => closeSound(site));

const otherProcess = (queueMax?: number): OtherProcess => openProcess(site, queueMax);
const balanceOf = async (sid: string): Promise<unknown> =>
  (await site.operator('GET', `/v1/billings/${sid}`)).json['credit_balance'];

describe('E12 a node whose clock is wrong by a day', () => {
  test('ahead is told so when all of its records lie ahead, and its record is taken once it is dated right', async () => {
    const node = await site.node();
    const { userSid } = await site.wallet(1_000);
    const now = site.ports.clock.now().getTime();
    const at = (ms: number) => usage(userSid, { occurred_at: new Date(now + ms).toISOString() });
    const sent = [at(DAY_MS - 1_000), at(DAY_MS - HOUR_MS)];
    const answer = await report(node, sent);
    expect(outcomesOf(answer)).toEqual(['invalid_request', 'invalid_request']);
    expect(itemsOf(answer)[1]?.['message']).toContain(
      `your clock seems to be 23 h 59 min ahead of ${new Date(now).toISOString()}`,
    );
    const mixed = await report(node, [at(DAY_MS), at(0)]);
    expect(outcomesOf(mixed)).toEqual(['invalid_request', 'applied']);
    expect(itemsOf(mixed)[0]?.['message']).not.toContain('your clock');
    const mended = sent.map((record) => ({ ...record, occurred_at: new Date(now).toISOString() }));
    expect(outcomesOf(await report(node, mended))).toEqual(['applied', 'applied']);
  });

  test('behind is charged now, at the instant that it says, and counted in our hour', async () => {
    const node = await site.node({ hour_max: '0.2' });
    const { sid, userSid } = await site.wallet(1_000);
    const now = site.ports.clock.now().getTime();
    const yesterday = { occurred_at: new Date(now - DAY_MS).toISOString() };
    expect(outcomesOf(await report(node, [usage(userSid, yesterday), usage(userSid)]))).toEqual([
      'applied',
      'rate_limited',
    ]);
    const [line] = itemsOf(await site.operator('GET', `/v1/billings/${sid}/statement`));
    expect([line?.['occurred_at'], line?.['recorded_at']]).toEqual([
      yesterday.occurred_at,
      new Date(now).toISOString(),
    ]);
  });

  test('is told by how much, whenever it says what time it has', async () => {
    const node = await site.node();
    const { userSid } = await site.wallet(1_000);
    const now = site.ports.clock.now().getTime();
    const skewFor = async (headers: Record<string, string>): Promise<string | null> =>
      (await post(site.app, '/v1/usage', { records: [usage(userSid)] }, { ...node.headers, ...headers })).headers.get(
        'x-hero-onboarding-clock-skew',
      );
    expect(await skewFor({ 'x-hero-onboarding-sent-at': new Date(now - DAY_MS).toISOString() })).toBe('-86400');
    expect(await skewFor({ 'x-hero-onboarding-sent-at': new Date(now + DAY_MS).toISOString() })).toBe('86400');
    expect(await skewFor({ date: new Date(now).toUTCString() })).toBe('0');
    expect(await skewFor({ date: 'soon' })).toBeNull();
    expect(await skewFor({})).toBeNull();
  });
});

test('E13 twenty nodes that send their backlog at once are told to wait, keep their order, and are charged once for all of it', async () => {
  const nodes = await Promise.all(Array.from({ length: 20 }, () => site.node({ hour_max: '1000000' })));
  const wallets = await Promise.all(nodes.map(() => site.wallet(100_000)));
  // Each takes a fifth of what comes at once.
  const processes = [otherProcess(400), otherProcess(400)];
  const [BATCHES, RECORDS] = [3, 100];
  let refusals = 0;
  const drain = async (node: Node, index: number): Promise<number[]> => {
    const { userSid } = wallets[index] ?? { userSid: '' };
    const came: number[] = [];
    const backlog = Array.from({ length: BATCHES * RECORDS }, (_, number) =>
      usage(userSid, { quantity: '1', unit: 'second', seq: number + 1 }),
    );
    for (let tries = 0; backlog.length > 0; tries += 1) {
      // Every third request goes to the other process too, as after a lost reply.
      const ways = tries % 3 === 0 ? processes : [processes[(index + tries) % 2]];
      const batch = backlog.slice(0, RECORDS);
      const answers = await Promise.all(
        ways.flatMap((way) => (way ? [post(way.app, '/v1/usage', { records: batch }, node.headers)] : [])),
      );
      const kept = new Set<number>();
      for (const answer of answers) {
        if (answer.status === 429) {
          expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
          refusals += 1;
          continue;
        }
        for (const [place, code] of outcomesOf(answer).entries()) if (code === 'applied') kept.add(place);
        const isWhole = outcomesOf(answer).every((code) => code === 'applied');
        expect(answer.json['retry_after_seconds'] === null).toBe(isWhole);
        if (!isWhole) refusals += 1;
      }
      const first = Array.from(batch, (_, place) => place).find((place) => !kept.has(place)) ?? batch.length;
      came.push(...batch.slice(0, first).map(({ seq }) => Number(seq)));
      backlog.splice(0, first);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return came;
  };
  const drained = await Promise.all(nodes.map(drain));
  const all = Array.from({ length: BATCHES * RECORDS }, (_, number) => number + 1);
  for (const came of drained) expect(came).toEqual(all);
  expect(refusals).toBeGreaterThan(0);
  for (const [index, node] of nodes.entries()) {
    // 300 seconds of 0.11 an hour.
    expect(await balanceOf(wallets[index]?.sid ?? '')).toBe('999.990834');
    const [stream] = itemsOf(await site.operator('GET', `/v1/nodes/${node.sid}/gaps`));
    expect([stream?.['last'], stream?.['missing'], stream?.['reused']]).toEqual([BATCHES * RECORDS, 0, 0]);
  }
  await Promise.all(processes.map(({ lanes }) => lanes.close()));
}, 15_000);

describe('E14 a reply that was lost after the commit', () => {
  test('of one record is given again byte for byte, whatever has happened to the wallet since', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(1_000);
    const record = usage(userSid);
    const lost = await post(site.app, '/record_usage', record, node.headers);
    await site.operator('POST', `/v1/billings/${sid}/freeze`, { is_frozen: true, reason: 'a dispute' });
    await site.operator('POST', '/admin/balance-adjust', { sid, balance_cents: 1 });
    const again = await post(otherProcess().app, '/record_usage', record, node.headers);
    expect([again.status, again.text]).toEqual([lost.status, lost.text]);
    expect(again.headers.get('idempotency-hit')).toBe('true');
    const frozen = usage(userSid);
    const told = await post(site.app, '/record_usage', frozen, node.headers);
    expect(told.json['wallet_state']).toBe('suspended');
    await site.operator('POST', `/v1/billings/${sid}/freeze`, { is_frozen: false, reason: 'won' });
    expect((await post(site.app, '/record_usage', frozen, node.headers)).text).toBe(told.text);
  });

  test('of a batch is given again record by record, and says that it is', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(1_000);
    const records = [
      usage(userSid),
      usage(userSid, { quantity: '500' }),
      { nonsense: true },
      usage(userSid, { quantity: '2' }),
    ];
    const lost = await report(node, records);
    expect(outcomesOf(lost)).toEqual(['applied', 'insufficient_balance', 'invalid_request', 'applied']);
    await site.operator('POST', `/v1/billings/${sid}/freeze`, { is_frozen: true, reason: 'a dispute' });
    const again = await post(otherProcess().app, '/v1/usage', { records }, node.headers);
    expect(again.text.replaceAll('"is_repeated":true', '"is_repeated":false')).toBe(lost.text);
    expect(itemsOf(again).map(({ is_repeated }) => is_repeated)).toEqual([true, true, false, true]);
    expect(await balanceOf(sid)).toBe('9.67');
  });
});

test('a report whose process died between the money and its numbers is charged once and numbered by the repetition', async () => {
  const node = await site.node();
  const { sid, userSid } = await site.wallet(1_000);
  const records = [usage(userSid, { seq: 1 }), usage(userSid, { seq: 2 })];
  site.ports.crash.on((label) => {
    if (label === 'sql:before:sequence.note') throw new Crash(label);
  });
  expect((await report(node, records)).status).toBe(500);
  site.ports.crash.on(null);
  expect(itemsOf(await site.operator('GET', `/v1/nodes/${node.sid}/gaps`))).toEqual([]);
  const again = await report(node, records);
  expect(itemsOf(again).map(({ is_repeated }) => is_repeated)).toEqual([true, true]);
  expect(again.json['streams']).toMatchObject([{ last: 2, missing: 0, reused: 0 }]);
  expect(await balanceOf(sid)).toBe('9.78');
});

describe('a node’s key', () => {
  test('E11 that is revoked in one process is worth nothing in the other, at once', async () => {
    const node = await site.node();
    const { userSid } = await site.wallet(1_000);
    const { app, lanes } = otherProcess();
    expect((await post(app, '/v1/usage', { records: [usage(userSid)] }, node.headers)).status).toBe(200);
    await site.operator('POST', `/v1/nodes/${node.sid}/revoke`, { reason: 'stolen' });
    expect((await post(app, '/v1/usage', { records: [usage(userSid)] }, node.headers)).status).toBe(401);
    await lanes.close();
  });

  test('that is wrong is barred after ten tries in a minute, and bars no other from the same address', async () => {
    const [wrong, right] = [await site.node(), await site.node()];
    const { userSid } = await site.wallet(1_000);
    await site.operator('POST', `/v1/nodes/${wrong.sid}/revoke`, {});
    const attempt = (node: Node): Promise<Answer> => report(node, [usage(userSid)]);
    const app = otherProcess().app;
    const there = (node: Node): Promise<Answer> => post(app, '/v1/usage', { records: [usage(userSid)] }, node.headers);
    for (let tries = 0; tries < 10; tries += 1) expect((await there(wrong)).status).toBe(401);
    const barred = await there(wrong);
    expect([barred.status, codeOf(barred), Number(barred.headers.get('retry-after')) > 0]).toEqual([
      429,
      'rate_limited',
      true,
    ]);
    expect([(await there(right)).status, (await attempt(wrong)).status]).toEqual([200, 401]);
    for (let tries = 0; tries < 100; tries += 1) {
      const guess = { authorization: `Bearer nk_${String(tries).padStart(16, '0')}_${'A'.repeat(43)}` };
      await there({ sid: '', headers: guess });
    }
    expect((await there(right)).status).toBe(429);
    await site.ports.clock.advance(60_001);
    expect([(await there(right)).status, (await there(wrong)).status]).toEqual([200, 401]);
  });

  test('has budgets by the hour, and those of hours long over are removed', async () => {
    const node = await site.node();
    const { userSid } = await site.wallet(1_000);
    const hours = async (): Promise<bigint | undefined> =>
      (
        await site.database.owner.query<{ count: bigint }>(
          {
            name: 'test.budgets',
            text: 'select count(*) as count from posting_budget join node on node.id = owner where node.sid = $1',
          },
          [node.sid],
        )
      )[0]?.count;
    await report(node, [usage(userSid)]);
    await site.ports.clock.advance(7 * DAY_MS);
    await report(node, [usage(userSid)]);
    expect(await hours()).toBe(2n);
    await site.ports.clock.advance(HOUR_MS);
    const [first, second] = await Promise.all([pruneOldBudgets(site.house), pruneOldBudgets(site.house)]);
    expect((first?.removed ?? 0) + (second?.removed ?? 0)).toBeGreaterThan(0);
    expect(await hours()).toBe(1n);
    expect(await pruneOldBudgets(site.house)).toEqual({ removed: 0 });
  });
});
