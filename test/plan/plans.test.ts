import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { billingFreeze } from '../../src/operations/billing/freeze.ts';
import { billingGet } from '../../src/operations/billing/get.ts';
import { billingStatement } from '../../src/operations/billing/statement.ts';
import { planBuy } from '../../src/operations/plan/buy.ts';
import { planCreate } from '../../src/operations/plan/create.ts';
import { planList } from '../../src/operations/plan/list.ts';
import { planQuote } from '../../src/operations/plan/quote.ts';
import { planWithdraw } from '../../src/operations/plan/withdraw.ts';
import { subscriptionCancel } from '../../src/operations/subscription/cancel.ts';
import { subscriptionChange } from '../../src/operations/subscription/change.ts';
import { subscriptionEnd } from '../../src/operations/subscription/end-now.ts';
import { subscriptionList } from '../../src/operations/subscription/list.ts';
import { renewDue } from '../../src/operations/subscription/renew.ts';
import { subscriptionResume } from '../../src/operations/subscription/resume.ts';
import { listEvents } from '../../src/store/event.ts';
import type { WalletRow } from '../../src/store/wallet.ts';
import { DAY_MS, ownerOf, planStory, type PlanStory } from './plan-story.ts';

let told: PlanStory;
beforeAll(async () => {
  told = await planStory(11);
});
afterEach(() => told.sound());
afterAll(() => told.close());

async function eventsOf({ userSid }: WalletRow): Promise<string[]> {
  const page = { before: null, owners: [userSid], type: null, limit: 50 };
  return (await listEvents(told.database.db, page)).map(({ type }) => type).toReversed();
}

