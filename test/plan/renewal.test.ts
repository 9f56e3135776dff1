import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { billingFreeze } from '../../src/operations/billing/freeze.ts';
import { billingStatement } from '../../src/operations/billing/statement.ts';
import { planBuy } from '../../src/operations/plan/buy.ts';
import { planCreate } from '../../src/operations/plan/create.ts';
import { subscriptionCancel } from '../../src/operations/subscription/cancel.ts';
import { subscriptionChange } from '../../src/operations/subscription/change.ts';
import { subscriptionGet } from '../../src/operations/subscription/get.ts';
import { renewDue, renewWallet } from '../../src/operations/subscription/renew.ts';
import { subscriptionResume } from '../../src/operations/subscription/resume.ts';
import { listEvents } from '../../src/store/event.ts';
import type { WalletRow } from '../../src/store/wallet.ts';
import { testPorts } from '../support/ports.ts';
import { DAY_MS, planStory, type PlanStory } from './plan-story.ts';

let told: PlanStory;
beforeAll(async () => {
  told = await planStory(12);
});
afterEach(() => told.sound());
afterAll(() => told.close());

async function eventsOf({ userSid }: WalletRow): Promise<string[]> {
  const page = { before: null, owners: [userSid], type: null, limit: 50 };
  return (await listEvents(told.database.db, page)).map(({ type }) => type).toReversed();
}

