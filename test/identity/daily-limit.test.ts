import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildHttp } from '../../src/http/app.ts';
import { ADMIN_SECRET, answerOf, refusalOf, testSite, type Answer, type TestSite } from '../transport/site.ts';
import { openProcess, post } from '../usage/reporting.ts';
import { signIn, type Person } from './people.ts';

const DOLLAR = 1_000_000n;

let site: TestSite;
beforeAll(async () => {
  site = await testSite({ settings: { financeDailyLimit: 100n * DOLLAR } });
});
afterAll(() => site.close());

let names = 0;
const finance = (): Promise<Person> => signIn(site, `finance ${(names += 1)}`, 'finance');
let keys = 0;
const ask = (by: Person, path: string, body: unknown, key = `limit-${(keys += 1)}`): Promise<Answer> =>
  site.call('POST', path, { body, headers: { ...by.headers, 'idempotency-key': key } });
const adjust = (by: Person, sid: string, cents: number): Promise<Answer> =>
  ask(by, '/admin/balance-adjust', { sid, balance_cents: cents });
const debit = (by: Person, sid: string, amount: string, key?: string): Promise<Answer> =>
  ask(by, `/v1/billings/${sid}/debits`, { amount, description: 'x' }, key);
const balanceOf = async (sid: string): Promise<unknown> =>
  (await site.operator('GET', `/v1/billings/${sid}`)).json['credit_balance'];

describe('what a finance operator moves in a day', () => {
  test('is counted whichever way it goes, and refused above the limit with what is used; nothing of it stays', async () => {
    const [by, { sid }] = [await finance(), await site.wallet(0)];
    expect((await adjust(by, sid, 6_000)).status).toBe(200);
    expect((await adjust(by, sid, 3_000)).status).toBe(200);
    const refused = await adjust(by, sid, 5_000);
    expect(refusalOf(refused)).toBe('422 amount_out_of_range');
    expect(refused.json['details']).toEqual({ limit: '100.00', used: '90.00' });
    expect(await balanceOf(sid)).toBe('30.00');
    const audit = await site.operator('GET', `/v1/audit-events?subject=${sid}`);
    expect(audit.json['items']).toHaveLength(2);
    expect((await adjust(by, sid, 4_000)).status).toBe(200);
    expect((await adjust(by, sid, 4_001)).status).toBe(422);
  });

  test('counts debits, which then are answered as ever: a repeated key moves and counts nothing', async () => {
    const [by, { sid }] = [await finance(), await site.wallet(50_000)];
    const first = await debit(by, sid, '80.00', 'limit-once');
    expect(first.status).toBe(200);
    for (const again of [await debit(by, sid, '80.00', 'limit-once'), await debit(by, sid, '80.00', 'limit-once')]) {
      expect(again.text).toBe(first.text);
      expect(again.headers.get('idempotency-hit')).toBe('true');
    }
    expect(refusalOf(await debit(by, sid, '20.01', 'limit-late'))).toBe('422 amount_out_of_range');
    expect((await debit(by, sid, '20.00')).status).toBe(200);
    expect(await balanceOf(sid)).toBe('400.00');
  });

  test('of a refused call keeps no answer for its key: tomorrow the same call passes', async () => {
    const [by, { sid }] = [await finance(), await site.wallet(50_000)];
    const move = (who: Person): Promise<Answer> =>
      ask(who, '/v1/holds', { wallet_sid: sid, amount: '150.00', description: 'x' }, 'limit-hold');
    const hold = await move(by);
    const capture = (who: Person, amount: string): Promise<Answer> =>
      ask(who, `/v1/holds/${String(hold.json['sid'])}/capture`, { amount }, 'limit-capture');
    expect((await adjust(by, sid, 44_000)).status).toBe(200);
    expect(refusalOf(await capture(by, '50.00'))).toBe('422 amount_out_of_range');
    site.ports.clock.advance(13 * 3_600_000);
    const tomorrow = await signIn(site, `finance ${names}`, 'finance');
    expect((await capture(tomorrow, '50.00')).json).toMatchObject({ captured: '50.00' });
  });

  test('counts a line that is taken back, and its preview says no as well', async () => {
    const [by, wallet] = [await finance(), await site.wallet(50_000)];
    const node = await site.node();
    const record = {
      idempotency_key: 'x',
      user_sid: wallet.userSid,
      applies_to: 'hero_os_hourly',
      resource_kind: 'small',
    };
    const occurredAt = site.ports.clock.now().toISOString();
    const records = [{ ...record, quantity: '10', occurred_at: occurredAt }];
    expect((await site.call('POST', '/v1/usage', { body: { records }, headers: node.headers })).status).toBe(200);
    expect((await adjust(by, wallet.sid, 39_950)).status).toBe(200);
    const { items } = (await site.operator('GET', `/v1/billings/${wallet.sid}/statement`)).json as {
      items: { seq: number; kind: string }[];
    };
    const line = items.find(({ kind }) => kind === 'usage');
    const take = (isDryRun: boolean): Promise<Answer> =>
      ask(by, `/v1/billings/${wallet.sid}/statement/${line?.seq}/void`, { reason: 'x', dry_run: isDryRun });
    for (const isDryRun of [true, false]) expect(refusalOf(await take(isDryRun))).toBe('422 amount_out_of_range');
    const correction = { kind: 'void', reason: 'x', wallet_sid: wallet.sid };
    expect(refusalOf(await ask(by, '/v1/corrections', correction))).toBe('422 amount_out_of_range');
    expect((await site.operator('POST', '/v1/corrections', correction)).status).toBe(201);
    const reverse = { reason: 'x', confirm: true };
    expect(refusalOf(await ask(by, `/v1/nodes/${node.sid}/reverse`, reverse))).toBe('422 amount_out_of_range');
  });

  test('of two at once, in two processes, that fit alone and not together, passes once', async () => {
    const [by, one, two] = [await finance(), await site.wallet(50_000), await site.wallet(50_000)];
    const other = openProcess(site);
    const headers = (key: string): Record<string, string> => ({ ...by.headers, 'idempotency-key': key });
    const body = { amount: '60.00', description: 'x' };
    for (let round = 0; round < 4; round += 1) {
      const answers = await Promise.all([
        post(site.app, `/v1/billings/${one.sid}/debits`, body, headers(`race-a${round}`)),
        post(other.app, `/v1/billings/${two.sid}/debits`, body, headers(`race-b${round}`)),
        post(site.app, '/admin/balance-adjust', { sid: two.sid, balance_cents: 99_000 }, headers(`race-c${round}`)),
      ]);
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(round === 0 ? 1 : 0);
    }
    await other.lanes.close();
  });

  test('has no limit for admins, for the secret, for others than finance, and where none is set', async () => {
    const [admin, { sid }] = [await signIn(site, 'An admin', 'admin'), await site.wallet(0)];
    expect((await adjust(admin, sid, 50_000)).status).toBe(200);
    expect((await site.operator('POST', '/admin/balance-adjust', { sid, balance_cents: 0 })).status).toBe(200);
    const open = { ...site.house, settings: { ...site.house.settings, financeDailyLimit: null } };
    const app = buildHttp(open, {
      adminSecrets: [{ id: 'adm_1', secret: ADMIN_SECRET }],
      ping: () => Promise.resolve(),
    });
    const by = await finance();
    const request = {
      method: 'POST',
      body: JSON.stringify({ sid, balance_cents: 90_000 }),
      headers: { ...by.headers, 'content-type': 'application/json' },
    };
    expect((await answerOf(await app.request('/admin/balance-adjust', request))).status).toBe(200);
  });
});
