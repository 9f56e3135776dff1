import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isRefusal } from '../../src/domain/refusal.ts';
import { readRecord } from '../../src/operations/usage/price-report.ts';
import { readRules } from '../../src/operations/usage/rules.ts';
import { isTrueUp, trueUp } from '../../src/operations/usage/true-up.ts';
import { readNode } from '../../src/store/node.ts';
import { propertySeed } from '../support/property-seed.ts';
import { codeOf, testSite, type Answer, type TestSite } from '../transport/site.ts';
import { closeSound, HOUR_MS, itemsOf, outcomesOf, reporting, type Node, type Reporting } from './reporting.ts';

const seed = propertySeed('true-ups');
let site: TestSite;
let usage: Reporting['usage'];
let report: Reporting['report'];
beforeAll(async () => {
  site = await testSite();
  ({ usage, report } = reporting(site));
});
afterAll(() => closeSound(site));

const balanceOf = async (sid: string) => (await site.operator('GET', `/v1/billings/${sid}`)).json['credit_balance'];
const linesOf = async (sid: string) => itemsOf(await site.operator('GET', `/v1/billings/${sid}/statement`));
const explain = (sid: string, seq: unknown): Promise<Answer> =>
  site.operator('GET', `/v1/billings/${sid}/statement/${String(seq)}/explanation`);
const takeBack = (sid: string, seq: unknown): Promise<Answer> =>
  site.operator('POST', `/v1/billings/${sid}/statement/${String(seq)}/void`, { reason: 'measured wrongly' });
/** The record again with another figure, as a true-up of it. */
const truing = (first: Record<string, unknown>, more: Record<string, unknown>): Record<string, unknown> => ({
  ...usage(String(first['user_sid'])),
  ...first,
  idempotency_key: usage('x')['idempotency_key'],
  corrects: first['idempotency_key'],
  ...more,
});
const unbilledOf = async (sid: string) =>
  itemsOf(await site.operator('GET', `/v1/usage/unbilled?wallet_sid=${sid}`)).map(({ amount, state }) => [
    amount,
    state,
  ]);

async function start(
  cents: number,
  quantity: string,
): Promise<{ node: Node; sid: string; first: Record<string, unknown> }> {
  const node = await site.node();
  const { sid, userSid } = await site.wallet(cents);
  const first = usage(userSid, { quantity });
  await report(node, [first]);
  return { node, sid, first };
}

