import { assert } from '../../domain/assert.ts';
import { isOurs } from '../../domain/refund/state.ts';
import { ProviderFailure } from '../../providers/provider.ts';
import { lockPayment, readPayment } from '../../store/payment.ts';
import { claimDueRefunds, readRefund, type RefundRow } from '../../store/refund.ts';
import type { House } from '../house.ts';
import { ownCause, type Cause } from '../payment/cause.ts';
import { providerOf } from '../payment/provider-of.ts';
import { settlePayment } from '../payment/settle.ts';
import { rejectExpired } from './reject.ts';
import { putOff, requireAccount, sendRefund, toNewRefund, writeAnswer } from './send.ts';

/** Longer than a provider's deadline of 20 s with its database work, so that nobody else takes what is being worked on. */
const LEASE_MS = 60_000;
const CLAIM_REFUNDS_MAX = 20;
/** One tick's work; what is left is due at the next one. */
const ROUNDS_MAX = 10;

/**
 * Looks at every refund that is due: what is not answered is asked for again, what is under way or has left is asked about, and what
 * no operator has approved in time goes back.
 *
 * Shape: how many were looked at. Safe to: run in several processes at once, and late.
 */
export async function lookAtRefunds(house: House): Promise<number> {
  let looked = 0;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const now = house.ports.clock.now();
    const claim = { now, leaseEndsAt: new Date(now.getTime() + LEASE_MS), limit: CLAIM_REFUNDS_MAX };
    const sids = await house.db.transaction('refund.claim_due', (tx) => claimDueRefunds(tx, claim));
    for (const sid of sids) await lookAtRefund(house, sid, ownCause(house, 'refund'));
    looked += sids.length;
    if (sids.length < CLAIM_REFUNDS_MAX) break;
  }
  return looked;
}

/** One look; when the provider cannot be asked, the next one is put off. */
export async function lookAtRefund(house: House, sid: string, cause: Cause): Promise<void> {
  const refund = await readRefund(house.db, sid);
  if (refund === null) return;
  if (refund.state === 'awaiting_approval') return await rejectExpired(house, sid);
  if (refund.state === 'requested' || refund.state === 'unknown') return await sendRefund(house, sid, cause);
  try {
    await askAbout(house, refund, cause);
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    house.ports.log.warn({ refund_sid: sid, kind: error.kind, error }, 'a refund could not be asked about');
    await defer(house, refund);
  }
}

/** Ours by their key, for not every provider counts them to the order; others by the order that they are part of. */
async function askAbout(house: House, refund: RefundRow, cause: Cause): Promise<void> {
  const truth = isOurs(refund.origin) ? await askByKey(house, refund) : null;
  if (truth === null) await settlePayment(house, refund.paymentSid, cause);
  else await writeAnswer(house, refund, { kind: 'refund', refund: truth }, cause);
  await defer(house, refund);
}

async function askByKey(house: House, refund: RefundRow) {
  const payment = await readPayment(house.db, refund.paymentSid);
  assert(payment !== null, 'a payment is never deleted');
  const provider = providerOf(house, refund.provider);
  await requireAccount(provider, refund, payment);
  const truth = await provider.readRefund({ ...toNewRefund(refund, payment), refundRef: refund.refundRef });
  return truth?.refundSid === refund.sid ? truth : null;
}

/** Nothing new: later. What has moved since has its own time. */
async function defer(house: House, seen: RefundRow): Promise<void> {
  await house.db.transaction('refund.defer', async (tx) => {
    await lockPayment(tx, seen.paymentSid);
    const refund = await readRefund(tx, seen.sid);
    const hasMoved = refund === null || refund.state !== seen.state || refund.checks !== seen.checks;
    if (!hasMoved) await putOff(tx, house, refund, seen.checks + 1);
  });
}
