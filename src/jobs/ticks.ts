import { Bug } from '../domain/assert.ts';
import { compareClocks, doClocksAgree } from '../operations/clock/compare.ts';
import { followClock } from '../operations/clock/follow.ts';
import type { House } from '../operations/house.ts';
import type { Tick } from '../operations/tick.ts';
import { checkAllocations } from '../operations/allocation/check.ts';
import { releaseExpired } from '../operations/allocation/release-expired.ts';
import { releaseVm, resumeVm, suspendVm } from '../operations/allocation/steer.ts';
import { steerVms } from '../operations/standing/steer-vms.ts';
import { releaseExcess } from '../operations/subscription/release-excess.ts';
import { runAutoRecharges } from '../operations/auto-recharge/run.ts';
import { resumeCorrections } from '../operations/correction/run.ts';
import { pruneOldChallenges } from '../operations/challenge/prune.ts';
import { pruneOldEvents } from '../operations/delivery/prune.ts';
import { sendDueDeliveries } from '../operations/delivery/send-due.ts';
import { resealSecrets } from '../operations/endpoint/reseal.ts';
import { sweepErasures } from '../operations/erasure/sweep.ts';
import { sendAnswers } from '../operations/dispute/send-answer.ts';
import { pollDisputes } from '../operations/dispute/poll.ts';
import { tellOfGaps } from '../operations/gap-policy/tell.ts';
import { sendDueMails } from '../operations/mail/send.ts';
import { pruneOldInvitations } from '../operations/invitation/prune.ts';
import { expireHolds } from '../operations/hold/expire.ts';
import { expireGrants } from '../operations/grant/expire.ts';
import { forgetAttempts } from '../operations/identity/forget-attempts.ts';
import { recomputeLadders } from '../operations/ladder/recompute.ts';
import { pruneOldBudgets } from '../operations/node/prune-budgets.ts';
import { resumeOutages } from '../operations/outage/settle.ts';
import { pollPayments } from '../operations/payment/poll.ts';
import { reconcilePayments } from '../operations/payment/reconcile.ts';
import { issueReceipts } from '../operations/receipt/issue.ts';
import { lookAtRefunds } from '../operations/refund/look.ts';
import { aggregateUsageByClock } from '../operations/usage/aggregate-usage.ts';
import { pruneUsageQueue } from '../operations/usage/prune-queue.ts';
import { pushUsageByClock } from '../operations/usage/push-usage.ts';
import { billAll } from '../operations/usage/bill-wallet.ts';
import { sendAllBack } from '../operations/movement/send-back.ts';
import { reconcileAll } from '../operations/reconciliation/reconcile-all.ts';
import { pruneOldSessions } from '../operations/session/prune.ts';
import { msToNextRenewal, renewDue } from '../operations/subscription/renew.ts';
import { fetchUndelivered } from '../operations/webhook-event/fetch-undelivered.ts';
import { sweepWebhooks } from '../operations/webhook-event/sweep.ts';
import { watchDue, watchStandings } from '../operations/standing/watch.ts';
import { checkLedger } from '../store/ledger-check.ts';
import { isWait } from './pace.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** The ledger is recomputed when the fewest people pay. */
const NIGHTLY_HOUR_UTC = 3;

/** A move takes seconds: whom we ask hardly has anything new, and is asked as ever when it is over. Stripe keeps events for 30 days. */
const WHILE_MOVED_MS = 14 * DAY_MS;

const every = (ms: number) => (): number => ms;

