import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { propertySeed } from '../support/property-seed.ts';
import { testSite, type Answer, type TestSite } from '../transport/site.ts';
import { closeSound, HOUR_MS, itemsOf, outcomesOf, reporting, type Node, type Reporting } from './reporting.ts';

const seed = propertySeed('arrival');
const DAY_MS = 24 * HOUR_MS;
let site: TestSite;
let usage: Reporting['usage'];
let report: Reporting['report'];
beforeAll(async () => {
  site = await testSite();
  ({ usage, report } = reporting(site));
});
afterAll(() => closeSound(site));

const tick = (): Promise<Answer> => site.operator('POST', '/admin/discount-ladder-tick', {});
const balanceOf = async (sid: string) => (await site.operator('GET', `/v1/billings/${sid}`)).json['credit_balance'];
const daysOf = async (sid: string) =>
  itemsOf(await site.operator('GET', `/v1/billings/${sid}/usage?by=day&from=2020-01-01&limit=200`)).map(
    ({ key, unit, records, charge }) => [`${String(key)} ${String(unit)}`, records, charge],
  );
const takeBack = (sid: string, seq: unknown): Promise<Answer> =>
  site.operator('POST', `/v1/billings/${sid}/statement/${String(seq)}/void`, { reason: 'of another day' });

interface Used {
  readonly day: number;
  readonly seconds: number;
  readonly isCall: boolean;
}

/** Reports one after the other, and answers the numbers of their lines. */
async function reportAll(node: Node, userSid: string, all: readonly Used[], since: number): Promise<unknown[]> {
  const records = all.map(({ day, seconds, isCall }) =>
    usage(userSid, {
      occurred_at: new Date(since + day * DAY_MS + seconds * 1_000).toISOString(),
      ...(isCall
        ? { applies_to: 'llm', resource_kind: 'm', cost: `0.0${seconds}7`, provider: 'groq' }
        : { quantity: `${seconds + 1}`, unit: 'second' }),
    }),
  );
  const answers = [];
  for (const record of records) answers.push(await report(node, [record]));
  expect(answers.flatMap(outcomesOf)).toEqual(records.map(() => 'applied'));
  return answers.flatMap(itemsOf).map(({ entry }) => entry);
}