describe('renewal', () => {
  it('happens at the exact end, dated by it, once', async () => {
    const wallet = await told.wallet(50n);
    const row = await told.buy(wallet);
    await told.at(new Date(row.periodEndsAt.getTime() - 1));
    await renewDue(told.house);
    expect((await told.again(row)).periodNumber).toBe(0);
    await told.at(row.periodEndsAt);
    await Promise.all([renewDue(told.house), renewDue(told.another()), renewWallet(told.house, wallet.id)]);
    const after = await told.again(row);
    expect([after.periodNumber, after.periodEndsAt.getTime() - row.periodEndsAt.getTime()]).toEqual([1, 30 * DAY_MS]);
    expect(await told.balance(wallet)).toBe('30.00');
    const { json } = await told.call(billingStatement, { sid: wallet.sid });
    expect((json['items'] as object[])[0]).toMatchObject({
      kind: 'plan',
      occurred_at: row.periodEndsAt.toISOString(),
    });
    expect(await eventsOf(wallet)).toEqual(['plan.bought', 'plan.renews_soon', 'plan.renewed']);
  });

  it('H05 of three days’ missed periods pays one at a time, the oldest first, as far as the money goes', async () => {
    const wallet = await told.wallet(3n);
    await told.call(planCreate, {
      code: 'daily',
      name: 'Daily',
      price: '1.00',
      period_count: 1,
      vm_count: 1,
      vm_size: 'small',
    });
    const row = await told.buy(wallet, 'daily');
    await told.ports.clock.advance(4 * DAY_MS + 1);
    await renewDue(told.house);
    const { json } = await told.call(subscriptionGet, { sid: row.sid });
    const periods = json['periods'] as { number: number; starts_at: string }[];
    expect(periods.map(({ number, starts_at }) => [number, starts_at])).toEqual(
      [2, 1, 0].map((n) => [n, new Date(row.createdAt.getTime() + n * DAY_MS).toISOString()]),
    );
    expect(json).toMatchObject({
      state: 'past_due',
      past_due_since: new Date(row.createdAt.getTime() + 3 * DAY_MS).toISOString(),
    });
  });

  it('H05 leaves missed periods out where the house says so', async () => {
    const wallet = await told.wallet(30n);
    const row = await told.buy(wallet, 'daily');
    await told.ports.clock.advance(3 * DAY_MS + 1);
    await renewDue(told.another({ settings: { planMissedPeriods: 'skip' } }));
    const after = await told.again(row);
    expect([after.periodNumber, await told.balance(wallet)]).toEqual([3, '28.00']);
    expect(after.periodEndsAt.getTime() - row.createdAt.getTime()).toBe(4 * DAY_MS);
  });

  it('that cannot be paid is past due, told once, and paid as soon as there is money', async () => {
    const wallet = await told.wallet(12n);
    const row = await told.buy(wallet);
    await told.at(row.periodEndsAt);
    await renewDue(told.house);
    await renewDue(told.house);
    expect(await told.again(row)).toMatchObject({ state: 'past_due', pastDueSince: row.periodEndsAt });
    const again = await told.call(planBuy, { sid: wallet.sid, plan: 'vm-5' });
    expect(again.json['details']).toMatchObject({ state: 'past_due', due: '10.00' });
    await told.ports.clock.advance(2 * DAY_MS);
    await told.fund(wallet, 8n);
    await renewDue(told.house);
    const after = await told.again(row);
    expect([after.state, after.periodEndsAt.getTime() - row.periodEndsAt.getTime()]).toEqual(['active', 30 * DAY_MS]);
    const events = (await eventsOf(wallet)).filter((type) => type === 'plan.past_due' || type === 'plan.renewed');
    expect(events).toEqual(['plan.past_due', 'plan.renewed']);
    expect(await told.balance(wallet)).toBe('0.00');
  });

  it('that waits for money costs what the period costs that it comes to, when the ones before are over', async () => {
    const offer = { code: 'falling', name: 'Falling', vm_count: 1, vm_size: 'small' };
    await told.call(planCreate, { ...offer, price: '20.00' });
    const wallet = await told.wallet(35n);
    const row = await told.buy(wallet, 'falling');
    const cheaper = new Date(row.periodEndsAt.getTime() + 10 * DAY_MS).toISOString();
    await told.call(planCreate, { ...offer, price: '10.00', active_from: cheaper });
    await told.at(row.periodEndsAt);
    await renewDue(told.house);
    await told.at(new Date(row.periodEndsAt.getTime() + 29 * DAY_MS));
    await renewDue(told.house);
    expect(await told.again(row)).toMatchObject({ state: 'past_due', dueAmount: 20_000_000n });
    await told.at(new Date(row.periodEndsAt.getTime() + 30 * DAY_MS));
    await renewDue(told.house);
    expect(await told.again(row)).toMatchObject({ state: 'active', periodNumber: 2 });
    expect(await told.balance(wallet)).toBe('5.00');
  });

  it('of a frozen wallet waits until it is thawed', async () => {
    const wallet = await told.wallet(30n);
    const row = await told.buy(wallet);
    await told.call(billingFreeze, { sid: wallet.sid, is_frozen: true, reason: 'a question' });
    await told.at(row.periodEndsAt);
    await renewDue(told.house);
    expect((await told.again(row)).state).toBe('past_due');
    await told.call(billingFreeze, { sid: wallet.sid, is_frozen: false, reason: 'answered' });
    await renewDue(told.house);
    expect([(await told.again(row)).state, await told.balance(wallet)]).toEqual(['active', '10.00']);
  });

  it('is told of three days before, once, with whether the wallet can pay it', async () => {
    const wallet = await told.wallet(12n);
    const row = await told.buy(wallet);
    await told.at(new Date(row.periodEndsAt.getTime() - 3 * DAY_MS - 1));
    await renewDue(told.house);
    expect(await eventsOf(wallet)).toEqual(['plan.bought']);
    await told.ports.clock.advance(1);
    await Promise.all([renewDue(told.house), renewDue(told.another())]);
    const page = { before: null, owners: [wallet.userSid], type: 'plan.renews_soon', limit: 5 } as const;
    const events = await listEvents(told.database.db, page);
    expect(events).toHaveLength(1);
    expect(JSON.parse(events[0]?.body ?? '{}')).toMatchObject({
      data: { price: '10.00', available: '2.00', suffices: false, missing: '8.00' },
    });
  });
});