export const TICKS: readonly Tick[] = [
  { name: 'payments.poll', waitMs: every(15 * SECOND_MS), run: pollPayments },
  { name: 'disputes.poll', waitMs: every(HOUR_MS), run: pollDisputes },
  { name: 'disputes.answer', waitMs: every(MINUTE_MS), run: sendAnswers },
  { name: 'refunds.look', waitMs: every(15 * SECOND_MS), run: lookAtRefunds },
  { name: 'webhooks.sweep', waitMs: every(10 * SECOND_MS), run: (house) => sweepWebhooks(house) },
  {
    name: 'webhooks.undelivered',
    waitMs: every(5 * MINUTE_MS),
    whileMovedMs: WHILE_MOVED_MS,
    run: fetchUndelivered,
    isDueAtStart: true,
  },
  {
    name: 'payments.reconcile',
    waitMs: every(5 * MINUTE_MS),
    whileMovedMs: WHILE_MOVED_MS,
    run: reconcilePayments,
  },
  { name: 'statements.reconcile', waitMs: every(HOUR_MS), whileMovedMs: WHILE_MOVED_MS, run: reconcileAll },
  { name: 'movements.refund', waitMs: every(5 * MINUTE_MS), run: sendAllBack },
  { name: 'auto-recharge.run', waitMs: every(15 * SECOND_MS), run: runAutoRecharges, isByDate: true },
  { name: 'holds.expire', waitMs: every(30 * SECOND_MS), run: expireHolds, isByDate: true },
  {
    name: 'plans.renew',
    waitMs: every(5 * SECOND_MS),
    dueInMs: ({ db }, now) => msToNextRenewal(db, now),
    run: renewDue,
    isDueAtStart: true,
    isByDate: true,
  },
  { name: 'grants.expire', waitMs: every(5 * SECOND_MS), run: expireGrants, isDueAtStart: true, isByDate: true },
  { name: 'deliveries.send', waitMs: every(SECOND_MS), run: sendDueDeliveries },
  { name: 'events.prune', waitMs: every(HOUR_MS), run: pruneOldEvents, catchesUp: true, isByDate: true },
  { name: 'invitations.prune', waitMs: every(HOUR_MS), run: pruneOldInvitations, catchesUp: true, isByDate: true },
  { name: 'sign-ins.forget', waitMs: every(HOUR_MS), run: forgetAttempts, catchesUp: true, isByDate: true },
  { name: 'secrets.reseal', waitMs: every(5 * MINUTE_MS), run: resealSecrets, catchesUp: true },
  { name: 'mails.send', waitMs: every(5 * SECOND_MS), run: sendDueMails },
  { name: 'receipts.issue', waitMs: every(10 * SECOND_MS), run: issueReceipts, isByDate: true },
  { name: 'standings.watch', waitMs: every(30 * SECOND_MS), run: watchStandings, isByDate: true },
  { name: 'standings.due', waitMs: every(5 * SECOND_MS), run: watchDue, isByDate: true },
  { name: 'gaps.tell', waitMs: every(MINUTE_MS), run: tellOfGaps },
  { name: 'challenges.prune', waitMs: every(HOUR_MS), run: pruneOldChallenges, catchesUp: true, isByDate: true },
  { name: 'budgets.prune', waitMs: every(HOUR_MS), run: pruneOldBudgets, catchesUp: true, isByDate: true },
  { name: 'sessions.prune', waitMs: every(HOUR_MS), run: pruneOldSessions, catchesUp: true, isByDate: true },
  { name: 'usage-queue.prune', waitMs: every(HOUR_MS), run: pruneUsageQueue, catchesUp: true, isByDate: true },
  { name: 'allocations.check', waitMs: every(5 * SECOND_MS), run: checkAllocations },
  {
    name: 'allocations.steer',
    waitMs: every(5 * SECOND_MS),
    run: (house, signal) => steerVms(house, { suspendVm, resumeVm }, signal),
  },
  {
    name: 'allocations.release-excess',
    waitMs: every(30 * SECOND_MS),
    run: (house) => releaseExcess(house, (sid) => releaseVm(house, sid, 'user')),
  },
  { name: 'allocations.release', waitMs: every(MINUTE_MS), run: releaseExpired, isByDate: true },
  { name: 'erasures.sweep', waitMs: every(MINUTE_MS), run: sweepErasures, isByDate: true },
  { name: 'corrections.resume', waitMs: every(30 * SECOND_MS), run: resumeCorrections },
  { name: 'outages.resume', waitMs: every(30 * SECOND_MS), run: resumeOutages },
  { name: 'usage.bill', waitMs: every(5 * MINUTE_MS), run: billAll },
  { name: 'ladder.recompute', waitMs: every(DAY_MS), run: recomputeLadders, isByDate: true },
  { name: 'usage.push', waitMs: msToPushMinute, run: pushUsageByClock },
  {
    name: 'usage.aggregate',
    waitMs: every(5 * MINUTE_MS),
    whileMovedMs: WHILE_MOVED_MS,
    run: aggregateUsageByClock,
  },
  { name: 'ledger.check', waitMs: msToNight, run: checkLedgerNightly, catchesUp: true },
];

