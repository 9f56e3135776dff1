import { assertNever } from '../assert.ts';
import { levelOf, newsOf } from './level.ts';
import {
  DAY_MS,
  HOUR_MS,
  isFreeze,
  isSameStanding,
  reasonOf,
  type Standing,
  type StandingFacts,
  type StandingPolicy,
  type StandingReason,
} from './state.ts';

/** What is told of a wallet, in this order when several things happen at once; the last of them is the one that people are written about. */
export type StandingNews =
  | { readonly type: 'wallet.low_balance' | 'wallet.empty' }
  | { readonly type: 'wallet.runway'; readonly leadHours: number }
  | { readonly type: 'wallet.grace' | 'wallet.suspended' | 'wallet.released' | 'wallet.restored' };

export interface StandingDecision {
  readonly after: Standing;
  readonly news: readonly StandingNews[];
}

/** Whether there is nothing to write down and nothing to tell. When a notice would come makes no difference to it. */
export const changesNothing = (before: Standing, { after, news }: StandingDecision): boolean =>
  news.length === 0 && isSameStanding(before, after);

/** What of a moment the decision needs besides the facts. */
export interface StandingMoment {
  readonly now: Date;
  /** When a notice that may wait reaches its reader: later than now in their quiet hours. */
  readonly noticeAt: Date;
}

/** A suspension does not come sooner after a notice that quiet hours held back. */
const AFTER_LATE_NOTICE_MS = HOUR_MS;

/**
 * How a wallet stands by what is so of it now: the one table by which it comes from one state into another. Pure.
 *
 *     state      enters                                         leaves
 *     active     nothing else holds                             —
 *     low        less than the limit, or a warning was told     filled up
 *     empty      nothing is left, or something is due           filled up and paid
 *       grace    something is due and it has a plan or VMs      paid, or the deadline
 *     suspended  grace is over; an operator's freeze: at once   paid and thawed, or the deadline
 *     released   suspended for money until the deadline         new money or a new plan, and nothing due
 *
 * Safe to: ask again; the same facts and standing give the same answer, and nothing to tell once it was written down.
 */
export function decideStanding(
  before: Standing,
  facts: StandingFacts,
  policy: StandingPolicy,
  moment: StandingMoment,
): StandingDecision {
  const level = levelOf(facts);
  const { warnedHours, warning } = warn(before, facts, policy);
  const seen: Standing = { ...before, level, warnedHours };
  const reason = reasonOf(facts);
  const { after, news } = follow(seen, reason, facts, policy, moment);
  const since = after.state === before.state ? before.since : moment.now;
  const isStopped = after.state === 'suspended' || after.state === 'released';
  const told: StandingNews[] = [
    ...newsOf(before.level, level).map((type) => ({ type })),
    ...(warning === null || isStopped || after.deadlineAt !== null ? [] : [warning]),
    ...news,
  ];
  return { after: { ...after, since }, news: told };
}

/** The shortest lead time that has been reached. One is told again only after there was clearly more than that left. */
function warn(
  { warnedHours: last }: Standing,
  { msLeft }: StandingFacts,
  { warningHours }: StandingPolicy,
): { readonly warnedHours: number | null; readonly warning: StandingNews | null } {
  if (msLeft === undefined) return { warnedHours: last, warning: null };
  const reached = msLeft === null ? undefined : warningHours.findLast((hours) => msLeft <= hours * HOUR_MS);
  // A rate that goes up and down a little around a lead time is no news.
  const isForgotten = last !== null && (msLeft === null || msLeft > last * HOUR_MS * 1.25);
  const standing = isForgotten ? null : last;
  if (reached === undefined) return { warnedHours: standing, warning: null };
  if (standing !== null && standing <= reached) return { warnedHours: standing, warning: null };
  // A wallet that became longer-lasting than its last warning was told of less than this before.
  const isBetter = isForgotten && last < reached;
  const isNews = !isBetter && msLeft !== null && msLeft > 0;
  return { warnedHours: reached, warning: isNews ? { type: 'wallet.runway', leadHours: reached } : null };
}

const CLOCKLESS = { noticedAt: null, deadlineAt: null, rescueUntil: null, heldThen: null } as const;

/** Well, or less than well, with nothing due. */
function rest(seen: Standing): Standing {
  const state = seen.level === 'empty' ? 'empty' : seen.level === 'low' || seen.warnedHours !== null ? 'low' : 'active';
  return { ...seen, ...CLOCKLESS, state, reason: null };
}