describe('H10 a change at the very millisecond of renewal', () => {
  const orders = ['before', 'after', 'at once'] as const;
  const tried = [
    ['cancel', (sid: string) => told.call(subscriptionCancel, { sid }), { periodNumber: 1, isRenewing: false }],
    [
      'upgrade',
      (sid: string) => told.call(subscriptionChange, { sid, plan: 'vm-10' }),
      { periodNumber: 1, planCode: 'vm-10' },
    ],
    ['resume', (sid: string) => told.call(subscriptionResume, { sid }), { periodNumber: 1, isRenewing: true }],
  ] as const;
  it.each(tried)('%s: whoever comes first, the same comes out', async (_, act, expected) => {
    const balances = new Set<string>();
    for (const order of orders) {
      const wallet = await told.wallet(60n);
      const row = await told.buy(wallet);
      await told.at(row.periodEndsAt);
      if (order === 'before') await act(row.sid);
      if (order === 'at once') await Promise.all([act(row.sid), renewDue(told.house), renewDue(told.another())]);
      else await renewDue(told.house);
      if (order === 'after') await act(row.sid);
      expect(await told.again(row)).toMatchObject(expected);
      balances.add(await told.balance(wallet));
    }
    expect(balances.size).toBe(1);
  });

  it('buying when the one before ends, or resuming it too late: the same comes out', async () => {
    for (const order of orders) {
      const wallet = await told.wallet(60n);
      const row = await told.buy(wallet, 'vm-5', { is_renewing: false });
      await told.at(row.periodEndsAt);
      const buy = () => told.call(planBuy, { sid: wallet.sid, plan: 'vm-10' });
      if (order === 'after') await renewDue(told.house);
      const [bought] = order === 'at once' ? await Promise.all([buy(), renewDue(told.house)]) : [await buy()];
      expect(bought.status).toBe(201);
      expect((await told.call(subscriptionResume, { sid: row.sid })).json['code']).toBe('state_conflict');
      expect([(await told.again(row)).state, await told.balance(wallet)]).toEqual(['ended', '30.00']);
    }
  });
});

describe('H01 a clock that jumps', () => {
  it('a day ahead and back again renews once', async () => {
    const wallet = await told.wallet(60n);
    const row = await told.buy(wallet);
    const before = new Date(row.periodEndsAt.getTime() - 3_600_000);
    await told.at(before);
    told.ports.clock.setWallClock(new Date(before.getTime() + DAY_MS));
    await renewDue(told.house);
    told.ports.clock.setWallClock(before);
    await renewDue(told.house);
    await told.at(new Date(row.periodEndsAt.getTime() + 1));
    await renewDue(told.house);
    expect([(await told.again(row)).periodNumber, await told.balance(wallet)]).toEqual([1, '40.00']);
    // Set back to before the part that it is in: nothing is more than a whole.
    told.ports.clock.setWallClock(before);
    const up = await told.call(subscriptionChange, { sid: row.sid, plan: 'vm-10' });
    expect([up.status, up.json['paid']]).toEqual([200, '10.00']);
  });

  it('a process behind and one ahead of the others pay each period once, and none before its end by their own clock', async () => {
    const wallet = await told.wallet(100n);
    const row = await told.buy(wallet);
    const processes = [-DAY_MS, 0, DAY_MS].map((apart, index) => {
      const ports = testPorts({ seed: 90 + index });
      return { apart, ports, house: told.another({ ports }) };
    });
    const seen: string[] = [];
    // Around the end of two periods, all three at once.
    for (const day of [28, 28.5, 29, 29.5, 30, 31, 58.5, 59, 60, 61]) {
      const now = new Date(row.createdAt.getTime() + day * DAY_MS);
      for (const { apart, ports } of processes) ports.clock.setWallClock(new Date(now.getTime() + apart));
      await Promise.all(processes.map(({ house }) => renewDue(house)));
      const { periodNumber } = await told.again(row);
      if (periodNumber > seen.length) seen.push(`${day} days`);
    }
    // The one that is a day ahead is the first whose clock has come to the end; nobody follows it a second time.
    expect(seen).toEqual(['29 days', '59 days']);
    expect(await told.balance(wallet)).toBe('70.00');
    const { json } = await told.call(subscriptionGet, { sid: row.sid });
    expect(
      (json['periods'] as { number: number; starts_at: string }[]).map(({ number, starts_at: at }) => [number, at]),
    ).toEqual(
      [2, 1, 0].map((number) => [number, new Date(row.createdAt.getTime() + number * 30 * DAY_MS).toISOString()]),
    );
    for (const { house } of processes) await house.lanes.close();
  });
});
