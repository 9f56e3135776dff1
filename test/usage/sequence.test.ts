import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tellOfGaps } from '../../src/operations/gap-policy/tell.ts';
import { GAPS_MAX, listStreams, noteNumbers, type StreamRow } from '../../src/store/sequence.ts';
import { propertySeed } from '../support/property-seed.ts';
import { codeOf, testSite, type Answer, type TestSite } from '../transport/site.ts';
import { closeSound, itemsOf, outcomesOf, reporting, type Node, type Reporting } from './reporting.ts';

const seed = propertySeed('sequence numbers');
const UNKNOWN = '01JD9ZQ4T2V6M0F8K3A5B7C9D1';
let site: TestSite;
let usage: Reporting['usage'];
let report: Reporting['report'];
beforeAll(async () => {
  site = await testSite();
  ({ usage, report } = reporting(site));
});
afterAll(() => closeSound(site));

type Stream = Record<string, unknown> & { gaps: { from: number; to: number; noticed_at: string }[] };
const streamsOf = ({ json }: Answer): Stream[] => json['streams'] as Stream[];
const gapsOf = (answer: Answer): unknown => streamsOf(answer)[0]?.gaps.map(({ from, to }) => [from, to]);
const shown = (node: Node, headers?: Record<string, string>): Promise<Answer> =>
  headers === undefined
    ? site.operator('GET', `/v1/nodes/${node.sid}/gaps`)
    : site.call('GET', `/v1/nodes/${node.sid}/gaps`, { headers });
const numbered = (userSid: string, numbers: readonly number[], more: Record<string, unknown> = {}) =>
  numbers.map((seq) => usage(userSid, { quantity: '0.01', seq, ...more }));

