import { planToRenew } from '../../domain/plan/plan.ts';
import { readPlans } from '../../store/plan.ts';
import {
  claimDue,
  claimDueLooks,
  claimPayable,
  claimReminders,
  lockOpenSubscription,
  nextBoundary,
  saveSubscriptions,
  type SubscriptionRow,
} from '../../store/subscription.ts';
import type { Db } from '../../store/db.ts';
import { emitAll } from '../event/emit.ts';
import type { House } from '../house.ts';
import { lockFunds, payableOf } from './funds.ts';
import { catchUp, settleDue, type Settled } from './settle-due.ts';
import { renewsSoonEvent } from './tell.ts';

/** In one commit: enough that 10,000 renewals of one minute are some twenty commits, few enough that a debit never waits long behind one. */
const SUBSCRIPTIONS_PER_COMMIT = 500;

export interface Renewed extends Settled {
  readonly reminded: number;
}

/**
 * Renews every subscription whose period is over, and ends those that do not renew.
 *
 * One period at a time, the oldest first. What cannot be paid is past due, and is paid as soon as its wallet has enough.
 * Safe to: run in several processes at once, late, twice, and to die anywhere: each commit settles its subscriptions whole, and the key of a
 * period lets it be paid once.
 */
export async function renewDue(house: House, signal?: AbortSignal): Promise<Renewed> {
  const { db, ports } = house;
  let all: Settled = { renewed: 0, pastDue: 0, ended: 0 };
  // A clock that is set while it runs makes much due that is not.
  const isStopped = (): boolean => signal?.aborted === true || house.clocks.areApart;
  for (;;) {
    while (!isStopped()) {
      const settled = await db.transaction('plan.renew', async (tx) => {
        const due = { now: ports.clock.now(), limit: SUBSCRIPTIONS_PER_COMMIT };
        return settleDue(tx, house, [...(await claimDue(tx, due)), ...(await claimDueLooks(tx, due))]);
      });
      all = sum(all, settled);
      if (countOf(settled) === 0) break;
    }
    if (isStopped()) break;
    const restored = await db.transaction('plan.restore', async (tx) =>
      settleDue(tx, house, await claimPayable(tx, { now: ports.clock.now(), limit: SUBSCRIPTIONS_PER_COMMIT })),
    );
    all = sum(all, { ...restored, pastDue: 0 });
    // What was restored may have another period to pay.
    if (restored.renewed === 0) break;
  }
  const reminded = isStopped() ? 0 : await remind(house);
  if (countOf(all) + reminded > 0) ports.log.info({ ...all, reminded }, 'plans were renewed');
  return { ...all, reminded };
}

/** The same for the plan of one wallet, at once: for whoever has just put money in. Null: it has no plan. */
export async function renewWallet(house: House, wallet: bigint): Promise<SubscriptionRow | null> {
  return house.db.transaction('plan.renew_wallet', async (tx) => {
    const row = await lockOpenSubscription(tx, wallet);
    return row === null ? null : catchUp(tx, house, row);
  });
}

/** How long until the next period ends; without end where none does. */
export async function msToNextRenewal(db: Db, now: Date): Promise<number> {
  const next = await nextBoundary(db, now);
  return next === null ? Infinity : next.getTime() - now.getTime();
}

async function remind(house: House): Promise<number> {
  const { db, ports } = house;
  let all = 0;
  for (;;) {
    const reminded = await db.transaction('plan.remind', async (tx) => {
      const rows = await claimReminders(tx, { now: ports.clock.now(), limit: SUBSCRIPTIONS_PER_COMMIT });
      // Who does not renew is not told that they do; they may resume, and are told then.
      const told = rows.filter(({ isRenewing }) => isRenewing);
      const funds = await lockFunds(
        tx,
        told.map(({ wallet }) => wallet),
        ports.clock.now(),
      );
      const versions = await readPlans(tx);
      const events = told.flatMap((row) => {
        const plan = planToRenew(versions, row.nextPlanCode ?? row.planCode, row.periodEndsAt);
        return plan === null ? [] : [renewsSoonEvent(row, plan, payableOf(funds, row.wallet))];
      });
      await emitAll(tx, house, events);
      await saveSubscriptions(
        tx,
        rows.map((row) => ({ ...row, remindsAt: null })),
      );
      return { looked: rows.length, told: told.length };
    });
    all += reminded.told;
    if (reminded.looked < SUBSCRIPTIONS_PER_COMMIT) return all;
  }
}

const countOf = ({ renewed, pastDue, ended }: Settled): number => renewed + pastDue + ended;

const sum = (a: Settled, b: Settled): Settled => ({
  renewed: a.renewed + b.renewed,
  pastDue: a.pastDue + b.pastDue,
  ended: a.ended + b.ended,
});
