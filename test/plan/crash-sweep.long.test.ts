import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planCreate } from '../../src/operations/plan/create.ts';
import { subscriptionCancel } from '../../src/operations/subscription/cancel.ts';
import { subscriptionChange } from '../../src/operations/subscription/change.ts';
import { renewDue } from '../../src/operations/subscription/renew.ts';
import { listEvents } from '../../src/store/event.ts';
import { listPeriods } from '../../src/store/plan-period.ts';
import type { SubscriptionRow } from '../../src/store/subscription.ts';
import type { WalletRow } from '../../src/store/wallet.ts';
import { oneIn } from '../support/crash-every.ts';
import { gone } from '../support/gone.ts';
import { Crash, testPorts } from '../support/ports.ts';
import { DAY_MS, planStory, type PlanStory } from './plan-story.ts';

let told: PlanStory;
beforeAll(async () => {
  told = await planStory(13);
  const daily = { code: 'daily', name: 'Daily', price: '1.00', period_count: 1, vm_count: 1, vm_size: 'small' };
  await told.call(planCreate, daily);
  await told.call(planCreate, { ...daily, code: 'cheaper', price: '0.50' });
});
afterAll(() => told.close());

interface Case {
  readonly wallet: WalletRow;
  readonly row: SubscriptionRow;
}

/** One of each: pays all of it, runs out of money, was cancelled, becomes another plan, was past due and has money again. */
async function prepare(): Promise<Record<'rich' | 'poor' | 'leaving' | 'changing' | 'restored', Case>> {
  const bought = async (dollars: bigint): Promise<Case> => {
    const wallet = await told.wallet(dollars);
    return { wallet, row: await told.buy(wallet, 'daily') };
  };
  const restored = await bought(1n);
  await told.ports.clock.advance(DAY_MS);
  await renewDue(told.house);
  await told.fund(restored.wallet, 9n);
  const made = {
    rich: await bought(10n),
    poor: await bought(2n),
    leaving: await bought(9n),
    changing: await bought(9n),
    restored,
  };
  await told.call(subscriptionCancel, { sid: made.leaving.row.sid });
  await told.call(subscriptionChange, { sid: made.changing.row.sid, plan: 'cheaper' });
  // Three days late.
  await told.ports.clock.advance(3 * DAY_MS + 1);
  return made;
}

const survive = async (work: Promise<unknown>): Promise<void> => {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
  }
};

async function outcomeOf({ wallet, row }: Case) {
  const after = await told.again(row);
  const periods = await listPeriods(told.database.db, row.id, 50);
  const events = await listEvents(told.database.db, { before: null, owners: [wallet.userSid], type: null, limit: 50 });
  return {
    state: after.state,
    plan: after.planCode,
    periods: periods.map(({ number }) => number).toReversed(),
    balance: await told.balance(wallet),
    // By number: processes that share an instant make sids in any order.
    events: events
      .toSorted((a, b) => Number(a.sequence) - Number(b.sequence))
      .map(({ type }) => type.replace('plan.', '')),
  };
}

describe('G01 H05 a process that dies anywhere while it renews plans three days late', () => {
  it('leaves each period paid once, in order, when two others finish its work at once', async () => {
    const crossing = async (at: number | null): Promise<number> => {
      const made = await prepare();
      const ports = testPorts({ seed: 50 + (at ?? 0), now: told.ports.clock.now() });
      const db = told.database.open({ ports });
      ports.crash.dieAfter(at);
      await survive(renewDue(told.another({ db, ports })));
      const reached = ports.crash.reached.length;
      ports.crash.dieAfter(null);
      await gone(told);
      await db.close();
      await Promise.all([renewDue(told.house), renewDue(told.another())]);
      await renewDue(told.house);
      const renewed = (times: number): string[] => Array.from({ length: times }, () => 'renewed');
      expect({
        rich: await outcomeOf(made.rich),
        poor: await outcomeOf(made.poor),
        leaving: await outcomeOf(made.leaving),
        changing: await outcomeOf(made.changing),
        restored: await outcomeOf(made.restored),
      }).toEqual({
        rich: {
          state: 'active',
          plan: 'daily',
          periods: [0, 1, 2, 3],
          balance: '6.00',
          events: ['bought', ...renewed(3)],
        },
        poor: {
          state: 'past_due',
          plan: 'daily',
          periods: [0, 1],
          balance: '0.00',
          events: ['bought', 'renewed', 'past_due'],
        },
        leaving: { state: 'ended', plan: 'daily', periods: [0], balance: '8.00', events: ['bought', 'ended'] },
        changing: {
          state: 'active',
          plan: 'cheaper',
          periods: [0, 1, 2, 3],
          balance: '6.50',
          events: ['bought', 'changed', ...renewed(3)],
        },
        // Its VMs stood still, as it had none: what was over before it could pay again is left out.
        restored: {
          state: 'active',
          plan: 'daily',
          periods: [0, 4],
          balance: '8.00',
          events: ['bought', 'past_due', 'renewed'],
        },
      });
      // Out of the way of the next crossing.
      for (const { row } of Object.values(made)) await told.call(subscriptionCancel, { sid: row.sid });
      return reached;
    };
    const points = await crossing(null);
    const every = oneIn(29);
    for (let at = 0; at < points; at += every) await crossing(at);
    console.info(`G01 renewal: ${points} crash points, one in ${every} survived`);
    expect(points).toBeGreaterThan(40);
    await told.sound();
  }, 120_000);
});