describe('records that are numbered', () => {
  test('tell which have not come, and since when; a late one closes its gap', async () => {
    const node = await site.node();
    const { userSid } = await site.wallet(1_000);
    const first = await report(node, numbered(userSid, [1, 2, 5, 6, 9]));
    expect(streamsOf(first)).toMatchObject([
      { category: 'hero_os_hourly', last: 9, missing: 4, reused: 0, given_up: 0 },
    ]);
    expect(streamsOf(first)[0]).toMatchObject({
      first_missing: 3,
      missing_since: site.ports.clock.now().toISOString(),
    });
    expect(gapsOf(first)).toEqual([
      [3, 4],
      [7, 8],
    ]);
    const noticed = site.ports.clock.now().toISOString();
    await site.ports.clock.advance(60_000);
    expect(gapsOf(await report(node, numbered(userSid, [12])))).toEqual([
      [3, 4],
      [7, 8],
      [10, 11],
    ]);
    const answer = await report(node, numbered(userSid, [4, 10]));
    expect(streamsOf(answer)[0]?.gaps).toEqual([
      { from: 3, to: 3, noticed_at: noticed },
      { from: 7, to: 8, noticed_at: noticed },
      { from: 11, to: 11, noticed_at: site.ports.clock.now().toISOString() },
    ]);
    const whole = await report(node, numbered(userSid, [3, 7, 8, 11]));
    expect(streamsOf(whole)).toMatchObject([
      { last: 12, missing: 0, first_missing: null, missing_since: null, gaps: [] },
    ]);
    expect(itemsOf(await shown(node))).toEqual(streamsOf(whole));
  });

  test('are missing from 1 on, count for each category apart, and are told to the node itself and to operators', async () => {
    const node = await site.node();
    const { userSid } = await site.wallet(1_000);
    const call = { applies_to: 'llm', cost: '0.001', provider: 'groq' };
    const answer = await report(node, [...numbered(userSid, [3]), ...numbered(userSid, [1, 2], call)]);
    expect(streamsOf(answer)).toMatchObject([
      { category: 'hero_os_hourly', last: 3, missing: 2 },
      { category: 'llm', last: 2, missing: 0 },
    ]);
    expect((await shown(node, node.headers)).text).toBe((await shown(node)).text);
    const other = await site.node();
    expect(codeOf(await shown(node, other.headers))).toBe('not_found');
    expect(codeOf(await shown({ sid: UNKNOWN, headers: {} }))).toBe('not_found');
    expect((await site.call('GET', `/v1/nodes/${node.sid}/gaps`)).status).toBe(401);
    expect(streamsOf(await report(node, [usage(userSid)]))).toEqual([]);
  });

  test('are no part of what a record costs, and a repetition changes nothing', async () => {
    const node = await site.node();
    const { userSid } = await site.wallet(1_000);
    const sent = numbered(userSid, [1, 2, 4]);
    const first = await report(node, sent);
    const again = await report(node, sent);
    expect(itemsOf(again).map(({ is_repeated }) => is_repeated)).toEqual([true, true, true]);
    expect(streamsOf(again)).toEqual(streamsOf(first));
    expect(outcomesOf(await report(node, [{ ...sent[0], seq: 3 }]))).toEqual(['idempotency_key_reused']);
    expect(streamsOf(await report(node, numbered(userSid, [5])))).toMatchObject([{ last: 5, missing: 1 }]);
    for (const seq of [0, -1, '1', null])
      expect(outcomesOf(await report(node, [usage(userSid, { seq })]))).toEqual(['invalid_request']);
  });

  test('under a number that came before are charged and counted: nothing that was delivered is lost', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(1_000);
    await report(node, numbered(userSid, [1, 2, 3]));
    const anew = await report(node, [...numbered(userSid, [1, 2, 4]), ...numbered(userSid, [4])]);
    expect(outcomesOf(anew)).toEqual(['applied', 'applied', 'applied', 'applied']);
    expect(streamsOf(anew)).toMatchObject([{ last: 4, missing: 0, reused: 3 }]);
    expect((await site.operator('GET', `/v1/billings/${sid}`)).json['credit_balance']).toBe('9.9923');
  });

  test('that a repetition has shown first, in another process, have not been used twice when they come; others have', async () => {
    const { db } = site.database;
    const note = async (node: bigint, ...numbers: readonly (readonly [number: number, isNew: boolean])[]) => {
      const rows = numbers.map(([number, isNew]) => ({ category: 'llm', number, isNew }));
      return Number((await noteNumbers(db, node, rows, site.ports.clock.now()))[0]?.reused);
    };
    expect(await note(2_000_001n, [1, false], [2, false])).toBe(0);
    expect(await note(2_000_001n, [1, true], [3, true])).toBe(0);
    expect(await note(2_000_001n, [3, false], [5, false])).toBe(0);
    expect(await note(2_000_001n, [2, true], [5, true])).toBe(0);
    expect(await note(2_000_001n, [1, true], [2, true], [3, true], [5, true])).toBe(4);
    expect(await note(2_000_002n, [1, true], [1, false])).toBe(0);
    expect(await note(2_000_002n, [1, true])).toBe(1);
  });

  test('that were refused have not come; unbilled ones have', async () => {
    const node = await site.node({ record_max: '20' });
    const { userSid } = await site.wallet(0);
    const much = numbered(userSid, [2], { quantity: '100' });
    const answer = await report(node, [...numbered(UNKNOWN, [1]), ...much, ...numbered(userSid, [3])]);
    expect(outcomesOf(answer)).toEqual(['not_found', 'insufficient_balance', 'applied']);
    expect(gapsOf(answer)).toEqual([[1, 1]]);
    expect(gapsOf(await report(node, numbered(userSid, [1])))).toEqual([]);
  });

  test('whatever the order, the batches, the repetitions and the processes, the gaps are what is missing below the last', async () => {
    const { ports } = site;
    let node = 1_000_000n;
    const pools = [site.database.db, site.database.open()];
    const number = fc.integer({ min: 1, max: 40 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(number, { minLength: 1, maxLength: 6 }), { maxLength: 12 }),
        async (batches) => {
          node += 1n;
          const seen = new Set<number>();
          const noticed = new Map<number, number>();
          for (const [index, batch] of batches.entries()) {
            await ports.clock.advance(1_000);
            const now = ports.clock.now();
            const before = Math.max(0, ...seen);
            for (const one of batch) seen.add(one);
            const last = Math.max(...seen);
            for (let one = before + 1; one <= last; one += 1) noticed.set(one, now.getTime());
            const rows = batch.map((one) => ({ category: 'llm', number: one, isNew: false }));
            const [stream] = await noteNumbers(pools[index % 2] ?? site.database.db, node, rows, now);
            const missing = Array.from({ length: last }, (_, at) => at + 1).filter((one) => !seen.has(one));
            expect([Number(stream?.last), Number(stream?.missing)]).toEqual([last, missing.length]);
            expect(spread(stream)).toEqual(missing);
            for (const { from, noticedAt } of stream?.gaps ?? [])
              expect(noticedAt.getTime()).toBe(noticed.get(Number(from)));
          }
          const all = batches.flat().map((one) => ({ category: 'vm', number: one, isNew: false }));
          await Promise.all(
            all.map((one, index) => noteNumbers(pools[index % 2] ?? site.database.db, node, [one], ports.clock.now())),
          );
          const [atOnce] = (await listStreams(site.database.db, node)).filter(({ category }) => category === 'vm');
          const last = Math.max(0, ...seen);
          const missing = Array.from({ length: last }, (_, at) => at + 1).filter((one) => !seen.has(one));
          expect(spread(atOnce)).toEqual(missing);
        },
      ),
      { seed, numRuns: 40 },
    );
  });

  test('of a node that counts at random cost no more than a thousand gaps', async () => {
    const node = 2_000_000n;
    const now = site.ports.clock.now();
    for (let batch = 0; batch < 4; batch += 1) {
      const numbers = Array.from({ length: 1_000 }, (_, index) => 3 * (1_000 * batch + index) + 2);
      const rows = numbers.map((number) => ({ category: 'llm', number, isNew: true }));
      const [stream] = await noteNumbers(site.database.db, node, rows, now);
      expect(Number(stream?.missing)).toBeLessThanOrEqual(2 * GAPS_MAX + 1_000);
    }
    const [stream] = await noteNumbers(site.database.db, node, [{ category: 'llm', number: 99_999, isNew: true }], now);
    expect(Number(stream?.givenUp)).toBeGreaterThan(5_000);
    expect(Number(stream?.missing) + Number(stream?.givenUp)).toBe(99_999 - 4_001);
  });
});