describe('a record that corrects an estimate', () => {
  test('finds the price of the first also when both are newer than what its report had read', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(1_000);
    const row = await readNode(site.house.db, node.sid);
    const rules = await readRules(site.house, { userSids: [userSid], categories: ['hero_os_hourly'], models: [] });
    const price = {
      category: 'hero_os_hourly',
      resource_kind: 'newest',
      kind: 'per_hour',
      unit: 'hour',
      amount: '0.2',
    };
    await site.operator('POST', '/v1/prices', price);
    const first = usage(userSid, { resource_kind: 'newest', quantity: '10' });
    await report(node, [first]);
    const input = readRecord(truing(first, { quantity: '12' }));
    expect(row !== null && !isRefusal(input) && isTrueUp(input)).toBe(true);
    if (row === null || isRefusal(input) || !isTrueUp(input)) return;
    const outcome = await trueUp(site.house, { node: row, input, rules, now: site.ports.clock.now() });
    expect(outcome).toMatchObject({ kind: 'applied' });
    expect(await balanceOf(sid)).toBe('7.60');
  });

  test('posts the difference, up or down, for the day of the first, and names it; the explanation shows both', async () => {
    const { node, sid, first } = await start(1_000, '10');
    await site.ports.clock.advance(48 * HOUR_MS);
    const more = truing(first, {
      quantity: '12.5',
      description: 'metered',
      occurred_at: site.ports.clock.now().toISOString(),
    });
    expect(itemsOf(await report(node, [more]))).toMatchObject([{ outcome: 'applied', charge: '0.275', entry: 3 }]);
    const less = truing(first, { quantity: '3' });
    expect(itemsOf(await report(node, [less]))).toMatchObject([{ outcome: 'applied', charge: '-1.045', entry: 4 }]);
    expect(await balanceOf(sid)).toBe('9.67');
    const [last, middle] = await linesOf(sid);
    expect(middle).toMatchObject({
      kind: 'usage',
      description: 'Corrected: metered',
      occurred_at: first['occurred_at'],
    });
    expect(last).toMatchObject({ about: { corrects: 2, quantity: '-9.5', now: { quantity: '3' } } });
    const explained = (await explain(sid, 2)).json;
    expect(explained).toMatchObject({ is_proved: true, charge: '1.10', stands: '0.33' });
    expect(explained['corrections']).toMatchObject([
      { entry: 3, why: 'true_up', charge: '0.275', record: { quantity: '12.5' } },
      { entry: 4, why: 'true_up', charge: '-1.045', record: { quantity: '3' } },
    ]);
    expect((await explain(sid, 3)).json['detail']).toContain('corrects line 2');
    const days = itemsOf(await site.operator('GET', `/v1/billings/${sid}/usage?by=day`));
    expect(days).toMatchObject([
      { key: String(first['occurred_at']).slice(0, 10), records: 1, quantity: '3', charge: '0.33' },
    ]);
  });

  test('is answered as the first time when it is sent again, also after a void; with another figure it is refused', async () => {
    const { node, sid, first } = await start(1_000, '10');
    const one = (body: unknown) => site.call('POST', '/record_usage', { body, headers: node.headers });
    const better = truing(first, { quantity: '4' });
    const told = await one(better);
    const again = await one(better);
    expect([again.status, again.text, again.headers.get('idempotency-hit')]).toEqual([200, told.text, 'true']);
    expect(codeOf(await one({ ...better, quantity: '5' }))).toBe('idempotency_key_reused');
    expect((await takeBack(sid, 2)).json).toMatchObject({ returned: '0.44', credit_balance: '10.00' });
    expect((await one(better)).text).toBe(told.text);
    expect((await one(first)).status).toBe(200);
    expect(codeOf(await one(truing(first, { quantity: '6' })))).toBe('state_conflict');
    expect(codeOf(await takeBack(sid, 3))).toBe('state_conflict');
    expect(await balanceOf(sid)).toBe('10.00');
  });

  test('may name the first or a later one of the chain, and may come in the same batch as the first', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(1_000);
    const first = usage(userSid, { quantity: '10' });
    const second = truing(first, { quantity: '8' });
    const third = truing(second, { quantity: '9' });
    expect(outcomesOf(await report(node, [second, third, first]))).toEqual(['applied', 'applied', 'applied']);
    expect(await balanceOf(sid)).toBe('9.01');
    expect((await explain(sid, 2)).json['corrections']).toHaveLength(2);
  });

  test('is refused for a record that nobody sent, of another node, or of another thing', async () => {
    const { node, sid, first } = await start(1_000, '10');
    const other = await site.node();
    expect(outcomesOf(await report(node, [truing(first, { corrects: 'never-sent' })]))).toEqual(['not_found']);
    expect(outcomesOf(await report(other, [truing(first, {})]))).toEqual(['not_found']);
    const { userSid } = await site.wallet(0);
    const wrong = [
      truing(first, { user_sid: userSid }),
      truing(first, { resource_kind: 'large' }),
      truing(first, { unit: 'second' }),
      truing(first, { applies_to: 'llm', cost: '1', provider: 'groq' }),
    ];
    const answers = itemsOf(await report(node, wrong));
    expect(answers.map(({ code }) => code)).toEqual(wrong.map(() => 'invalid_request'));
    expect(answers[1]?.['message']).toContain('resource_kind must be as in the record it corrects');
    expect(await balanceOf(sid)).toBe('8.90');
  });

  test('keeps the price and the rung of the first, and splits cost and margin exactly', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(1_000);
    const call = usage(userSid, { applies_to: 'llm', resource_kind: 'm', cost: '0.0123456789', provider: 'exact-ai' });
    await report(node, [call]);
    await site.operator('POST', '/v1/prices', {
      category: 'llm',
      resource_kind: 'm',
      kind: 'cost_plus',
      unit: 'call',
      margin_percent: '50',
    });
    expect(outcomesOf(await report(node, [truing(call, { cost: '0.0200000001' })]))).toEqual(['applied']);
    expect(await balanceOf(sid)).toBe('9.978');
    const payable = async () =>
      await site.database.owner.query<{ sum: bigint }>({
        name: 'test.payable_exact',
        text: `select coalesce(sum(amount), 0)::int8 as sum from batch_leg join system_account on id = account where code = 'payable:llm:exact-ai'`,
      });
    expect(await payable()).toEqual([{ sum: 20_000n }]);
    await takeBack(sid, 2);
    expect([await payable(), await balanceOf(sid)]).toEqual([[{ sum: 0n }], '10.00']);
  });

  test('counts against the limits of its node', async () => {
    const node = await site.node({ record_max: '1', hour_max: '1.5' });
    const { userSid } = await site.wallet(1_000);
    const first = usage(userSid, { quantity: '1' });
    await report(node, [first]);
    const asked = ['10', '9', '8'].map((quantity) => truing(first, { quantity }));
    expect(outcomesOf(await report(node, asked))).toEqual(['amount_out_of_range', 'applied', 'applied']);
    const second = usage(userSid, { quantity: '1' });
    await report(node, [second]);
    expect(outcomesOf(await report(node, [truing(second, { quantity: '9' })]))).toEqual(['rate_limited']);
  });

  test('replaces a record that was not billed, and one that does not fit is not billed either, each for good', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(100);
    const first = usage(userSid, { quantity: '100' });
    expect(outcomesOf(await report(node, [first]))).toEqual(['insufficient_balance']);
    await site.ports.clock.advance(1_000);
    const second = truing(first, { quantity: '90' });
    expect(outcomesOf(await report(node, [second]))).toEqual(['insufficient_balance']);
    await site.ports.clock.advance(HOUR_MS);
    expect(itemsOf(await report(node, [truing(first, { quantity: '10' })]))).toMatchObject([{ charge: '1.10' }]);
    expect(await unbilledOf(sid)).toEqual([
      ['9.90', 'superseded'],
      ['11.00', 'superseded'],
    ]);
    expect((await linesOf(sid))[0]).toMatchObject({
      occurred_at: first['occurred_at'],
      about: { supersedes: second['idempotency_key'] },
    });
    const large = truing(second, { quantity: '80' });
    expect(outcomesOf(await report(node, [large]))).toEqual(['insufficient_balance']);
    await site.ports.clock.advance(1_000);
    expect(outcomesOf(await report(node, [truing(large, { quantity: '70' })]))).toEqual(['insufficient_balance']);
    expect((await unbilledOf(sid)).slice(0, 2)).toEqual([
      ['6.60', 'open'],
      ['7.70', 'superseded'],
    ]);
    expect((await takeBack(sid, 2)).json['credit_balance']).toBe('1.00');
    expect((await unbilledOf(sid))[0]).toEqual(['6.60', 'superseded']);
  });

  test('of a CloudEvent names the earlier event by its id', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(1_000);
    const event = (id: string, data: object) => ({
      specversion: '1.0',
      id,
      source: '/meter/1',
      type: 'usage',
      time: site.ports.clock.now().toISOString(),
      data: { user_sid: userSid, applies_to: 'hero_os_hourly', resource_kind: 'small', ...data },
    });
    const sent = [event('a', { quantity: '10' }), event('b', { quantity: '2', corrects: 'a' })];
    expect(outcomesOf(await report(node, sent))).toEqual(['applied', 'applied']);
    expect(await balanceOf(sid)).toBe('9.78');
  });
});

