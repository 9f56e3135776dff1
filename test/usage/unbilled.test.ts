import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { billAll } from '../../src/operations/usage/bill-wallet.ts';
import { codeOf, testSite, type Answer, type TestSite } from '../transport/site.ts';
import { closeSound, HOUR_MS, itemsOf, outcomesOf, reporting, type Node, type Reporting } from './reporting.ts';

let site: TestSite;
let usage: Reporting['usage'];
let report: Reporting['report'];
beforeAll(async () => {
  site = await testSite();
  ({ usage, report } = reporting(site));
});
afterAll(() => closeSound(site));

const balanceOf = async (sid: string) => (await site.operator('GET', `/v1/billings/${sid}`)).json['credit_balance'];
const fund = (sid: string, cents: number) =>
  site.operator('POST', '/admin/balance-adjust', { sid, balance_cents: cents });
const bill = (body: object): Promise<Answer> => site.operator('POST', '/v1/usage/unbilled/bill', body);
const writeOff = (id: unknown, reason = 'goodwill'): Promise<Answer> =>
  site.operator('POST', '/v1/usage/unbilled/write-off', { id, reason });
const list = async (sid: string, more = '') =>
  itemsOf(await site.operator('GET', `/v1/usage/unbilled?wallet_sid=${sid}${more}`));
const statesOf = async (sid: string) =>
  (await list(sid)).map(({ amount, state }) => `${String(amount)} ${String(state)}`);

/** A wallet that owes, one after the other, for so many hours that were not billed. */
async function unbilled(
  hours: readonly number[],
): Promise<{ node: Node; sid: string; records: Record<string, unknown>[] }> {
  const node = await site.node({ hour_max: '1000000' });
  const { sid, userSid } = await site.wallet(0);
  const records: Record<string, unknown>[] = [];
  for (const hour of hours) {
    const record = usage(userSid, { quantity: `${hour}` });
    records.push(record);
    expect(outcomesOf(await report(node, [record]))).toEqual(['insufficient_balance']);
    await site.ports.clock.advance(1_000);
  }
  return { node, sid, records };
}

