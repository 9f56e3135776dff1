import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { billingAdjust } from '../../src/operations/billing/adjust.ts';
import { billingDebit } from '../../src/operations/billing/debit.ts';
import { expireGrants } from '../../src/operations/grant/expire.ts';
import { grantGive } from '../../src/operations/grant/give.ts';
import { grantRevoke } from '../../src/operations/grant/revoke.ts';
import { holdReserve } from '../../src/operations/hold/reserve.ts';
import type { Operation } from '../../src/operations/operation.ts';
import { reportDownloadLiability } from '../../src/operations/report/download-liability.ts';
import { reportLiability, type LiabilityReport } from '../../src/operations/report/liability.ts';
import { parseDecimal } from '../../src/domain/money.ts';
import { ensureSystemAccount } from '../../src/store/ledger.ts';
import { post, posting } from '../support/ledger.ts';
import { dispute } from '../support/paper-dispute.ts';
import { OPERATOR, paymentStory, type PaymentStory } from '../support/payment-story.ts';
import { codeOf, look } from '../support/refund-story.ts';
import { newcomer } from './newcomer.ts';

const DAY_MS = 86_400_000;

let told: PaymentStory;
/** The instants that are asked about, and what was owed then, kept while it was the present. */
const moments: { readonly at: Date; readonly report: LiabilityReport; readonly owed: bigint }[] = [];

async function done(operation: Operation, input: unknown, key = `key-${told.ports.ids.sid()}`): Promise<string> {
  const reply = await told.run(operation, input, { actor: OPERATOR, key });
  if (reply.status >= 300) throw new Error(`${operation.name}: ${reply.status} ${reply.body}`);
  return String((JSON.parse(reply.body) as { readonly sid: unknown }).sid);
}

async function reportAt(at?: Date): Promise<LiabilityReport> {
  const reply = await told.run(reportLiability, at === undefined ? {} : { at: at.toISOString() }, { actor: OPERATOR });
  if (reply.status !== 200) throw new Error(reply.body);
  return JSON.parse(reply.body) as LiabilityReport;
}

/** What all live accounts hold, by the rows that keep the balances: another way than the report's. */
async function owedNow(): Promise<bigint> {
  const text = 'select coalesce(sum(balance), 0)::int8 as sum from account';
  const [row] = await told.database.owner.query<{ sum: bigint }>({ name: 'test.owed', text });
  return row?.sum ?? 0n;
}

async function remember(): Promise<void> {
  moments.push({ at: told.ports.clock.now(), report: await reportAt(), owed: await owedNow() });
  await told.ports.clock.advance(1);
}

const signed = (text: string): bigint =>
  text.startsWith('-') ? -(parseDecimal(text.slice(1)) ?? 0n) : (parseDecimal(text) ?? 0n);

beforeAll(async () => {
  told = await paymentStory({ settings: { openPaymentsMax: 100, disputeFreeze: 'amount' } });
  const { clock } = told.ports;
  const give = (walletSid: string, amount: string, kind: string, days?: number) =>
    done(grantGive, {
      wallet_sid: walletSid,
      amount,
      kind,
      reason: 'x',
      ...(days !== undefined && { expires_at: new Date(clock.now().getTime() + days * DAY_MS).toISOString() }),
    });
  await remember();
  const [ada, grace, owing] = [await newcomer(told), await newcomer(told), await newcomer(told)];
  const returned = await newcomer(told);
  await ada.pay('100.00');
  await give(ada.wallet.sid, '20.00', 'promo', 40);
  const goodwill = await give(grace.wallet.sid, '7.00', 'goodwill');
  await remember();
  await clock.advance(35 * DAY_MS);
  await ada.pay('50.00');
  await done(billingDebit, { sid: ada.wallet.sid, amount: '8.00', description: 'used' });
  await remember();
  await done(holdReserve, {
    wallet_sid: ada.wallet.sid,
    amount: '5.00',
    description: 'a call',
    expires_in_seconds: 600,
  });
  await done(billingAdjust, { sid: owing.wallet.sid, balance_cents: -300, reason: 'owes' });
  await remember();
  await clock.advance(10 * DAY_MS);
  await expireGrants(told.house);
  await done(grantRevoke, { sid: goodwill, reason: 'x' });
  const bonus = await grace.pay('60.00');
  dispute(told.bank, bonus.sid, { amount: 10_000_000n });
  await look(told, bonus.sid);
  await give(grace.wallet.sid, '3.00', 'bonus', 10);
  await remember();
  await clock.advance(400 * DAY_MS);
  await done(billingDebit, { sid: ada.wallet.sid, amount: '90.00', description: 'used' });
  await remember();
  await ada.pay('40.00');
  await done(billingDebit, { sid: ada.wallet.sid, amount: '20.00', description: 'used' });
  await remember();
  // What a grant had paid comes back, and there is no grant any more for it to go to.
  await told.database.owner.transaction('test.come_back', async (tx) => {
    const contra = await ensureSystemAccount(tx, 'revenue:usage', 'USD');
    await post(tx, told.ports, [posting({ wallet: returned.wallet, amount: 2_000_000n, key: 'back', contra })]);
  });
  await remember();
}, 60_000);
afterAll(() => told.close());