function follow(
  seen: Standing,
  reason: StandingReason | null,
  facts: StandingFacts,
  policy: StandingPolicy,
  moment: StandingMoment,
): StandingDecision {
  switch (seen.state) {
    case 'active':
    case 'low':
    case 'empty':
      return whileRunning(seen, reason, facts, policy, moment);
    case 'suspended':
      return whileSuspended(seen, reason, facts, policy, moment);
    case 'released':
      return whileReleased(seen, reason, facts, moment);
    default:
      return assertNever(seen.state);
  }
}

function whileRunning(
  seen: Standing,
  reason: StandingReason | null,
  facts: StandingFacts,
  policy: StandingPolicy,
  moment: StandingMoment,
): StandingDecision {
  if (reason === null) {
    const wasInGrace = seen.deadlineAt !== null;
    return { after: rest(seen), news: wasInGrace ? [{ type: 'wallet.restored' }] : [] };
  }
  if (reason === 'operator') return suspend(seen, reason, policy, moment);
  if (!facts.hasPlan && facts.vms === 0) {
    return { after: { ...seen, ...CLOCKLESS, state: 'empty', reason, restoringSince: null }, news: [] };
  }
  if (seen.deadlineAt === null) return beginGrace(seen, reason, policy, moment);
  if (isPast(seen.deadlineAt, moment.now) && !isDelayed(seen.deadlineAt, facts, moment.now)) {
    return suspend(seen, reason, policy, moment);
  }
  return { after: { ...seen, state: 'empty', reason }, news: [] };
}

function beginGrace(
  seen: Standing,
  reason: StandingReason,
  { graceHours }: StandingPolicy,
  { now, noticeAt }: StandingMoment,
): StandingDecision {
  const isLate = noticeAt.getTime() > now.getTime();
  const deadlineAt = new Date(
    Math.max(now.getTime() + graceHours * HOUR_MS, isLate ? noticeAt.getTime() + AFTER_LATE_NOTICE_MS : 0),
  );
  return {
    after: { ...seen, state: 'empty', reason, noticedAt: now, deadlineAt, rescueUntil: null, restoringSince: null },
    news: [{ type: 'wallet.grace' }],
  };
}

function suspend(
  seen: Standing,
  reason: StandingReason,
  { suspendedDays }: StandingPolicy,
  { now }: StandingMoment,
): StandingDecision {
  // While somebody decides about a freeze nothing is deleted: the clock begins when it is over and money is what is missing.
  const deadlineAt = isFreeze(reason) ? null : new Date(now.getTime() + suspendedDays * DAY_MS);
  return {
    after: { ...seen, state: 'suspended', reason, noticedAt: now, deadlineAt, rescueUntil: null, restoringSince: null },
    news: [{ type: 'wallet.suspended' }],
  };
}

function whileSuspended(
  seen: Standing,
  reason: StandingReason | null,
  facts: StandingFacts,
  policy: StandingPolicy,
  moment: StandingMoment,
): StandingDecision {
  const { now } = moment;
  if (reason === null) {
    const after = rest(seen);
    // Its owner is told once it is known what could be started again.
    return facts.stoppedVms > 0
      ? { after: { ...after, restoringSince: now }, news: [] }
      : { after, news: [{ type: 'wallet.restored' }] };
  }
  if (isFreeze(reason)) return { after: { ...seen, reason, deadlineAt: null }, news: [] };
  if (seen.deadlineAt === null) {
    const again = suspend(seen, reason, policy, moment);
    return { ...again, after: { ...again.after, rescueUntil: seen.rescueUntil } };
  }
  const isRescued = seen.rescueUntil !== null && !isPast(seen.rescueUntil, now);
  if (!isPast(seen.deadlineAt, now) || isRescued || isDelayed(seen.deadlineAt, facts, now)) {
    return { after: { ...seen, reason }, news: [] };
  }
  return {
    after: { ...seen, ...CLOCKLESS, state: 'released', reason, heldThen: facts.held },
    news: [{ type: 'wallet.released' }],
  };
}

function whileReleased(
  seen: Standing,
  reason: StandingReason | null,
  facts: StandingFacts,
  _moment: StandingMoment,
): StandingDecision {
  const isNewMoney = facts.held > (seen.heldThen ?? 0n);
  if (reason !== null || !(isNewMoney || facts.hasPlan)) return { after: { ...seen, reason }, news: [] };
  return { after: rest(seen), news: [{ type: 'wallet.restored' }] };
}

const isPast = (deadline: Date, now: Date): boolean => deadline.getTime() <= now.getTime();

/** Money that has been paid and takes its time delays what its absence would bring, for so long at most. */
const DELAY_MAX_MS = DAY_MS;

const isDelayed = (deadline: Date, { isMoneyComing }: StandingFacts, now: Date): boolean =>
  isMoneyComing && now.getTime() < deadline.getTime() + DELAY_MAX_MS;
