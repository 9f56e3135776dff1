import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testSite, type TestSite } from '../transport/site.ts';
import { closeSound, HOUR_MS, itemsOf, outcomesOf, reporting, type Reporting } from './reporting.ts';

let site: TestSite;
let usage: Reporting['usage'];
let report: Reporting['report'];
const zone = process.env['TZ'];
beforeAll(async () => {
  // Of the process, as where somebody runs this in Berlin; Node follows it at once.
  process.env['TZ'] = 'Europe/Berlin';
  site = await testSite();
  ({ usage, report } = reporting(site));
});
afterAll(async () => {
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
  await closeSound(site);
});

const at = (instant: string): void => site.ports.clock.setWallClock(new Date(instant));

/** A leap second, a day and an hour that are not, another zone, and none. */
const NO_INSTANTS = [
  '2026-12-31T23:59:60Z',
  '2026-02-29T00:00:00Z',
  '2026-10-25T24:00:00Z',
  '2026-10-25T02:30:00+02:00',
  '2026-10-25T02:30:00',
];

describe('the calendar', () => {
  it('H03 days of usage are days of UTC where the process lives in Berlin, also on the day that has 25 hours', async () => {
    expect(new Date('2026-10-25T00:30:00Z').getTimezoneOffset()).toBe(-120);
    expect(new Date('2026-10-25T01:30:00Z').getTimezoneOffset()).toBe(-60);
    at('2026-10-26T12:00:00Z');
    const node = await site.node();
    const { sid, userSid } = await site.wallet(10_000);
    // Around both midnights in UTC and in Berlin, and twice 02:30 in Berlin.
    const instants = [
      '24T21:59:59',
      '24T22:30:00',
      '24T23:59:59',
      '25T00:30:00',
      '25T01:30:00',
      '25T23:59:59',
      '26T00:00:00',
    ];
    const records = instants.map((instant) => usage(userSid, { occurred_at: `2026-10-${instant}Z` }));
    expect(new Set(outcomesOf(await report(node, records)))).toEqual(new Set(['applied']));
    const days = itemsOf(await site.operator('GET', `/v1/billings/${sid}/usage?from=2026-10-24&until=2026-10-26`));
    expect(days.map(({ key, records: count, charge }) => [key, count, charge])).toEqual([
      ['2026-10-24', 3, '0.33'],
      ['2026-10-25', 3, '0.33'],
      ['2026-10-26', 1, '0.11'],
    ]);
    const until = itemsOf(await site.operator('GET', `/v1/billings/${sid}/usage?until=2026-10-25`));
    expect(until.map(({ key }) => key)).toEqual(['2026-10-24', '2026-10-25']);
  });

  it('H03 a week on the ladder has 168 hours, also when the clocks of Berlin are set back in it', async () => {
    at('2026-10-20T00:00:00Z');
    const node = await site.node();
    const { userSid } = await site.wallet(10_000);
    await report(node, [usage(userSid)]);
    at('2026-10-27T00:10:00Z');
    const records = ['2026-10-26T23:59:59.999Z', '2026-10-27T00:00:00.000Z'].map((occurred_at) =>
      usage(userSid, { occurred_at }),
    );
    expect(itemsOf(await report(node, records)).map(({ charge }) => charge)).toEqual(['0.11', '0.055']);
  });

  it.each(NO_INSTANTS)('H04 %s is refused by name, and what stands beside it is charged', async (occurred_at) => {
    at('2027-01-01T00:00:00Z');
    const node = await site.node();
    const { userSid } = await site.wallet(10_000);
    const answer = await report(node, [usage(userSid, { occurred_at }), usage(userSid)]);
    expect(answer.status).toBe(200);
    expect(itemsOf(answer)).toMatchObject([
      { outcome: 'refused', code: 'invalid_request', message: expect.stringContaining('occurred_at') },
      { outcome: 'applied' },
    ]);
    const price = { category: 'disk', kind: 'per_unit', unit: 'gib', amount: '1', active_from: occurred_at };
    expect((await site.operator('POST', '/v1/prices', price)).status).toBe(400);
  });
});

describe('a wall clock that jumps', () => {
  const jumps = { 'an hour back': -HOUR_MS, 'a day ahead': 24 * HOUR_MS, 'not at all, for it stands still': 0 };

  it.each(Object.entries(jumps))(
    'H01 %s in the middle of a report changes neither what is charged nor the order',
    async (_, ms) => {
      at('2026-06-01T12:00:00Z');
      const { clock, crash } = site.ports;
      const node = await site.node();
      const { sid, userSid } = await site.wallet(10_000);
      const lineOf = async () => itemsOf(await site.operator('GET', `/v1/billings/${sid}/statement`));
      const records = [usage(userSid), usage(userSid)];
      const seen = new Set<string>();
      crash.on((label) => {
        if (label !== 'sql:before:ledger.write_entries' || seen.has(label)) return;
        seen.add(label);
        clock.setWallClock(new Date(clock.now().getTime() + ms));
      });
      const first = itemsOf(await report(node, records));
      crash.on(null);
      expect(seen.size).toBe(1);
      expect(first.map(({ outcome, entry }) => [outcome, entry])).toEqual([
        ['applied', 2],
        ['applied', 3],
      ]);
      // By a clock that was set back they are of the future: refused, and nothing is moved. By one that is right they are known.
      if (ms < 0) {
        expect(outcomesOf(await report(node, records))).toEqual(['invalid_request', 'invalid_request']);
        at('2026-06-01T12:00:00Z');
      }
      const again = itemsOf(await report(node, records));
      expect(again).toEqual(first.map((item) => ({ ...item, is_repeated: true })));
      const [later] = itemsOf(await report(node, [usage(userSid)]));
      expect(later).toMatchObject({ outcome: 'applied', entry: 4, balance: '99.67' });
      const lines = await lineOf();
      expect(lines.map(({ balance_after }) => balance_after)).toEqual(['99.67', '99.78', '99.89', '100.00']);
    },
  );
});
