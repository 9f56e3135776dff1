import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { propertySeed } from '../support/property-seed.ts';
import { codeOf, testSite, type Answer, type TestSite } from '../transport/site.ts';
import { closeSound, itemsOf, reporting, type Reporting } from './reporting.ts';

const seed = propertySeed('usage voids');
let site: TestSite;
let usage: Reporting['usage'];
let report: Reporting['report'];
beforeAll(async () => {
  site = await testSite();
  ({ usage, report } = reporting(site));
});
afterAll(() => closeSound(site));

const takeBack = (sid: string, seq: unknown): Promise<Answer> =>
  site.operator('POST', `/v1/billings/${sid}/statement/${String(seq)}/void`, { reason: 'measured twice' });

describe('a charge that is taken back', () => {
  test('is posted the other way round, once, and says whom it takes back', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(1_000);
    const call = {
      applies_to: 'llm',
      resource_kind: 'm',
      cost: '0.0123456789',
      provider: 'groq',
      description: 'a call',
    };
    const [charged] = itemsOf(await report(node, [usage(userSid, call)]));
    const answers = await Promise.all([takeBack(sid, charged?.['entry']), takeBack(sid, charged?.['entry'])]);
    const [first, again] = answers.map(({ status, json }) => [status, json]);
    expect(first).toEqual(again);
    expect(first).toEqual([200, { returned: '0.01358', entry: 3, credit_balance: '10.00', is_dry_run: false }]);
    const lines = itemsOf(await site.operator('GET', `/v1/billings/${sid}/statement`));
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatchObject({
      kind: 'usage',
      amount: '0.01358',
      about: { voids: 2, reason: 'measured twice' },
    });
    expect(itemsOf(await site.operator('GET', `/v1/billings/${sid}/usage?by=category`))).toMatchObject([
      { key: 'llm', records: 0, quantity: '0', charge: '0.00' },
    ]);
    expect(codeOf(await takeBack(sid, 3))).toBe('state_conflict');
    expect(codeOf(await takeBack(sid, 1))).toBe('not_found');
    expect(codeOf(await takeBack(sid, 99))).toBe('not_found');
    const audit = itemsOf(await site.operator('GET', `/v1/audit-events?subject=${sid}`));
    expect(audit.filter(({ action }) => action === 'usage.void')).toHaveLength(1);
  });

  test('is shown first, and then comes to what was shown, the micro-dollar of carried fractions included', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(1_000);
    const second = () => usage(userSid, { quantity: '1', unit: 'second' });
    const charged = itemsOf(await report(node, [second(), second(), second()]));
    const preview = async (seq: unknown) =>
      await site.operator('POST', `/v1/billings/${sid}/statement/${String(seq)}/void`, { reason: 'x', dry_run: true });
    const before = (await site.operator('GET', `/v1/billings/${sid}/statement`)).text;
    for (const { entry } of charged) {
      const shown = await preview(entry);
      expect(shown.json).toMatchObject({ is_dry_run: true });
      expect(await preview(entry)).toMatchObject({ text: shown.text });
      expect((await site.operator('GET', `/v1/billings/${sid}/statement`)).text).toBe(before);
    }
    const explained = `/v1/billings/${sid}/statement/${String(charged[1]?.['entry'])}/explanation`;
    expect((await site.operator('GET', explained)).json).toMatchObject({ taken_back_by: null });
    const shown = await preview(charged[1]?.['entry']);
    const done = await takeBack(sid, charged[1]?.['entry']);
    expect(done.json).toEqual({ ...shown.json, is_dry_run: false });
    expect((await preview(charged[1]?.['entry'])).json).toEqual(shown.json);
    expect((await site.operator('GET', explained)).json).toMatchObject({ taken_back_by: done.json['entry'] });
    expect(codeOf(await preview(99))).toBe('not_found');
    expect(codeOf(await preview(done.json['entry']))).toBe('state_conflict');
  });

  test('and reported again costs what it cost: void and post are post, whatever was carried', async () => {
    const node = await site.node({ hour_max: '1000000' });
    const seconds = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(seconds, fc.nat(5), async (all, which) => {
        const [one, other] = [await site.wallet(100_000), await site.wallet(100_000)];
        const of = (userSid: string, second: number) => usage(userSid, { quantity: `${second}`, unit: 'second' });
        await report(
          node,
          all.map((second) => of(one.userSid, second)),
        );
        const items = itemsOf(
          await report(
            node,
            all.map((second) => of(other.userSid, second)),
          ),
        );
        const index = which % all.length;
        expect((await takeBack(other.sid, items[index]?.['entry'])).status).toBe(200);
        await report(node, [of(other.userSid, all[index] ?? 0)]);
        const [plain, voided] = await Promise.all(
          [one, other].map(
            async ({ sid }) => (await site.operator('GET', `/v1/billings/${sid}`)).json['credit_balance'],
          ),
        );
        expect(voided).toBe(plain);
      }),
      { seed, numRuns: 25 },
    );
  });
});

