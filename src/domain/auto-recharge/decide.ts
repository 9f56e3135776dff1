import { isWholeCents, micros, MICROS_PER_CENT, type Micros } from '../money.ts';
import type { PaymentState } from '../payment/state.ts';
import type { RechargeReason, RechargeState } from './state.ts';

/** The standing of a wallet at one moment, under the lock of its auto-recharge. */
export interface RechargeFacts {
  readonly state: RechargeState;
  readonly notBefore: Date | null;
  readonly threshold: bigint;
  readonly target: bigint;
  readonly monthlyCap: bigint;
  readonly balance: bigint;
  readonly isFrozen: boolean;
  readonly hasOpenCharge: boolean;
  /** What charges of this month took, or may still take. */
  readonly charged: bigint;
  /** The limits of every top-up. */
  readonly chargeMin: bigint;
  readonly chargeMax: bigint;
}

export type RechargeDecision =
  | { readonly kind: 'charge'; readonly amount: Micros }
  /** Nothing to do now. */
  | { readonly kind: 'nothing' }
  /** The month's cap leaves less than the smallest charge: wait until then. */
  | { readonly kind: 'capped'; readonly until: Date };

/**
 * Decides whether a wallet is charged now, and how much: one charge that fills it to its target, in whole cents rounded up.
 *
 * Pure. The level decides, not a crossing that somebody would have to notice: below the threshold, with no charge under way.
 */
export function decideRecharge(facts: RechargeFacts, now: Date): RechargeDecision {
  const isWaiting = facts.notBefore !== null && facts.notBefore.getTime() > now.getTime();
  if (facts.state !== 'on' || isWaiting || facts.isFrozen || facts.hasOpenCharge || facts.balance >= facts.threshold) {
    return { kind: 'nothing' };
  }
  const missing = upToCents(facts.target - facts.balance);
  const wanted = clamp(missing, facts.chargeMin, facts.chargeMax);
  const left = downToCents(facts.monthlyCap - facts.charged);
  const amount = wanted < left ? wanted : left;
  return amount < facts.chargeMin
    ? { kind: 'capped', until: startOfNextMonth(now) }
    : { kind: 'charge', amount: micros(amount) };
}

/** After so many refusals in a row the owner has to look at it. */
export const DECLINES_MAX = 4;
/** Banks take quick repetition for fraud, and a card that is empty is not filled in minutes. */
const BACK_OFF_FIRST_MS = 3_600_000;

/** An hour after the first refusal, then two, then four. */
export const backOffUntil = (now: Date, declines: number): Date =>
  new Date(now.getTime() + BACK_OFF_FIRST_MS * 2 ** Math.max(0, declines - 1));

/** The part of an auto-recharge that the end of a charge changes. */
export interface Conclusion {
  readonly state: RechargeState;
  readonly reason: RechargeReason | null;
  readonly declines: number;
  readonly notBefore: Date | null;
}

/** How a charge ended. `decline` is the bank's word, or null when it never got as far as the bank. */
export interface ChargeEnd {
  readonly state: PaymentState;
  readonly decline: string | null;
}

/** What the end of a charge means for the next one; null: it has not ended. Pure. */
export function conclude(before: Conclusion, end: ChargeEnd, now: Date): Conclusion | null {
  switch (end.state) {
    case 'credited':
      return before.state === 'off' ? before : { state: 'on', reason: null, declines: 0, notBefore: null };
    case 'failed':
    case 'expired':
      return afterRefusal(before, end.decline, now);
    case 'quarantined':
      // The money was taken and nobody knows whose it is: another charge must wait for a person.
      return { ...before, state: 'off', reason: 'under_review', notBefore: null };
    case 'created':
    case 'open':
    case 'processing':
      return null;
    default:
      return end.state satisfies never;
  }
}

function afterRefusal(before: Conclusion, decline: string | null, now: Date): Conclusion {
  // Switched off meanwhile: that stays.
  if (before.state !== 'on') return before;
  if (decline === 'authentication_required') {
    return { ...before, state: 'action_required', reason: 'authentication', notBefore: null };
  }
  const declines = before.declines + 1;
  const reason = decline === null ? 'not_possible' : 'declined';
  return declines >= DECLINES_MAX
    ? { state: 'off', reason, declines, notBefore: null }
    : { state: 'on', reason, declines, notBefore: backOffUntil(now, declines) };
}

/** The month of the cap: the calendar's, in UTC. */
export const startOfMonth = (now: Date): Date => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1));
export const startOfNextMonth = (now: Date): Date => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1));

const upToCents = (amount: bigint): bigint => (isWholeCents(amount) ? amount : downToCents(amount) + MICROS_PER_CENT);
/** Toward minus infinity. */
const downToCents = (amount: bigint): bigint => {
  const rest = amount % MICROS_PER_CENT;
  return amount - (rest < 0n ? rest + MICROS_PER_CENT : rest);
};
const clamp = (amount: bigint, min: bigint, max: bigint): bigint => (amount < min ? min : amount > max ? max : amount);