describe('usage that was not billed', () => {
  test('is billed when the wallet can pay, the oldest first, of its own day, and once', async () => {
    const { node, sid, records } = await unbilled([50, 60, 70]);
    await site.ports.clock.advance(48 * HOUR_MS);
    await fund(sid, 1_210);
    const answers = await Promise.all([bill({ wallet_sid: sid }), bill({ wallet_sid: sid })]);
    expect(new Set(answers.map(({ json }) => json['records']))).toEqual(new Set([0, 2]));
    expect(await balanceOf(sid)).toBe('0.00');
    expect(await statesOf(sid)).toEqual(['7.70 open', '6.60 billed', '5.50 billed']);
    expect((await bill({ wallet_sid: sid })).json).toEqual({
      records: 0,
      charged: '0.00',
      credit_balance: '0.00',
      is_complete: false,
    });
    const [line] = itemsOf(await site.operator('GET', `/v1/billings/${sid}/statement`));
    expect(line).toMatchObject({ kind: 'usage', amount: '-6.60', occurred_at: records[1]?.['occurred_at'] });
    expect(
      (await site.operator('GET', `/v1/billings/${sid}/statement/${String(line?.['seq'])}/explanation`)).json,
    ).toMatchObject({
      is_proved: true,
    });
    expect(itemsOf(await site.operator('GET', `/v1/billings/${sid}/usage?by=day`))).toMatchObject([
      { key: String(records[0]?.['occurred_at']).slice(0, 10), records: 2, charge: '12.10' },
    ]);
    // E15: its own key stays declined.
    expect(itemsOf(await report(node, records.slice(0, 1)))).toMatchObject([
      { outcome: 'unbilled', is_repeated: true },
    ]);
    expect(await balanceOf(sid)).toBe('0.00');
    expect(await list(sid, '&state=open')).toHaveLength(1);
    const audit = itemsOf(await site.operator('GET', `/v1/audit-events?subject=${sid}`));
    expect(audit.filter(({ action }) => action === 'usage.bill-unbilled')).toMatchObject([
      { actor: 'admin:adm_1', after: { records: 2, charged: '12.10' } },
    ]);
  });

  test('is billed by the house itself once there are funds, and not while the wallet is frozen', async () => {
    const { sid } = await unbilled([50]);
    await billAll(site.house);
    expect(await statesOf(sid)).toEqual(['5.50 open']);
    await fund(sid, 1_000);
    await site.operator('POST', `/v1/billings/${sid}/freeze`, { is_frozen: true, reason: 'a dispute' });
    await billAll(site.house);
    expect(codeOf(await bill({ wallet_sid: sid }))).toBe('wallet_frozen');
    expect(await balanceOf(sid)).toBe('10.00');
    await site.operator('POST', `/v1/billings/${sid}/freeze`, { is_frozen: false, reason: 'it is over' });
    await Promise.all([billAll(site.house), billAll(site.house), bill({ wallet_sid: sid })]);
    expect([await balanceOf(sid), await statesOf(sid)]).toEqual(['4.50', ['5.50 billed']]);
  });

  test('is billed record by record when asked so, and what does not fit is refused', async () => {
    const { sid } = await unbilled([90, 60]);
    const [small, large] = await list(sid);
    await fund(sid, 700);
    expect(codeOf(await bill({ id: large?.['id'] }))).toBe('insufficient_balance');
    expect((await bill({ wallet_sid: sid })).json).toMatchObject({ records: 0, is_complete: false });
    const twice = [await bill({ id: small?.['id'] }), await bill({ id: small?.['id'] })];
    expect(twice.map(({ json }) => [json['records'], json['credit_balance'], json['is_complete']])).toEqual([
      [1, '0.40', true],
      [0, '0.40', true],
    ]);
    expect(codeOf(await bill({ id: '00000000-0000-0000-0000-000000000000' }))).toBe('not_found');
    expect(codeOf(await bill({ wallet_sid: '01JD9ZQ4T2V6M0F8K3A5B7C9D1' }))).toBe('not_found');
    expect(codeOf(await bill({}))).toBe('invalid_request');
    expect(codeOf(await bill({ id: small?.['id'], wallet_sid: sid }))).toBe('invalid_request');
  });

  test('is written off with a reason, once and for good, and no money moves', async () => {
    const { sid } = await unbilled([50, 60]);
    const [newer, older] = await list(sid);
    const first = await writeOff(older?.['id'], 'the VM never started');
    expect(first.json).toMatchObject({ state: 'written_off', reason: 'the VM never started', amount: '5.50' });
    expect((await writeOff(older?.['id'], 'again')).json).toEqual(first.json);
    await fund(sid, 2_000);
    expect(codeOf(await bill({ id: older?.['id'] }))).toBe('state_conflict');
    expect((await bill({ wallet_sid: sid })).json).toMatchObject({ records: 1, charged: '6.60', is_complete: true });
    expect(codeOf(await writeOff(newer?.['id']))).toBe('state_conflict');
    expect(codeOf(await writeOff('00000000-0000-0000-0000-000000000000'))).toBe('not_found');
    expect(await balanceOf(sid)).toBe('13.40');
    const audit = itemsOf(await site.operator('GET', `/v1/audit-events?subject=${sid}`));
    expect(audit.filter(({ action }) => action === 'usage.write-off')).toMatchObject([
      { reason: 'the VM never started', after: { state: 'written_off', amount: '5.50' } },
    ]);
  });

  test('a correction of it is billed as what its line comes to then; a record that was written off takes no more', async () => {
    const node = await site.node();
    const { sid, userSid } = await site.wallet(0);
    const first = usage(userSid, { quantity: '10' });
    const corrected = (quantity: string) => usage(userSid, { quantity, corrects: first['idempotency_key'] });
    expect(outcomesOf(await report(node, [first, corrected('60')]))).toEqual(['applied', 'insufficient_balance']);
    expect(await statesOf(sid)).toEqual(['5.50 open']);
    await fund(sid, 1_000);
    expect((await bill({ wallet_sid: sid })).json).toMatchObject({
      records: 1,
      charged: '5.50',
      credit_balance: '4.50',
    });
    expect(outcomesOf(await report(node, [corrected('1')]))).toEqual(['applied']);
    expect(await balanceOf(sid)).toBe('10.99');
    const { json } = await site.operator('GET', `/v1/billings/${sid}/statement/1/explanation`);
    expect(json).toMatchObject({ stands: '0.11', corrections: [{ charge: '5.50' }, { charge: '-6.49' }] });
    const forgiven = usage(userSid, { quantity: '200' });
    await report(node, [forgiven]);
    await writeOff((await list(sid, '&state=open'))[0]?.['id']);
    const late = usage(userSid, { quantity: '1', corrects: forgiven['idempotency_key'] });
    expect(outcomesOf(await report(node, [late]))).toEqual(['state_conflict']);
  });

  test('is no business of users and nodes', async () => {
    const { node, sid } = await unbilled([50]);
    const [item] = await list(sid);
    for (const [path, body] of [
      ['bill', { wallet_sid: sid }],
      ['write-off', { id: item?.['id'], reason: 'x' }],
    ] as const) {
      const answers = [{}, node.headers].map((headers) =>
        site.call('POST', `/v1/usage/unbilled/${path}`, { body, headers }),
      );
      expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([401, 403]);
    }
  });
});