const spread = (stream: StreamRow | undefined): number[] =>
  (stream?.gaps ?? []).flatMap(({ from, to }) =>
    Array.from({ length: Number(to - from) + 1 }, (_, index) => Number(from) + index),
  );

describe('a gap', () => {
  const warnings = () => site.ports.log.lines.filter(({ message }) => message.startsWith('records of a node'));
  const setPolicy = (policy: string, more: Record<string, unknown> = {}): Promise<Answer> =>
    site.operator('POST', '/v1/gap-policies', { category: 'vm', policy, ...more });
  const priced = async (): Promise<void> => {
    await site.operator('POST', '/v1/prices', { category: 'vm', kind: 'per_unit', unit: 'hour', amount: '0.001' });
  };
  const metric = async (): Promise<string | undefined> =>
    /^hero_onboarding_usage_records_missing\{category="vm"\} (\d+)$/m.exec(
      (await site.operator('GET', '/metrics')).text,
    )?.[1];

  test('is spoken of where its category reports it: once after its grace, once more when a new one stays or a day has passed', async () => {
    await priced();
    const node = await site.node();
    const { userSid } = await site.wallet(1_000);
    const vm = { applies_to: 'vm', resource_kind: 'small' };
    await report(node, numbered(userSid, [1, 3], vm));
    await site.ports.clock.advance(600_000);
    expect(await tellOfGaps(site.house)).toEqual({ told: 0 });
    expect((await setPolicy('report', { grace_seconds: 60 })).json).toMatchObject({ category: 'vm', policy: 'report' });
    expect((await setPolicy('report', { grace_seconds: 60 })).status).toBe(200);
    expect(itemsOf(await site.operator('GET', '/v1/gap-policies'))).toMatchObject([
      { category: 'vm', grace_seconds: 60 },
    ]);
    const told = await Promise.all([tellOfGaps(site.house), tellOfGaps(site.house)]);
    expect(told.reduce((sum, one) => sum + one.told, 0)).toBe(1);
    expect(warnings().at(-1)?.facts).toMatchObject({ node_sid: node.sid, category: 'vm', missing: 1n });
    expect(await metric()).toBe('1');
    await report(node, numbered(userSid, [6], vm));
    expect(await tellOfGaps(site.house)).toEqual({ told: 0 });
    await site.ports.clock.advance(60_000);
    expect(await tellOfGaps(site.house)).toEqual({ told: 1 });
    expect(await metric()).toBe('3');
    await site.ports.clock.advance(86_400_000);
    expect(await tellOfGaps(site.house)).toEqual({ told: 1 });
    await report(node, numbered(userSid, [2, 4, 5], vm));
    await site.ports.clock.advance(86_400_000);
    expect(await tellOfGaps(site.house)).toEqual({ told: 0 });
    expect(await metric()).toBeUndefined();
    await setPolicy('ignore');
  });

  test('that will not close is given up, up to a number, with a reason', async () => {
    const node = await site.node();
    const { userSid } = await site.wallet(1_000);
    await report(node, numbered(userSid, [1, 5, 9]));
    const giveUp = (body: Record<string, unknown>, sid = node.sid): Promise<Answer> =>
      site.operator('POST', `/v1/nodes/${sid}/gaps/give-up`, {
        category: 'hero_os_hourly',
        reason: 'the disk died',
        ...body,
      });
    const first = await giveUp({ up_to: 6 });
    expect(first.json).toMatchObject({ last: 9, missing: 2, given_up: 4 });
    expect(first.json['gaps']).toMatchObject([{ from: 7, to: 8 }]);
    expect((await giveUp({ up_to: 6 })).text).toBe(first.text);
    expect((await giveUp({ up_to: 1_000_000 })).json).toMatchObject({ last: 9, missing: 0, given_up: 6 });
    expect(codeOf(await giveUp({ up_to: 6 }, UNKNOWN))).toBe('not_found');
    expect(codeOf(await giveUp({ up_to: 6, category: 'nothing' }))).toBe('not_found');
    expect(streamsOf(await report(node, numbered(userSid, [3])))).toMatchObject([{ missing: 0, reused: 1 }]);
    const forbidden = await site.call('POST', `/v1/nodes/${node.sid}/gaps/give-up`, {
      body: { category: 'hero_os_hourly', reason: 'x', up_to: 1 },
      headers: node.headers,
    });
    expect(forbidden.status).toBe(403);
    expect((await site.call('POST', '/v1/gap-policies', { body: {}, headers: node.headers })).status).toBe(403);
    const audit = itemsOf(await site.operator('GET', `/v1/audit-events?subject=${node.sid}`));
    expect(audit[0]).toMatchObject({ action: 'node.give-up-gaps', reason: 'the disk died' });
  });
});