/** How a process knows whether its clock is right, however it was set since. */
export const COMPARE_TICK: Tick = { name: 'clock.compare', waitMs: every(MINUTE_MS), run: compareClocks };

/** In a sandbox alone: how a process learns that another has moved the clock, and goes on with a move that nobody else goes on with. */
export const FOLLOW_TICK: Tick = { name: 'clock.follow', waitMs: every(SECOND_MS), run: followClock };

/** An hour is complete a little after its end; what comes later is merged into its file. */
const PUSH_MINUTE = 5;

/** To the next five minutes past an hour; a whole hour when it is that very moment. */
export function msToPushMinute(now: Date): number {
  const hourMs = 60 * MINUTE_MS;
  const msOfHour = now.getTime() % hourMs;
  return (((PUSH_MINUTE * MINUTE_MS - msOfHour) % hourMs) + hourMs) % hourMs || hourMs;
}

/** To the next 03:00 UTC; a whole day when it is that very moment. */
export function msToNight(now: Date): number {
  const msOfDay = now.getTime() % DAY_MS;
  return (((NIGHTLY_HOUR_UTC * 60 * MINUTE_MS - msOfDay) % DAY_MS) + DAY_MS) % DAY_MS || DAY_MS;
}

/** Recomputes every promise of the ledger; a broken one is an error in the log, with the rows that break it. */
export async function checkLedgerNightly(house: House): Promise<void> {
  const report = await checkLedger(house.db);
  const broken = report.results.filter((result) => result.rows.length > 0);
  const facts = { entries: report.entries, accounts: report.accounts };
  if (report.isSound) house.ports.log.info(facts, 'the ledger is sound');
  else house.ports.log.error({ ...facts, broken }, 'THE LEDGER IS NOT SOUND: stop paying out and look at it');
}

/** A house that cannot be asked, because its database is away, waits as long as it does otherwise. */
async function waitOf(house: House, tick: Tick): Promise<number> {
  const now = house.ports.clock.now();
  const longestMs = tick.waitMs(now);
  // By a wrong clock something may be due all the time.
  if (isLeftOut(house, tick)) return longestMs;
  const dueInMs = await tick.dueInMs?.(house, now).catch(() => longestMs);
  const waitMs = Math.min(longestMs, Math.max(1, dueInMs ?? longestMs));
  if (isWait(waitMs)) return waitMs;
  // A schedule that was looked at when the process started may still go wrong in an hour nobody looked at: better rarely than all the time.
  house.ports.log.error({ tick: tick.name, wait_ms: waitMs }, 'a tick has an impossible schedule');
  return MINUTE_MS;
}

const isLeftOut = ({ clocks }: House, { isByDate }: Tick): boolean => isByDate === true && clocks.areApart;

/** Runs one tick until the signal; what it throws is logged, and the next one comes all the same. */
export async function keepTicking(house: House, tick: Tick, signal: AbortSignal): Promise<void> {
  const { clock, log } = house.ports;
  let isDue = tick.isDueAtStart === true;
  for (;;) {
    if (!isDue) await clock.sleep(await waitOf(house, tick), signal);
    isDue = false;
    if (signal.aborted) return;
    // Who moves the clock does what is due at each instant on the way, in its order.
    if (house.movableClock?.isMoving === true) continue;
    try {
      if (isLeftOut(house, tick) && !(await doClocksAgree(house))) continue;
      await tick.run(house, signal);
    } catch (error) {
      const facts = { tick: tick.name, error };
      // A broken assertion does not mend itself by coming again; everything else usually does.
      if (error instanceof Bug) log.error(facts, 'a tick met a bug and will come again');
      else log.warn(facts, 'a tick failed and will come again');
    }
  }
}
