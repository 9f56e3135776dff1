import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { planCreate } from '../../src/operations/plan/create.ts';
import { planQuote } from '../../src/operations/plan/quote.ts';
import { subscriptionChange } from '../../src/operations/subscription/change.ts';
import { subscriptionEnd } from '../../src/operations/subscription/end-now.ts';
import { releaseExcess } from '../../src/operations/subscription/release-excess.ts';
import { renewDue } from '../../src/operations/subscription/renew.ts';
import type { SubscriptionRow } from '../../src/store/subscription.ts';
import { DAY_MS, ownerOf, planStory, type PlanStory } from './plan-story.ts';

let told: PlanStory;
beforeAll(async () => {
  told = await planStory(14);
  const daily = { code: 'daily', name: 'Daily', price: '1.00', period_count: 1, vm_count: 1, vm_size: 'small' };
  await told.call(planCreate, daily);
});
afterEach(() => told.sound());
afterAll(() => told.close());

const run = (name: string, text: string, values: readonly unknown[]) =>
  told.database.owner.query({ name: `test.${name}`, text }, values);

/** A VM of a subscription, as whoever allocates one leaves it. */
async function vm(of: SubscriptionRow, stopOrder: number, state = 'active'): Promise<string> {
  const sid = told.ports.ids.sid();
  await run(
    'insert_vm',
    `insert into allocation (sid, wallet, user_sid, subscription, provisioner, state, name, size, stop_order, expires_at, created_at, created_by)
     values ($1, $2, $3, $4, 'http', $5, $1, 'small', $6, $7, $8, 'test')`,
    [sid, of.wallet, of.userSid, of.id, state, stopOrder, of.periodEndsAt, told.ports.clock.now()],
  );
  return sid;
}
async function expiryOf(sid: string): Promise<string> {
  const [row] = await run('expiry', 'select expires_at from allocation where sid = $1', [sid]);
  return new Date(row?.['expires_at'] as Date).toISOString();
}
const release = (sid: string) => run('release', `update allocation set state = 'releasing' where sid = $1`, [sid]);

describe('the VMs of a plan', () => {
  it('live as long as what was paid: longer by a renewal, no longer than an end', async () => {
    const wallet = await told.wallet(50n);
    const row = await told.buy(wallet);
    const sid = await vm(row, 0);
    await told.at(row.periodEndsAt);
    await renewDue(told.house);
    const after = await told.again(row);
    expect([await expiryOf(sid), after.vmsUsed]).toEqual([after.periodEndsAt.toISOString(), 1]);
    await told.ports.clock.advance(DAY_MS);
    await told.call(subscriptionEnd, { sid: row.sid, reason: 'abuse' });
    expect(await expiryOf(sid)).toBe(told.ports.clock.now().toISOString());
    await release(sid);
  });

  it('are not more than a smaller plan has: it is refused, by the quote as well', async () => {
    const wallet = await told.wallet(50n);
    const row = await told.buy(wallet, 'vm-10');
    for (let number = 0; number < 6; number += 1) await vm(row, number);
    const refused = await told.call(subscriptionChange, { sid: row.sid, plan: 'vm-5' });
    expect([refused.status, refused.json['details']]).toEqual([409, { vm_used: 6, vm_total: 5 }]);
    expect((await told.call(planQuote, { plan: 'vm-5' }, ownerOf(wallet))).status).toBe(409);
  });

  it('that came after the change go when it takes effect, in the order that their user chose, newest first', async () => {
    const wallet = await told.wallet(50n);
    const row = await told.buy(wallet, 'vm-10');
    await told.call(subscriptionChange, { sid: row.sid, plan: 'vm-5' });
    const kept = [await vm(row, 2), await vm(row, 2), await vm(row, 2), await vm(row, 2), await vm(row, 1)];
    const [first, last] = [await vm(row, 0), await vm(row, 1)];
    await told.at(row.periodEndsAt);
    await renewDue(told.house);
    expect(await told.again(row)).toMatchObject({ planCode: 'vm-5', vmsUsed: 7, hasExcess: true });
    await expect(releaseExcess(told.house, () => Promise.reject(new Error('nobody answers')))).rejects.toThrow(
      'nobody',
    );
    const gone: string[] = [];
    const ask = async (sid: string): Promise<void> => {
      gone.push(sid);
      await release(sid);
    };
    await releaseExcess(told.house, ask);
    await releaseExcess(told.house, ask);
    expect(gone).toEqual([first, last]);
    expect(kept).toHaveLength(5);
    expect((await told.again(row)).hasExcess).toBe(false);
  });

  it('H05 that ran while a period was past due are paid for it; while they stood still they are not', async () => {
    for (const [state, left] of [
      ['active', '0.00'],
      ['suspended', '2.00'],
    ] as const) {
      const wallet = await told.wallet(1n);
      const row = await told.buy(wallet, 'daily');
      await vm(row, 0, state);
      await told.at(row.periodEndsAt);
      await renewDue(told.house);
      expect((await told.again(row)).state).toBe('past_due');
      await told.ports.clock.advance(2 * DAY_MS);
      await told.fund(wallet, 3n);
      await renewDue(told.house);
      const after = await told.again(row);
      expect([after.state, after.periodNumber, await told.balance(wallet)]).toEqual(['active', 3, left]);
    }
  });
});
