import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recomputeLadders } from '../../src/operations/ladder/recompute.ts';
import type { Clock } from '../../src/ports/ports.ts';
import { testSite, type TestSite } from '../transport/site.ts';
import { closeSound, HOUR_MS, itemsOf, outcomesOf, reporting, type Reporting } from './reporting.ts';

let site: TestSite;
let usage: Reporting['usage'];
let report: Reporting['report'];
beforeAll(async () => {
  site = await testSite();
  ({ usage, report } = reporting(site));
});
afterAll(() => closeSound(site));

describe('usage', () => {
  test('is added up by day, category, node and resource, page by page, and equals the statement', async () => {
    const nodes = [await site.node(), await site.node()] as const;
    const { sid, userSid } = await site.wallet(100_000);
    const read = async (query: string) => itemsOf(await site.operator('GET', `/v1/billings/${sid}/usage?${query}`));
    expect(await read('by=day')).toEqual([]);
    const day = (offset: number): string =>
      new Date(site.ports.clock.now().getTime() - offset * 24 * HOUR_MS).toISOString().slice(0, 10);
    for (const [index, node] of nodes.entries()) {
      const records = [0, 1, 2].map((ago) =>
        usage(userSid, {
          quantity: `${index + 1}.5`,
          occurred_at: `${day(ago)}T00:00:00Z`,
          resource_kind: `size-${ago}`,
        }),
      );
      expect(outcomesOf(await report(node, records))).toEqual(['applied', 'applied', 'applied']);
    }
    expect(await read('by=day')).toMatchObject([
      { key: day(2), unit: 'hour', records: 2, quantity: '4', charge: '0.44' },
      { key: day(1), quantity: '4' },
      { key: day(0), quantity: '4' },
    ]);
    expect(new Set((await read('by=node')).map(({ quantity }) => quantity))).toEqual(new Set(['4.5', '7.5']));
    const called = await Promise.all(
      nodes.map(async (node) => (await site.operator('GET', `/v1/nodes/${node.sid}`)).json['name']),
    );
    expect((await read('by=node')).map(({ key, name }) => [key, name])).toEqual(
      expect.arrayContaining(nodes.map(({ sid }, index) => [sid, called[index]])),
    );
    expect(await read(`by=category&from=${day(1)}`)).toMatchObject([{ key: 'hero_os_hourly', records: 4 }]);
    const first = await site.operator('GET', `/v1/billings/${sid}/usage?by=resource_kind&limit=2`);
    const next = await read(`by=resource_kind&limit=2&cursor=${encodeURIComponent(String(first.json['next_cursor']))}`);
    expect([...itemsOf(first), ...next].map(({ key }) => key)).toEqual(['size-0', 'size-1', 'size-2']);
    await report(nodes[0], [usage(userSid)]);
    expect((await read('by=category'))[0]).toMatchObject({ records: 7, charge: '1.43' });
    expect((await site.operator('GET', `/v1/billings/${sid}/usage?from=2026-02-02&until=2026-02-01`)).status).toBe(400);
  });

  test('of one wallet is folded once, however many read it at once', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(100_000);
    await report(
      node,
      Array.from({ length: 50 }, () => usage(userSid)),
    );
    const reads = Array.from({ length: 8 }, () => site.operator('GET', `/v1/billings/${sid}/usage?by=category`));
    for (const answer of await Promise.all(reads))
      expect(itemsOf(answer)).toMatchObject([{ records: 50, charge: '5.50' }]);
  });

  test('says how long the wallet lasts', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(2_420);
    const runway = async () => (await site.operator('GET', `/v1/billings/${sid}/runway`)).json;
    expect(await runway()).toMatchObject({ hours: null, empty_at: null, text: 'no usage in the last 24 hours' });
    await report(node, [usage(userSid, { quantity: '20' })]);
    expect(await runway()).toMatchObject({
      credit_balance: '22.00',
      per_hour: '0.091667',
      hours: 240,
      text: '10 d 0 h at the present rate',
    });
  });
});