describe('buying a plan', () => {
  it('takes the price, begins a period, and shows in the wallet', async () => {
    const wallet = await told.wallet(25n);
    const { status, json } = await told.call(planBuy, { plan: 'vm-5' }, ownerOf(wallet));
    expect([status, json['paid'], json['credit_balance']]).toEqual([201, '10.00', '15.00']);
    const ends = new Date(told.ports.clock.now().getTime() + 30 * DAY_MS).toISOString();
    expect(json['subscription']).toMatchObject({ state: 'active', plan: 'vm-5', vm_total: 5, period_ends_at: ends });
    const billing = await told.call(billingGet, { sid: wallet.sid });
    expect(billing.json).toMatchObject({ current_plan_id: 'vm-5', vm_quota_total: 5, vm_quota_period_end: ends });
    const { json: page } = await told.call(billingStatement, { sid: wallet.sid }, ownerOf(wallet));
    expect((page['items'] as object[])[0]).toMatchObject({ kind: 'plan', amount: '-10.00', description: '5 VMs' });
    expect(await eventsOf(wallet)).toEqual(['plan.bought']);
  });

  it('sent twice with a key buys once and answers the same', async () => {
    const wallet = await told.wallet(25n);
    const input = { sid: wallet.sid, plan: 'vm-5' };
    const first = await told.call(planBuy, input, undefined, 'twice');
    expect(await told.call(planBuy, input, undefined, 'twice')).toEqual(first);
    expect(await told.balance(wallet)).toBe('15.00');
  });

  it('says what is missing, and moves nothing', async () => {
    const wallet = await told.wallet(4n);
    const { status, json } = await told.call(planBuy, { sid: wallet.sid, plan: 'vm-5' });
    expect([status, json['code'], json['details']]).toEqual([
      402,
      'insufficient_balance',
      { amount: '10.00', available: '4.00', missing: '6.00' },
    ]);
    expect(await told.balance(wallet)).toBe('4.00');
  });

  it('refuses a second one, and says until when the first counts', async () => {
    const wallet = await told.wallet(50n);
    const row = await told.buy(wallet);
    const { status, json } = await told.call(planBuy, { sid: wallet.sid, plan: 'vm-10' });
    expect([status, json['code']]).toEqual([409, 'state_conflict']);
    expect(json['details']).toMatchObject({ plan: 'vm-5', period_ends_at: row.periodEndsAt.toISOString() });
  });

  it('ten at once buy one', async () => {
    const wallet = await told.wallet(500n);
    const input = { sid: wallet.sid, plan: 'vm-5' };
    const answers = await Promise.all(Array.from({ length: 10 }, () => told.call(planBuy, input)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(await told.balance(wallet)).toBe('490.00');
  });

  it('refuses a frozen wallet, an unknown plan, and somebody else’s wallet', async () => {
    const [wallet, other] = [await told.wallet(50n), await told.wallet(0n)];
    expect((await told.call(planBuy, { sid: wallet.sid, plan: 'vm-7' })).json['code']).toBe('not_found');
    expect((await told.call(planBuy, { sid: wallet.sid, plan: 'vm-5' }, ownerOf(other))).status).toBe(404);
    await told.call(billingFreeze, { sid: wallet.sid, is_frozen: true, reason: 'a question' });
    const { status, json } = await told.call(planBuy, { sid: wallet.sid, plan: 'vm-5' });
    expect([status, json['code']]).toEqual([403, 'wallet_frozen']);
  });

  it('holds a quote until something changes, and refuses a changed or forged one', async () => {
    const wallet = await told.wallet(60n);
    await told.call(planCreate, { code: 'quoted', name: 'Quoted', price: '10.00', vm_count: 1, vm_size: 'small' });
    const { json: quote } = await told.call(planQuote, { plan: 'quoted' }, ownerOf(wallet));
    expect(quote).toMatchObject({ kind: 'buy', total: '10.00', credit_balance_after: '50.00', suffices: true });
    await told.ports.clock.advance(60_000);
    await told.call(planCreate, { code: 'quoted', name: 'Quoted', price: '12.00', vm_count: 1, vm_size: 'small' });
    const input = { sid: wallet.sid, plan: 'quoted', quote: quote['token'] };
    const changed = await told.call(planBuy, input);
    expect([changed.status, changed.json['code'], changed.json['details']]).toEqual([
      409,
      'quote_changed',
      { quoted: '10.00', now: '12.00' },
    ]);
    const forged = await told.call(planBuy, { ...input, quote: `${String(quote['token']).slice(0, -1)}_` });
    expect([forged.status, forged.json['code']]).toEqual([400, 'invalid_request']);
    const { json: fresh } = await told.call(planQuote, { plan: 'quoted' }, ownerOf(wallet));
    await told.ports.clock.advance(15 * 60_000);
    const late = await told.call(planBuy, { ...input, quote: fresh['token'] });
    expect([late.status, late.json['code']]).toEqual([409, 'quote_changed']);
    const { json: last } = await told.call(planQuote, { plan: 'quoted' }, ownerOf(wallet));
    expect((await told.call(planBuy, { ...input, quote: last['token'] })).json['paid']).toBe('12.00');
  });
});

describe('plans for sale', () => {
  it('are versions: a later one counts for who buys and renews from then on, and the end of selling for who buys', async () => {
    const wallet = await told.wallet(50n);
    const plan = { code: 'dated', name: 'Dated', price: '3.00', period_count: 10, vm_count: 2, vm_size: 'small' };
    await told.call(planCreate, plan);
    const row = await told.buy(wallet, 'dated');
    const later = new Date(told.ports.clock.now().getTime() + DAY_MS).toISOString();
    const { json } = await told.call(planCreate, { ...plan, price: '4.00', active_from: later });
    expect(json).toMatchObject({ version: 2, price: '4.00' });
    expect((await told.call(planWithdraw, { code: 'dated' })).json['code']).toBe('state_conflict');
    await told.at(row.periodEndsAt);
    await renewDue(told.house);
    expect(await told.balance(wallet)).toBe('43.00');
    expect((await told.call(planWithdraw, { code: 'dated' })).json).toMatchObject({ version: 3, is_for_sale: false });
    const other = await told.wallet(50n);
    expect((await told.call(planBuy, { sid: other.sid, plan: 'dated' })).json['code']).toBe('state_conflict');
    const { json: shown } = await told.call(planList, {}, ownerOf(other));
    expect((shown['items'] as { code: string }[]).map(({ code }) => code)).not.toContain('dated');
    await told.at((await told.again(row)).periodEndsAt);
    await renewDue(told.house);
    expect(await told.balance(wallet)).toBe('39.00');
    const { json: all } = await told.call(planList, { is_all: true, code: 'dated' });
    expect((all['items'] as { version: number }[]).map(({ version }) => version)).toEqual([3, 2, 1]);
    const past = await told.call(planCreate, { ...plan, active_from: '2026-01-01T00:00:00Z' });
    expect([past.status, past.json['code']]).toEqual([400, 'invalid_request']);
  });
});

describe('changing a plan', () => {
  it('to more is had at once, for what is left of the period, to the millisecond', async () => {
    const wallet = await told.wallet(50n);
    const row = await told.buy(wallet);
    await told.ports.clock.advance(10 * DAY_MS + 1);
    const { json: quote } = await told.call(planQuote, { plan: 'vm-10' }, ownerOf(wallet));
    const left = 20 * DAY_MS - 1;
    expect(quote).toMatchObject({ kind: 'change_at_once', total: '6.666666', credit_balance_after: '33.333334' });
    expect(quote['lines']).toMatchObject([
      { what: 'unused', plan: 'vm-5', amount: '-6.666667', ms_left: left, ms_whole: 30 * DAY_MS },
      { what: 'rest', plan: 'vm-10', amount: '13.333333', ms_left: left, ms_whole: 30 * DAY_MS },
    ]);
    const input = { sid: row.sid, plan: 'vm-10', quote: quote['token'] };
    const { status, json } = await told.call(subscriptionChange, input, ownerOf(wallet));
    expect([status, json['kind'], json['paid']]).toEqual([200, 'at_once', '6.666666']);
    expect(json['subscription']).toMatchObject({
      plan: 'vm-10',
      vm_total: 10,
      period_ends_at: row.periodEndsAt.toISOString(),
    });
    const again = await told.call(subscriptionChange, { ...input, plan: 'vm-10' }, ownerOf(wallet));
    expect(again.json['code']).toBe('state_conflict');
    await told.at(row.periodEndsAt);
    await renewDue(told.house);
    expect(await told.balance(wallet)).toBe('13.333334');
  });

  it('to less waits for the end of the period, and can be taken back until then', async () => {
    const wallet = await told.wallet(60n);
    const row = await told.buy(wallet, 'vm-10');
    const less = await told.call(subscriptionChange, { sid: row.sid, plan: 'vm-5' });
    expect(less.json).toMatchObject({ kind: 'at_period_end', paid: '0.00', subscription: { next_plan: 'vm-5' } });
    const back = await told.call(subscriptionChange, { sid: row.sid, plan: 'vm-10' });
    expect(back.json).toMatchObject({ subscription: { plan: 'vm-10', next_plan: null } });
    await told.call(subscriptionChange, { sid: row.sid, plan: 'vm-5' });
    await told.at(row.periodEndsAt);
    await renewDue(told.house);
    const after = await told.again(row);
    expect([after.planCode, after.plan.vmCount, after.nextPlanCode]).toEqual(['vm-5', 5, null]);
    expect(await told.balance(wallet)).toBe('30.00');
    expect((await eventsOf(wallet)).slice(-2)).toEqual(['plan.changed', 'plan.renewed']);
  });

  it('H02 to other periods begins them at the boundary, and their anchor is that', async () => {
    const wallet = await told.wallet(60n);
    const monthly = { code: 'monthly', name: 'Monthly', price: '5.00', period_unit: 'month', period_count: 1 };
    await told.call(planCreate, { ...monthly, vm_count: 5, vm_size: 'small' });
    const row = await told.buy(wallet, 'vm-5');
    await told.call(subscriptionChange, { sid: row.sid, plan: 'monthly' });
    await told.at(row.periodEndsAt);
    await renewDue(told.house);
    const first = await told.again(row);
    await told.at(first.periodEndsAt);
    await renewDue(told.house);
    const second = await told.again(row);
    expect([first.anchorAt, first.anchorNumber, second.periodNumber]).toEqual([row.periodEndsAt, 1, 2]);
    expect(second.periodEndsAt.getUTCDate()).toBe(row.periodEndsAt.getUTCDate());
  });

  it('while the next period is due takes the smaller plan that the wallet can pay', async () => {
    const wallet = await told.wallet(30n);
    const row = await told.buy(wallet, 'vm-10');
    await told.at(row.periodEndsAt);
    await renewDue(told.house);
    const { json } = await told.call(subscriptionChange, { sid: row.sid, plan: 'vm-5' });
    expect(json['subscription']).toMatchObject({ state: 'active', plan: 'vm-5' });
    expect(await told.balance(wallet)).toBe('0.00');
  });

  it('while the next period is due, and back again, leaves what its own plan costs due, and pays it', async () => {
    const wallet = await told.wallet(18n);
    const row = await told.buy(wallet);
    await told.at(row.periodEndsAt);
    await renewDue(told.house);
    await told.call(subscriptionChange, { sid: row.sid, plan: 'vm-10' });
    expect((await told.again(row)).dueAmount).toBe(20_000_000n);
    await told.fund(wallet, 3n);
    const { json } = await told.call(subscriptionChange, { sid: row.sid, plan: 'vm-5' });
    expect(json['subscription']).toMatchObject({ state: 'active', plan: 'vm-5', due: null });
    expect(await told.balance(wallet)).toBe('1.00');
  });
});

describe('ending a plan', () => {
  it('by its user is at the end of the period, unless they resume it', async () => {
    const wallet = await told.wallet(60n);
    const row = await told.buy(wallet);
    const cancelled = await told.call(subscriptionCancel, { sid: row.sid }, ownerOf(wallet));
    expect(cancelled.json).toMatchObject({ state: 'active', is_renewing: false });
    expect((await told.call(subscriptionChange, { sid: row.sid, plan: 'vm-10' })).json['code']).toBe('state_conflict');
    await told.call(subscriptionResume, { sid: row.sid }, ownerOf(wallet));
    await told.at(row.periodEndsAt);
    await renewDue(told.house);
    expect(await told.balance(wallet)).toBe('40.00');
    await told.call(subscriptionCancel, { sid: row.sid }, ownerOf(wallet));
    await told.at((await told.again(row)).periodEndsAt);
    await renewDue(told.house);
    const ended = await told.again(row);
    expect(ended).toMatchObject({ state: 'ended', endReason: 'cancelled', endedAt: ended.periodEndsAt });
    expect((await told.call(subscriptionResume, { sid: row.sid })).json['code']).toBe('state_conflict');
    expect((await told.buy(wallet)).sid).not.toBe(row.sid);
    const { json } = await told.call(subscriptionList, { wallet_sid: wallet.sid }, ownerOf(wallet));
    expect((json['items'] as { state: string }[]).map(({ state }) => state)).toEqual(['active', 'ended']);
  });

  it('that is past due ends at once', async () => {
    const wallet = await told.wallet(10n);
    const row = await told.buy(wallet);
    await told.at(row.periodEndsAt);
    await renewDue(told.house);
    const { json } = await told.call(subscriptionCancel, { sid: row.sid }, ownerOf(wallet));
    expect(json).toMatchObject({ state: 'ended', end_reason: 'cancelled' });
  });

  it('by an operator is now, and told', async () => {
    const wallet = await told.wallet(10n);
    const row = await told.buy(wallet);
    const { json } = await told.call(subscriptionEnd, { sid: row.sid, reason: 'abuse' });
    expect(json).toMatchObject({ state: 'ended', end_reason: 'operator' });
    expect((await told.call(subscriptionEnd, { sid: row.sid, reason: 'abuse' })).json['state']).toBe('ended');
    expect(await eventsOf(wallet)).toEqual(['plan.bought', 'plan.ended']);
  });
});
