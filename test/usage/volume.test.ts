import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf, testSite, type Answer, type TestSite } from '../transport/site.ts';
import { closeSound, HOUR_MS, itemsOf, outcomesOf, reporting, type Reporting } from './reporting.ts';

const DAY_MS = 24 * HOUR_MS;
/** The first ten are free, the next ninety cost 5 cents each, all after them 2. */
const TIERS = [{ up_to: '10', amount: '0' }, { up_to: '100', amount: '0.05' }, { amount: '0.02' }] as const;

let site: TestSite;
let usage: Reporting['usage'];
let report: Reporting['report'];
beforeAll(async () => {
  site = await testSite();
  ({ usage, report } = reporting(site));
});
afterAll(() => closeSound(site));

const createPrice = (more: Record<string, unknown>): Promise<Answer> => site.operator('POST', '/v1/prices', more);
const balanceOf = async (sid: string): Promise<unknown> =>
  (await site.operator('GET', `/v1/billings/${sid}`)).json['credit_balance'];
const explain = (sid: string, seq: unknown): Promise<Answer> =>
  site.operator('GET', `/v1/billings/${sid}/statement/${String(seq)}/explanation`);
const takeBack = (sid: string, seq: unknown): Promise<Answer> =>
  site.operator('POST', `/v1/billings/${sid}/statement/${String(seq)}/void`, { reason: 'measured twice' });

let categories = 0;
/** A category of its own with a price that counts volume; answers how to use so much of it. */
async function pricedBy(terms: Record<string, unknown>) {
  const category = `volume_${(categories += 1)}`;
  const created = await createPrice({ category, unit: 'gib', ...terms });
  expect([created.status, created.json['code']]).toEqual([201, undefined]);
  const used = (userSid: string, quantity: string, more: Record<string, unknown> = {}) =>
    usage(userSid, { applies_to: category, resource_kind: 'traffic', quantity, ...more });
  return { category, used, price: created.json };
}
const tiered = () => pricedBy({ kind: 'tiered', tiers: TIERS });

/** Where the counters of a wallet stand. */
async function countersOf(sid: string): Promise<Record<string, string>> {
  const rows = await site.database.owner.query<{ month: string; quantity: string }>(
    {
      name: 'test.counters',
      text: `select to_char(period_start at time zone 'UTC', 'YYYY-MM') as month, (quantity / 1000000)::text as quantity
             from posting_volume where wallet = (select id from wallet where sid = $1) order by 1`,
    },
    [sid],
  );
  return Object.fromEntries(rows.map(({ month, quantity }) => [month, quantity]));
}
const month = (): string => site.ports.clock.now().toISOString().slice(0, 7);

