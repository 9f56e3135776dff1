import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { statement } from '../../src/store/db.ts';
import { codeOf, testSite, type Answer, type TestSite } from '../transport/site.ts';
import { closeSound, HOUR_MS, itemsOf, reporting, type Node, type Reporting } from './reporting.ts';

let site: TestSite;
let usage: Reporting['usage'];
let report: Reporting['report'];
beforeAll(async () => {
  site = await testSite();
  ({ usage, report } = reporting(site));
});
afterAll(() => closeSound(site));

const balanceOf = async (sid: string) => (await site.operator('GET', `/v1/billings/${sid}`)).json['credit_balance'];
/** What the planner knows from then on is of a ledger with next to no rows. */
const ANALYSE = statement('test.analyse', 'analyze entry');
const reverse = (node: Node, more: Record<string, unknown> = {}): Promise<Answer> =>
  site.operator('POST', `/v1/nodes/${node.sid}/reverse`, { reason: 'the key was stolen', ...more });

describe('E11 what a stolen key has charged', () => {
  test('is shown and taken back in a moment when it is thousands of charges of one wallet', async () => {
    const node = await site.node({ hour_max: '100000' });
    const { sid, userSid } = await site.wallet(100_000);
    for (const records of [30, 990, 990, 990]) {
      await report(
        node,
        Array.from({ length: records }, () => usage(userSid, { quantity: '36', unit: 'second' })),
      );
      // Analysed when it was small, the ledger once took a minute to check at the end.
      if (records === 30) await site.database.owner.query(ANALYSE);
    }
    expect((await reverse(node)).json).toMatchObject({ records: 3_000, returned: '3.30', is_dry_run: true });
    expect((await reverse(node, { confirm: true })).json).toMatchObject({ records: 3_000, is_complete: true });
    expect((await reverse(node)).json).toMatchObject({ records: 0, returned: '0.00' });
    expect(await balanceOf(sid)).toBe('1000.00');
  });

  test('is listed page by page, and taken back in one action: shown first, then once, however often it is asked for', async () => {
    const [stolen, honest] = [await site.node({ hour_max: '100000' }), await site.node()];
    const wallets = await Promise.all(Array.from({ length: 5 }, () => site.wallet(10_000)));
    for (const { userSid } of wallets) {
      await report(
        stolen,
        Array.from({ length: 100 }, () => usage(userSid, { quantity: '1', unit: 'second' })),
      );
      await report(honest, [usage(userSid)]);
    }
    const first = await site.operator('GET', `/v1/nodes/${stolen.sid}/usage?limit=200`);
    const cursor = encodeURIComponent(String(first.json['next_cursor']));
    const second = await site.operator('GET', `/v1/nodes/${stolen.sid}/usage?limit=200&cursor=${cursor}`);
    const lines = [...itemsOf(first), ...itemsOf(second)].map(
      ({ wallet_sid, entry }) => `${String(wallet_sid)} ${String(entry)}`,
    );
    expect([lines.length, new Set(lines).size]).toEqual([400, 400]);
    const shown = await reverse(stolen);
    expect(shown.json).toEqual({ records: 500, wallets: 5, returned: '0.015275', is_complete: true, is_dry_run: true });
    expect(await balanceOf(wallets[0]?.sid ?? '')).toBe('99.886945');
    const done = await Promise.all([reverse(stolen, { confirm: true }), reverse(stolen, { confirm: true })]);
    expect(done.reduce((sum, { json }) => sum + Number(json['records']), 0)).toBe(500);
    expect(done.every(({ json }) => json['is_complete'] === true)).toBe(true);
    for (const { sid } of wallets) expect(await balanceOf(sid)).toBe('99.89');
    expect((await reverse(stolen)).json).toMatchObject({ records: 0, returned: '0.00', is_complete: true });
    const open = await site.operator('GET', `/v1/nodes/${stolen.sid}/usage?is_open=true`);
    expect(itemsOf(open)).toEqual([]);
    const audit = itemsOf(await site.operator('GET', `/v1/audit-events?subject=${stolen.sid}&limit=200`));
    const counted = audit
      .filter(({ action }) => action === 'node.reverse')
      .map(({ after }) => after as { records: number });
    expect(counted.reduce((sum, { records }) => sum + records, 0)).toBe(500);
  });

  test('of a time only is taken back when asked so', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(10_000);
    await report(node, [usage(userSid)]);
    await site.ports.clock.advance(HOUR_MS);
    const since = site.ports.clock.now().toISOString();
    await report(node, [usage(userSid), usage(userSid)]);
    expect((await reverse(node, { since, confirm: true })).json).toMatchObject({ records: 2, returned: '0.22' });
    expect(await balanceOf(sid)).toBe('99.89');
    expect(codeOf(await site.operator('POST', '/v1/nodes/01JD9ZQ4T2V6M0F8K3A5B7C9D1/reverse', { reason: 'x' }))).toBe(
      'not_found',
    );
  });
});
