import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCorrection } from '../../src/operations/correction/run.ts';
import { testSite, type TestSite } from '../transport/site.ts';
import { closeSound, itemsOf, outcomesOf, reporting, type Reporting } from './reporting.ts';

let site: TestSite;
let usage: Reporting['usage'];
let report: Reporting['report'];
beforeAll(async () => {
  site = await testSite();
  ({ usage, report } = reporting(site));
  await site.operator('POST', '/v1/prices', {
    category: 'traffic',
    unit: 'gib',
    kind: 'tiered',
    tiers: [{ up_to: '10', amount: '1' }, { amount: '0.5' }],
  });
});
afterAll(() => closeSound(site));

const balanceOf = async (sid: string) => (await site.operator('GET', `/v1/billings/${sid}`)).json['credit_balance'];
const traffic = (userSid: string, quantity: string, more: object = {}) =>
  usage(userSid, { applies_to: 'traffic', resource_kind: 'x', quantity, ...more });

test('lines whose volume was counted are taken back together and give the volume back; they are not charged anew line by line', async () => {
  const node = await site.node();
  const { sid, userSid } = await site.wallet(10_000);
  await report(node, [traffic(userSid, '8'), traffic(userSid, '6'), traffic(userSid, '2')]);
  expect(await balanceOf(sid)).toBe('87.00');
  const reprice = { kind: 'reprice', wallet_sid: sid, reason: 'a test', dry_run: true };
  const shown = (await site.operator('POST', '/v1/corrections', reprice)).json['preview'];
  expect(shown).toMatchObject({ lines_changed: 0, lines_skipped: 3, sum_before: '13.00', sum_after: '13.00' });
  const made = await site.operator('POST', '/v1/corrections', { kind: 'void', wallet_sid: sid, reason: 'a test' });
  await runCorrection(site.house, String((made.json['correction'] as Record<string, unknown>)['sid']));
  expect(await balanceOf(sid)).toBe('100.00');
  await report(node, [traffic(userSid, '12')]);
  expect(await balanceOf(sid)).toBe('89.00');
});

test('a true-up of a counted record is refused and says what to do', async () => {
  const node = await site.node();
  const { sid, userSid } = await site.wallet(10_000);
  const first = traffic(userSid, '8');
  const [, answer] = itemsOf(
    await report(node, [first, traffic(userSid, '6', { corrects: first['idempotency_key'] })]),
  );
  expect(answer).toMatchObject({ outcome: 'refused', code: 'state_conflict' });
  expect(answer?.['message']).toContain('Take it back and report it again.');
  expect(await balanceOf(sid)).toBe('92.00');
});

test('a counted record that was not billed is billed later at what its volume costs then, once', async () => {
  const node = await site.node();
  const { sid, userSid } = await site.wallet(300);
  expect(outcomesOf(await report(node, [traffic(userSid, '9'), traffic(userSid, '7')]))).toEqual([
    'insufficient_balance',
    'applied',
  ]);
  await site.operator('POST', '/admin/balance-adjust', { sid, balance_cents: 2_000 });
  const bill = () => site.operator('POST', '/v1/usage/unbilled/bill', { wallet_sid: sid });
  // 3 GiB of the first tier are left, 6 of the second.
  expect((await bill()).json).toMatchObject({ records: 1, charged: '6.00', is_complete: true });
  expect((await bill()).json).toMatchObject({ records: 0 });
  expect(await balanceOf(sid)).toBe('14.00');
});