describe('a tiered price', () => {
  test('charges each part of a month’s volume at its tier, and each record says where the volume stood', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(10_000);
    const { used, price } = await tiered();
    expect(price).toMatchObject({ kind: 'tiered', amount: '0', tiers: [{ up_to: '10' }, {}, { up_to: null }] });
    const answer = await report(
      node,
      ['4', '10', '100', '1.5'].map((quantity) => used(userSid, quantity)),
    );
    expect(itemsOf(answer).map(({ charge }) => charge)).toEqual(['0.00', '0.20', '4.58', '0.03']);
    expect(await balanceOf(sid)).toBe('95.19');
    const [line] = itemsOf(await site.operator('GET', `/v1/billings/${sid}/statement`));
    expect(line).toMatchObject({ about: { quantity: '1.5', volume: { before: '114', after: '115.5' } } });
    for (const item of itemsOf(answer)) expect((await explain(sid, item['entry'])).json['is_proved']).toBe(true);
    const { json } = await explain(sid, itemsOf(answer)[2]?.['entry']);
    expect(json['steps']).toMatchObject([
      { what: `The volume of ${month()} with it, 114 gib, costs`, amount: '4.78' },
      { what: 'The volume before it, 14 gib, costs', amount: '0.2' },
      { what: 'The difference, for 100 gib', amount: '4.58' },
      { amount: '4.58' },
    ]);
  });

  test('costs the same in whatever order and batches the records of a month come, late ones too', async () => {
    const node = await site.node();
    const { used } = await tiered();
    const quantities = ['3', '40.000001', '7.25', '90', '0.000007', '12'];
    const at = site.ports.clock.now().toISOString();
    const send = async (order: readonly string[], size: number): Promise<unknown> => {
      const { sid, userSid } = await site.wallet(10_000);
      for (let from = 0; from < order.length; from += size) {
        const records = order.slice(from, from + size).map((quantity) => used(userSid, quantity, { occurred_at: at }));
        expect(new Set(outcomesOf(await report(node, records)))).toEqual(new Set(['applied']));
      }
      return await balanceOf(sid);
    };
    const balances = [await send(quantities, 6), await send(quantities.toReversed(), 2)];
    await site.ports.clock.advance(40 * DAY_MS);
    balances.push(await send(quantities.toSorted(), 1));
    // 152.250008 units: 90 at 5 cents, 52.250008 at 2; in micro-dollars rounded down.
    expect(balances).toEqual(Array(3).fill('94.455'));
  });

  test('counts every month of UTC and every wallet by itself, by when a record happened', async () => {
    const node = await site.node();
    const { used } = await tiered();
    const [one, other] = [await site.wallet(10_000), await site.wallet(10_000)];
    await site.ports.clock.advance(40 * DAY_MS);
    const now = site.ports.clock.now();
    const first = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1));
    const at = (offset: number) => ({ occurred_at: new Date(first.getTime() + offset).toISOString() });
    const answer = await report(node, [
      used(one.userSid, '10', at(0)),
      used(one.userSid, '10', at(-1)),
      used(other.userSid, '11', at(0)),
      used(one.userSid, '1', at(-1)),
    ]);
    expect(itemsOf(answer).map(({ charge }) => charge)).toEqual(['0.00', '0.00', '0.05', '0.05']);
    const before = new Date(first.getTime() - 1).toISOString().slice(0, 7);
    expect(await countersOf(one.sid)).toEqual({ [before]: '11', [month()]: '10' });
  });

  test('E07 counts a record once, however often and in whatever batch it is sent', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(10_000);
    const { used } = await tiered();
    const record = used(userSid, '20');
    const answers = await Promise.all([
      report(node, [record, record]),
      report(node, [record]),
      report(node, [used(userSid, '1'), record]),
    ]);
    expect(answers.flatMap(outcomesOf)).toEqual(Array(5).fill('applied'));
    expect(answers.flatMap(itemsOf).filter((item) => item['is_repeated'] === true)).toHaveLength(3);
    expect(outcomesOf(await report(node, [{ ...record, quantity: '21' }]))).toEqual(['idempotency_key_reused']);
    expect(await countersOf(sid)).toEqual({ [month()]: '21' });
    expect(await balanceOf(sid)).toBe('99.45');
  });

  test('is not counted where nothing was charged: unbilled, refused, or over the node’s limits', async () => {
    const node = await site.node({ record_max: '6', hour_max: '100' });
    const { sid, userSid } = await site.wallet(0);
    const { used } = await tiered();
    const wrong = [
      used(userSid, '5', { unit: 'tib' }),
      used(userSid, '5', { cost: '1', provider: 'x' }),
      used(userSid, '1000'),
    ];
    const answer = await report(node, [...wrong, used(userSid, '60'), used(userSid, '60'), used(userSid, '125')]);
    // 50 at 5 cents; 40 at 5 and 20 at 2: 4.90 are owed. The last would cost 2.50 more, past the limit of 5.
    expect(outcomesOf(answer)).toEqual([
      'invalid_request',
      'invalid_request',
      'amount_out_of_range',
      'applied',
      'applied',
      'insufficient_balance',
    ]);
    expect(await balanceOf(sid)).toBe('-4.90');
    expect(await countersOf(sid)).toEqual({ [month()]: '120' });
    expect(itemsOf(await site.operator('GET', `/v1/usage/unbilled?wallet_sid=${sid}`))).toMatchObject([
      { amount: '2.50', record: { quantity: '125', volume: { before: '120', after: '245' } } },
    ]);
    const single = used(userSid, '1000');
    const one = await site.call('POST', '/record_usage', { body: single, headers: node.headers });
    expect([one.status, one.json['details']]).toEqual([422, { amount_max: '6.00' }]);
    const spent = await site.node({ record_max: '6', hour_max: '0.01' });
    const rich = await site.wallet(10_000);
    expect(outcomesOf(await report(spent, [used(rich.userSid, '60')]))).toEqual(['rate_limited']);
    expect(await countersOf(rich.sid)).toEqual({ [month()]: '0' });
  });

  test('is refused when its counter would be full, and the record may be smaller', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(10_000);
    const { used } = await pricedBy({ kind: 'tiered', tiers: [{ amount: '0.000000000001' }] });
    const answer = await report(
      node,
      [...Array<string>(10).fill('999999999999'), '223372036863', '1'].map((quantity) => used(userSid, quantity)),
    );
    expect(outcomesOf(answer)).toEqual([
      ...Array<string>(9).fill('applied'),
      'amount_out_of_range',
      'applied',
      'amount_out_of_range',
    ]);
    expect(await balanceOf(sid)).toBe('90.776628');
  });

  test('a void takes the volume off where the counter stands now, once; posted again, all is as it was', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(10_000);
    const { used } = await tiered();
    const [first] = itemsOf(await report(node, [used(userSid, '50'), used(userSid, '100')]));
    expect([first?.['charge'], await balanceOf(sid)]).toEqual(['2.00', '94.50']);
    const path = `/v1/billings/${sid}/statement/${String(first?.['entry'])}/void`;
    const shown = await site.operator('POST', path, { reason: 'measured twice', dry_run: true });
    const answers = await Promise.all([takeBack(sid, first?.['entry']), takeBack(sid, first?.['entry'])]);
    // What is left of the volume is 100: it costs 4.50, wherever the 50 had stood.
    expect(shown.json).toEqual({ returned: '1.00', entry: 4, credit_balance: '95.50', is_dry_run: true });
    expect(answers.map(({ json }) => json)).toEqual([1, 2].map(() => ({ ...shown.json, is_dry_run: false })));
    const [line] = itemsOf(await site.operator('GET', `/v1/billings/${sid}/statement`));
    expect(line).toMatchObject({ about: { voids: 2, quantity: '-50', volume: { before: '150', after: '100' } } });
    expect(await countersOf(sid)).toEqual({ [month()]: '100' });
    await report(node, [used(userSid, '50')]);
    expect(await balanceOf(sid)).toBe('94.50');
    expect(codeOf(await explain(sid, 4))).toBe('not_found');
  });

  test('of a resource counts what that resource was used, and a new price counts from zero', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(10_000);
    const { category, used } = await tiered();
    const own = { category, unit: 'gib', kind: 'package', package_size: '10', amount: '1', resource_kind: 'cdn' };
    expect((await createPrice(own)).status).toBe(201);
    const both = [used(userSid, '11'), used(userSid, '11', { resource_kind: 'cdn' })];
    expect(itemsOf(await report(node, both)).map(({ charge }) => charge)).toEqual(['0.05', '2.00']);
    await site.ports.clock.advance(1);
    expect((await createPrice({ category, unit: 'gib', kind: 'tiered', tiers: TIERS })).status).toBe(201);
    expect(itemsOf(await report(node, [used(userSid, '11')])).map(({ charge }) => charge)).toEqual(['0.05']);
    expect(await balanceOf(sid)).toBe('97.90');
  });
});