describe('true-ups at once', () => {
  test('of one record do not take the same difference twice: it stands at one of the figures', async () => {
    const { node, sid, first } = await start(10_000, '10');
    const figures = Array.from({ length: 12 }, (_, index) => `${20 + index}`);
    const answers = await Promise.all(figures.map((quantity) => report(node, [truing(first, { quantity })])));
    expect(answers.flatMap(outcomesOf)).toEqual(figures.map(() => 'applied'));
    const { json } = await explain(sid, 2);
    const last = (json['corrections'] as { record: { quantity: string } }[]).at(-1)?.record.quantity;
    expect(figures).toContain(last);
    expect(Number(json['stands'])).toBeCloseTo(Number(last) * 0.11, 9);
    expect(Number(await balanceOf(sid))).toBeCloseTo(100 - Number(last) * 0.11, 9);
  });

  test('and a void leave what the explanation says, and nothing when the void is last', async () => {
    const { node, sid, first } = await start(10_000, '10');
    await Promise.all([
      ...['7', '8', '9'].map((quantity) => report(node, [truing(first, { quantity })])),
      takeBack(sid, 2),
    ]);
    expect((await explain(sid, 2)).json['stands']).toBe('0.00');
    expect(await balanceOf(sid)).toBe('100.00');
  });
});

test('any estimates and true-ups cost what the last figures cost, whatever was carried', async () => {
  const node = await site.node({ hour_max: '1000000' });
  const figures = fc.array(fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 4,
  });
  await fc.assert(
    fc.asyncProperty(figures, async (chains) => {
      const [plain, trued] = [await site.wallet(100_000), await site.wallet(100_000)];
      const of = (userSid: string, seconds: number) => usage(userSid, { quantity: `${seconds}`, unit: 'second' });
      await report(
        node,
        chains.map((chain) => of(plain.userSid, chain.at(-1) ?? 0)),
      );
      for (const [seconds = 0, ...later] of chains) {
        const first = of(trued.userSid, seconds);
        await report(node, [first, ...later.map((one) => truing(first, { quantity: `${one}` }))]);
      }
      expect(await balanceOf(trued.sid)).toBe(await balanceOf(plain.sid));
    }),
    { seed, numRuns: 15 },
  );
});
