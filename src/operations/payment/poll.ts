import { nextCheckAt } from '../../domain/payment/schedule.ts';
import { ProviderFailure } from '../../providers/provider.ts';
import { claimDuePayments, deferPayment, readPayment } from '../../store/payment.ts';
import type { House } from '../house.ts';
import { ownCause } from './cause.ts';
import { settlePayment } from './settle.ts';

/** Small enough to be asked within the lease one after another, at the provider's total deadline each. */
const CLAIM_PAYMENTS_MAX = 20;
const LEASE_MS = 10 * 60_000;
/** Rounds of one tick: a backlog is worked off over ticks, and a stop is not kept waiting. */
const ROUNDS_MAX = 10;

/**
 * Asks the provider about every unfinished payment whose time has come.
 *
 * Shape: how many were asked about.
 * Safe to: run in several processes at once: each payment is claimed by one. A failure only moves its payment's time.
 */
export async function pollPayments(house: House): Promise<number> {
  let asked = 0;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const now = house.ports.clock.now();
    const claim = { now, leaseEndsAt: new Date(now.getTime() + LEASE_MS), limit: CLAIM_PAYMENTS_MAX };
    const sids = await house.db.transaction('payment.claim_due', (tx) => claimDuePayments(tx, claim));
    for (const sid of sids) await checkPayment(house, sid);
    asked += sids.length;
    if (sids.length < CLAIM_PAYMENTS_MAX) break;
  }
  return asked;
}

/** One question about one payment; when the provider cannot be asked, the next one is put off. */
export async function checkPayment(house: House, sid: string): Promise<void> {
  try {
    await settlePayment(house, sid, ownCause(house, 'poller'));
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    house.ports.log.warn({ payment_sid: sid, kind: error.kind, error }, 'a payment could not be asked about');
    const payment = await readPayment(house.db, sid);
    if (!payment) return;
    const next = nextCheckAt({ now: house.ports.clock.now(), checks: payment.checks, expiresAt: payment.expiresAt });
    await house.db.transaction('payment.defer', (tx) => deferPayment(tx, sid, next));
  }
}