describe('a package', () => {
  test('is paid in full when it is begun, and covers what comes until it is used up', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(10_000);
    const { used, price } = await pricedBy({
      kind: 'package',
      package_size: '100',
      amount: '3',
      margin_percent: '10',
    });
    expect(price).toMatchObject({ kind: 'package', package_size: '100', amount: '3', tiers: null });
    const quantities = ['0.000001', '99', '0.999999', '0.000001', '250', '0'];
    const answer = await report(
      node,
      quantities.map((quantity) => used(userSid, quantity)),
    );
    expect(itemsOf(answer).map(({ charge }) => charge)).toEqual(['3.30', '0.00', '0.00', '3.30', '6.60', '0.00']);
    expect(await balanceOf(sid)).toBe('86.80');
    for (const item of itemsOf(answer)) expect((await explain(sid, item['entry'])).json['is_proved']).toBe(true);
    expect(itemsOf(await site.operator('GET', `/v1/billings/${sid}/usage?by=category`))).toMatchObject([
      { records: 6, quantity: '350.000001', charge: '13.20' },
    ]);
  });
});

describe('a price that counts volume', () => {
  const wrong: readonly (readonly [pointer: string, terms: Record<string, unknown>])[] = [
    ['#/tiers', { kind: 'tiered' }],
    ['#/tiers', { kind: 'tiered', tiers: [{ amount: '0' }] }],
    ['#/amount', { kind: 'tiered', tiers: TIERS, amount: '1' }],
    [
      '#/tiers/1/up_to',
      {
        kind: 'tiered',
        tiers: [
          { up_to: '5', amount: '1' },
          { up_to: '9', amount: '1' },
        ],
      },
    ],
    [
      '#/tiers/1/up_to',
      { kind: 'tiered', tiers: [{ up_to: '5', amount: '1' }, { up_to: '5', amount: '1' }, { amount: '1' }] },
    ],
    ['#/tiers/0/up_to', { kind: 'tiered', tiers: [{ amount: '1' }, { amount: '2' }] }],
    ['#/tiers/0/up_to', { kind: 'tiered', tiers: [{ up_to: '-1', amount: '1' }, { amount: '2' }] }],
    ['#/tiers/0/amount', { kind: 'tiered', tiers: [{ amount: '1e3' }] }],
    ['#/margin_percent', { kind: 'tiered', tiers: [{ amount: '0.000000000001' }], margin_percent: '10' }],
    ['#/tiers', { kind: 'per_unit', tiers: TIERS, amount: '1' }],
    ['#/package_size', { kind: 'per_unit', package_size: '1', amount: '1' }],
    ['#/package_size', { kind: 'package', amount: '1' }],
    ['#/package_size', { kind: 'package', package_size: '0', amount: '1' }],
    ['#/amount', { kind: 'package', package_size: '10' }],
    ['#/margin_percent', { kind: 'package', package_size: '10', amount: '0.000000000001', margin_percent: '10' }],
  ];
  test.each(wrong)('is refused with what is wrong at %s: %j', async (pointer, terms) => {
    const answer = await createPrice({ category: 'wrong', unit: 'gib', ...terms });
    expect([answer.status, answer.json['errors']]).toMatchObject([400, [{ pointer }]]);
  });

  test('is there once for an instant', async () => {
    const price = { category: 'twice', unit: 'gib', kind: 'package', package_size: '10', amount: '1' };
    const answers = [await createPrice(price), await createPrice(price)];
    expect(answers.map(({ status, json }) => json['code'] ?? status)).toEqual([201, 'state_conflict']);
  });

  test('does not go together with a ladder, whichever comes first, now or later', async () => {
    const price = { category: 'hero_os_hourly', unit: 'hour', kind: 'tiered', tiers: TIERS };
    expect(codeOf(await createPrice(price))).toBe('state_conflict');
    const setLadder = (category: string, rungs: readonly unknown[], at: number) =>
      site.operator('POST', '/v1/ladders', {
        category,
        rungs,
        active_from: new Date(site.ports.clock.now().getTime() + at * DAY_MS).toISOString(),
      });
    const rungs = [{ after_days: 7, multiplier: '0.5' }];
    const { category } = await tiered();
    expect(codeOf(await setLadder(category, rungs, 0))).toBe('state_conflict');
    expect(codeOf(await setLadder(category, rungs, 30))).toBe('state_conflict');
    expect((await setLadder(category, [], 0)).status).toBe(201);
    const later = (days: number) => new Date(site.ports.clock.now().getTime() + days * DAY_MS).toISOString();
    expect(
      (await createPrice({ category, unit: 'gib', kind: 'per_unit', amount: '1', active_from: later(5) })).status,
    ).toBe(201);
    expect(codeOf(await setLadder(category, rungs, 4))).toBe('state_conflict');
    expect((await setLadder(category, rungs, 5)).status).toBe(201);
    expect(
      codeOf(await createPrice({ category, unit: 'gib', kind: 'tiered', tiers: TIERS, active_from: later(9) })),
    ).toBe('state_conflict');
  });

  test('and a ladder that are set at once: one of them is refused', async () => {
    for (let round = 0; round < 5; round += 1) {
      const category = `at_once_${round}`;
      const answers = await Promise.all([
        createPrice({ category, unit: 'gib', kind: 'tiered', tiers: TIERS }),
        site.operator('POST', '/v1/ladders', { category, rungs: [{ after_days: 7, multiplier: '0.5' }] }),
      ]);
      expect(answers.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([201, 409]);
    }
  });

  test('costs reports without it nothing: no counter is asked for', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(10_000);
    site.ports.crash.dieAfter(null);
    const [charged] = itemsOf(await report(node, [usage(userSid)]));
    await takeBack(sid, charged?.['entry']);
    const plain = [...site.ports.crash.reached];
    expect(plain.some((label) => label.includes('ledger.write_entries'))).toBe(true);
    expect(plain.filter((label) => /posting_volume|model_price/.test(label))).toEqual([]);
    const { used } = await tiered();
    await report(node, [used(userSid, '1')]);
    expect(site.ports.crash.reached.some((label) => label.includes('posting_volume.count'))).toBe(true);
  });
});