describe('the standing on the ladder', () => {
  test('says the rung, since when, and in how many days the next one comes', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(10_000);
    const standing = async () => {
      const items = itemsOf(await site.operator('GET', `/v1/billings/${sid}/ladder`));
      return items.find(({ category }) => category === 'hero_os_hourly');
    };
    expect(await standing()).toMatchObject({
      multiplier: '1',
      since: null,
      ends_at: null,
      next: { text: 'next rung in 7 days' },
    });
    const begun = site.ports.clock.now().toISOString();
    for (let day = 0; day < 5; day += 1) {
      await report(node, [usage(userSid)]);
      await site.ports.clock.advance(2 * 24 * HOUR_MS);
    }
    expect(await standing()).toMatchObject({
      multiplier: '0.5',
      since: begun,
      next: { multiplier: '0.25', text: 'next rung in 20 days' },
    });
    await site.ports.clock.advance(6 * 24 * HOUR_MS);
    expect(await standing()).toMatchObject({ multiplier: '1', since: null });
  });

  test('is proved from the ledger by the tick, which mends what a crash or a restore has lost', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(10_000);
    const begun = site.ports.clock.now().toISOString();
    for (let day = 0; day < 5; day += 1) {
      await report(node, [usage(userSid)]);
      await site.ports.clock.advance(2 * 24 * HOUR_MS);
    }
    const tick = () => site.operator('POST', '/admin/discount-ladder-tick', {});
    await tick();
    const { json } = await tick();
    expect(json['mended']).toBe(0);
    const wallet = `(select id from wallet where sid = '${sid}')`;
    await site.database.owner.query({ name: 'test.lose', text: `delete from usage_streak where wallet = ${wallet}` });
    await report(node, [usage(userSid)]);
    expect((await tick()).json['mended']).toBe(1);
    const [standing] = itemsOf(await site.operator('GET', `/v1/billings/${sid}/ladder`));
    expect(standing).toMatchObject({ category: 'hero_os_hourly', multiplier: '0.5', since: begun });
  });

  test('is put right for a day that a process whose clock was ahead had taken for over', async () => {
    const node = await site.node();
    const { userSid } = await site.wallet(10_000);
    const { clock } = site.ports;
    const at = (days: number): string => new Date(clock.now().getTime() + days * 24 * HOUR_MS).toISOString();
    const ofToday = [usage(userSid, { occurred_at: at(0) })];
    const late = [usage(userSid, { occurred_at: at(-6) }), usage(userSid, { occurred_at: at(-8) })];
    await recomputeLadders(site.house);
    await report(node, ofToday);
    const ahead: Clock = {
      now: () => new Date(clock.now().getTime() + 24 * HOUR_MS),
      monotonicMs: () => clock.monotonicMs(),
      sleep: (ms, signal) => clock.sleep(ms, signal),
      turn: () => clock.turn(),
    };
    await recomputeLadders({ ...site.house, ports: { ...site.ports, clock: ahead } });
    await report(node, late);
    expect((await recomputeLadders(site.house)).rerated).toBe(0);
    await clock.advance(24 * HOUR_MS);
    expect((await recomputeLadders(site.house)).rerated).toBe(1);
  });

  test('is not joined by the tick to a run that was over, when the new one began with usage that is unbilled', async () => {
    const node = await site.node();
    const { userSid } = await site.wallet(3_000);
    const after = async (days: number, more: Record<string, unknown> = {}) => {
      await site.ports.clock.advance(days * 24 * HOUR_MS);
      return itemsOf(await report(node, [usage(userSid, more)]));
    };
    await after(0);
    await after(6);
    const [unbilled] = await after(9, { quantity: '400' });
    expect(unbilled).toMatchObject({ outcome: 'unbilled' });
    const tick = await site.operator('POST', '/admin/discount-ladder-tick', {});
    expect(tick.json['mended']).toBe(0);
    // In its second day, at the full price.
    expect(await after(1)).toMatchObject([{ outcome: 'applied', charge: '0.11' }]);
  });
});