describe('a hold that is settled', () => {
  let key = 0;
  const reserve = async (sid: string, amount: string): Promise<unknown> => {
    const body = { wallet_sid: sid, amount, description: 'a call' };
    return (await site.operator('POST', '/v1/holds', body, { 'idempotency-key': `reserve-${(key += 1)}` })).json['sid'];
  };
  const settle = (hold: unknown, amount: string, name = `settle-${(key += 1)}`): Promise<Answer> =>
    site.operator('POST', `/v1/holds/${String(hold)}/settle`, { amount }, { 'idempotency-key': name });
  const balanceOf = async (sid: string) => (await site.operator('GET', `/v1/billings/${sid}`)).json['credit_balance'];

  test('for less than it holds is a capture', async () => {
    const { sid } = await site.wallet(1_000);
    const hold = await reserve(sid, '5');
    expect((await settle(hold, '3.25')).json).toMatchObject({
      state: 'captured',
      captured: '3.25',
      overage_outcome: 'none',
    });
    expect(await balanceOf(sid)).toBe('6.75');
    expect(codeOf(await settle(hold, '1'))).toBe('state_conflict');
  });

  test('E06 for more than it holds takes the rest from the wallet, down to the limit, and then keeps it as unbilled', async () => {
    const { sid } = await site.wallet(1_000);
    const hold = await reserve(sid, '8');
    const first = await settle(hold, '13', 'e06');
    expect(first.json).toMatchObject({ captured: '8.00', overage: '5.00', overage_outcome: 'charged' });
    expect(await balanceOf(sid)).toBe('-3.00');
    const again = await settle(hold, '13', 'e06');
    expect([again.text, again.headers.get('idempotency-hit')]).toEqual([first.text, 'true']);
    const body = { wallet_sid: sid, amount: '0.01', description: 'one more' };
    expect((await site.operator('POST', '/v1/holds', body, { 'idempotency-key': 'e06-next' })).status).toBe(402);
    await site.operator('POST', '/admin/balance-adjust', { sid, balance_cents: 200 });
    const second = await reserve(sid, '2');
    expect((await settle(second, '7.01')).json).toMatchObject({
      captured: '2.00',
      overage: '5.01',
      overage_outcome: 'unbilled',
    });
    expect(await balanceOf(sid)).toBe('0.00');
    expect(itemsOf(await site.operator('GET', `/v1/usage/unbilled?wallet_sid=${sid}`))).toMatchObject([
      { amount: '5.01' },
    ]);
    expect(site.ports.log.lines.filter(({ message }) => message === 'a call cost more than its hold')).toHaveLength(2);
  });

  test('E05 after its time, for more than it held, is owed as well', async () => {
    const { sid } = await site.wallet(1_000);
    const hold = await reserve(sid, '4');
    await site.ports.clock.advance(2 * 3_600_000);
    expect((await settle(hold, '6')).json).toMatchObject({
      state: 'captured_late',
      overage: '2.00',
      overage_outcome: 'charged',
    });
    expect(await balanceOf(sid)).toBe('4.00');
  });
});
