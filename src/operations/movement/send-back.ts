import { micros } from '../../domain/money.ts';
import { ProviderFailure, type ProviderRefund } from '../../providers/provider.ts';
import { listInState, lockMovement, readMovement, updateMovement } from '../../store/movement.ts';
import { ownAuthor, recordAudit } from '../audit/record.ts';
import type { House } from '../house.ts';

/** Refunds of one tick; the next takes the rest. */
const SENT_PER_TICK = 50;

/** Asks again about every movement that is on its way back. Safe to: run in several processes; the provider knows the key. */
export async function sendAllBack(house: House): Promise<number> {
  const sids = await listInState(house.db, 'refunding', SENT_PER_TICK);
  for (const sid of sids) await sendBack(house, sid);
  return sids.length;
}

/**
 * Has the provider send a movement back, or finds what became of it. A failure is logged; the tick asks again.
 * Safe to: run twice and concurrently: the movement's sid is the provider's idempotency key for ever.
 */
export async function sendBack(house: House, sid: string): Promise<void> {
  const row = await readMovement(house.db, sid);
  const provider = row === null ? undefined : house.providers.get(row.provider);
  if (row?.state !== 'refunding' || row.paymentRef === null || !provider) return;
  let refund: ProviderRefund;
  try {
    refund = await provider.refund({
      refundSid: row.sid,
      paymentSid: row.paymentSid ?? row.sid,
      orderRef: row.orderRef ?? row.movementRef,
      paymentRef: row.paymentRef,
      amount: micros(row.amount),
      currency: 'USD',
      destination: null,
    });
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    house.ports.log.warn({ movement_sid: sid, kind: error.kind, error }, 'a movement could not be sent back yet');
    return;
  }
  if (refund.state === 'pending') return;
  await house.db.transaction('movement.sent_back', async (tx) => {
    const locked = await lockMovement(tx, sid);
    if (locked?.state !== 'refunding') return;
    const isGone = refund.state === 'succeeded';
    // What failed stays on suspense: the money is here, and an operator must find another way.
    const state = isGone ? ('refunded' as const) : ('suspended' as const);
    const reason = isGone ? locked.reason : `the refund failed: ${refund.detail ?? 'the provider gave no reason'}`;
    const updatedAt = house.ports.clock.now();
    await updateMovement(tx, { ...locked, state, reason, ourRefundRef: refund.refundRef, updatedAt });
    await recordAudit(tx, ownAuthor(house, 'movement'), {
      action: 'movement.sent-back',
      subject: sid,
      reason,
      before: { state: locked.state },
      after: { state, refund_ref: refund.refundRef },
    });
  });
}