describe('what is owed to customers', () => {
  it('is said as it was at each instant, whatever has happened since', async () => {
    for (const { at, report } of moments) expect(await reportAt(at)).toEqual(report);
    expect(new Set(moments.map(({ report }) => report.total)).size).toBeGreaterThan(4);
  });

  it('is what the accounts hold, and with the house’s own side it is nothing', () => {
    for (const { report, owed } of moments) {
      expect(signed(report.total)).toBe(owed);
      expect(report.difference).toBe('0.00');
    }
  });

  it('is the same by kind and by age', () => {
    for (const { report } of moments) {
      const aged = (kind: string) =>
        report.ages.filter((one) => one.kind === kind).reduce((sum, { amount }) => sum + signed(amount), 0n);
      expect(aged('paid')).toBe(signed(report.paid.amount));
      for (const row of report.given_by_kind) {
        expect(aged(row.kind)).toBe(signed(row.outstanding));
        expect(signed(row.used) + signed(row.expired) + signed(row.revoked) + signed(row.outstanding)).toBe(
          signed(row.given),
        );
      }
      const outstanding = report.given_by_kind.reduce((sum, row) => sum + signed(row.outstanding), 0n);
      expect(outstanding).toBe(signed(report.given.amount));
    }
  });

  it('is nothing at the beginning', () => {
    expect(moments[0]?.report).toMatchObject({
      paid: { amount: '0.00', count: 0 },
      total: '0.00',
      ages: [],
      given_by_kind: [],
    });
  });

  it('tells what was paid apart from what was given, what was spent last as the newest, and who owes', () => {
    expect(moments[2]?.report).toMatchObject({
      paid: { amount: '150.00', count: 1 },
      given: { amount: '19.00', count: 2 },
      total: '169.00',
      ages: [
        { kind: 'goodwill', age: '30_to_90_days', amount: '7.00' },
        { kind: 'paid', age: 'under_30_days', amount: '50.00' },
        { kind: 'paid', age: '30_to_90_days', amount: '100.00' },
        { kind: 'promo', age: '30_to_90_days', amount: '12.00' },
      ],
    });
    expect(moments[3]?.report).toMatchObject({
      owing: { amount: '-3.00', count: 1 },
      reserved: { amount: '5.00', count: 1 },
      given: { amount: '14.00', count: 2 },
    });
  });

  it('tells breakage, what was revoked and what is disputed', () => {
    expect(moments[4]?.report).toMatchObject({
      frozen: { amount: '10.00', count: 1 },
      given: { amount: '3.00', count: 1 },
      given_by_kind: [
        { kind: 'bonus', given: '3.00', outstanding: '3.00' },
        { kind: 'goodwill', given: '7.00', revoked: '7.00', outstanding: '0.00' },
        { kind: 'promo', given: '20.00', used: '13.00', expired: '7.00', outstanding: '0.00' },
      ],
    });
    expect(moments[5]?.report.ages).toEqual([
      { kind: 'bonus', age: 'over_365_days', amount: '3.00' },
      { kind: 'paid', age: 'over_365_days', amount: '110.00' },
    ]);
    expect(moments[6]?.report.ages).toEqual([
      { kind: 'bonus', age: 'over_365_days', amount: '3.00' },
      { kind: 'paid', age: 'under_30_days', amount: '40.00' },
      { kind: 'paid', age: 'over_365_days', amount: '90.00' },
    ]);
    expect(moments[7]?.report.ages).toContainEqual({ kind: 'paid', age: 'under_30_days', amount: '42.00' });
  });

  it('is a file as well, with the same figures and no formula in it', async () => {
    const at = moments[4]?.at ?? new Date(0);
    const reply = await told.run(reportDownloadLiability, { at: at.toISOString() }, { actor: OPERATOR });
    const file = JSON.parse(reply.body) as { readonly file_name: string; readonly content_base64: string };
    expect(file.file_name).toBe(`liability-${at.toISOString().replaceAll(':', '-')}.csv`);
    const [head, ...lines] = Buffer.from(file.content_base64, 'base64').toString().trimEnd().split('\r\n');
    expect(head).toBe('at,currency,section,kind,part,amount,count');
    const rows = lines.map((line) => line.split(',').slice(1).join(','));
    expect(rows).toContain('USD,owed,owing,,-3.00,1');
    expect(rows).toContain('USD,given,promo,expired,7.00,');
    expect(rows).toContain(`USD,owed,total,,${moments[4]?.report.total},`);
    expect(new Set(rows.map((line) => line.split(',').length))).toEqual(new Set([6]));
  });

  it('is not known of the future, is for operators, and the file for those who may take data out', async () => {
    const at = new Date(told.ports.clock.now().getTime() + 1).toISOString();
    expect(codeOf(await told.run(reportLiability, { at }, { actor: OPERATOR }))).toBe('400 invalid_request');
    expect(codeOf(await told.run(reportLiability, {}))).toBe('403 forbidden');
    const support = { kind: 'operator', id: 'operator:x', role: 'support', userSid: null } as const;
    expect((await told.run(reportLiability, {}, { actor: support })).status).toBe(200);
    expect(codeOf(await told.run(reportDownloadLiability, {}, { actor: support }))).toBe('403 forbidden');
    const auditor = { ...support, role: 'auditor' } as const;
    expect((await told.run(reportDownloadLiability, {}, { actor: auditor })).status).toBe(200);
  });
});