describe('a record that comes late', () => {
  test('moves the beginning of a run: lines on a wrong rung are corrected, each by name, once, when their day is over', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(10_000);
    const since = Math.floor(site.ports.clock.now().getTime() / DAY_MS) * DAY_MS;
    await site.ports.clock.advance(10 * DAY_MS);
    const hour = (day: number) => usage(userSid, { occurred_at: new Date(since + day * DAY_MS).toISOString() });
    await report(node, [hour(5), hour(8), hour(10)]);
    await tick();
    expect(await balanceOf(sid)).toBe('99.67');
    await report(node, [hour(0.5)]);
    expect((await tick()).json).toMatchObject({ rerated: 1, moved: '0.055' });
    expect((await tick()).json).toMatchObject({ rerated: 0, moved: '0.00' });
    await site.ports.clock.advance(DAY_MS);
    expect((await tick()).json).toMatchObject({ rerated: 1, moved: '0.055' });
    expect(await balanceOf(sid)).toBe('99.67');
    const { json } = await site.operator('GET', `/v1/billings/${sid}/statement/3/explanation`);
    expect(json).toMatchObject({ charge: '0.11', stands: '0.055', corrections: [{ why: 'rerate', charge: '-0.055' }] });
    const listed = itemsOf(await site.operator('GET', '/v1/corrections?kind=rerate&limit=1'));
    expect(listed).toMatchObject([{ state: 'done', lines_changed: 1, moved: '0.055', filter: { wallet_sid: sid } }]);
    expect((await tick()).json['wallets']).toBe(0);
  });

  test('corrects the line behind any number of lines that come to the same on either rung', async () => {
    const node = await site.node({ hour_max: '1000', record_max: '1000' });
    const { sid, userSid } = await site.wallet(10_000);
    const since = Math.floor(site.ports.clock.now().getTime() / DAY_MS) * DAY_MS;
    const from = { active_from: new Date(since).toISOString(), is_backdated: true };
    const atCost = { category: 'llm', resource_kind: 'at-cost', kind: 'cost_plus', unit: 'call', margin_percent: '0' };
    await site.operator('POST', '/v1/prices', { ...atCost, ...from });
    await site.ports.clock.advance(12 * DAY_MS);
    const call = (day: number, model: string) =>
      usage(userSid, {
        applies_to: 'llm',
        resource_kind: model,
        cost: '0.01',
        provider: 'groq',
        occurred_at: new Date(since + day * DAY_MS).toISOString(),
      });
    // More than one step looks at.
    const atTheFloor = Array.from({ length: 201 }, (_, index) => call(9 + index / 1_000, 'at-cost'));
    await report(node, [...atTheFloor, call(9.5, 'with-margin')]);
    await tick();
    await report(node, [call(2, 'with-margin')]);
    expect((await tick()).json).toMatchObject({ rerated: 1, moved: '0.001' });
    expect((await tick()).json).toMatchObject({ rerated: 0 });
    expect((await tick()).json['wallets']).toBe(0);
    expect(await balanceOf(sid)).toBe('97.969');
  });

  test('is taken back with what it did to the others: a void and a right record are the right record alone', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(10_000);
    const since = Math.floor(site.ports.clock.now().getTime() / DAY_MS) * DAY_MS;
    await site.ports.clock.advance(30 * DAY_MS);
    const hour = (day: number) => usage(userSid, { occurred_at: new Date(since + day * DAY_MS).toISOString() });
    const wrong = itemsOf(await report(node, [hour(0), hour(5), hour(10), hour(16)]));
    expect(await balanceOf(sid)).toBe('99.67');
    await takeBack(sid, wrong[0]?.['entry']);
    expect((await tick()).json).toMatchObject({ rerated: 1, moved: '-0.055' });
    expect(await balanceOf(sid)).toBe('99.725');
    await report(node, [hour(0)]);
    await tick();
    expect(await balanceOf(sid)).toBe('99.67');
  });
});

test('the order in which records arrive never changes what the days that are over come to', async () => {
  const node = await site.node({ hour_max: '1000000', record_max: '1000' });
  const used = fc.record({ day: fc.integer({ min: 0, max: 60 }), seconds: fc.nat(9_999), isCall: fc.boolean() });
  const arrival = fc
    .array(used, { minLength: 1, maxLength: 12 })
    .chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }), fc.nat(all.length)),
    );
  await fc.assert(
    fc.asyncProperty(arrival, async ([all, shuffled, cut]) => {
      const since = Math.floor(site.ports.clock.now().getTime() / DAY_MS) * DAY_MS;
      await site.ports.clock.advance(62 * DAY_MS);
      const [sorted, mixed] = [await site.wallet(100_000), await site.wallet(100_000)];
      const inOrder = all.toSorted((a, b) => a.day - b.day || a.seconds - b.seconds);
      await reportAll(node, sorted.userSid, inOrder, since);
      // A wrong record that is taken back again, and a tick in between, change nothing either.
      const [wrong] = await reportAll(node, mixed.userSid, [{ day: 30, seconds: 1, isCall: false }], since);
      await reportAll(node, mixed.userSid, shuffled.slice(0, cut), since);
      await tick();
      await takeBack(mixed.sid, wrong);
      await reportAll(node, mixed.userSid, shuffled.slice(cut), since);
      await tick();
      expect(await balanceOf(mixed.sid)).toBe(await balanceOf(sorted.sid));
      const days = (await daysOf(mixed.sid)).filter(([, records]) => records !== 0);
      // A day's share of a carried fraction may fall to its neighbour: a micro-dollar a line at most.
      const sums = new Map((await daysOf(sorted.sid)).map(([key, , charge]) => [key, Number(charge)]));
      expect(days.map(([key]) => key)).toEqual([...sums.keys()]);
      for (const [key, , charge] of days)
        expect(Math.abs(Number(charge) - (sums.get(key) ?? 0))).toBeLessThan(0.000_03);
    }),
    { seed, numRuns: 12 },
  );
});
