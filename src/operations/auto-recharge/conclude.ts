import { conclude, type Conclusion } from '../../domain/auto-recharge/decide.ts';
import { lockAutoRecharge, saveAutoRecharge, type AutoRechargeRow } from '../../store/auto-recharge.ts';
import type { Tx } from '../../store/db.ts';
import type { PaymentRow } from '../../store/payment.ts';
import { recordAudit } from '../audit/record.ts';
import type { House } from '../house.ts';
import { authorOf, type Cause } from '../payment/cause.ts';
import { tellOfRecharge } from './tell.ts';

/**
 * What the end of a payment means for the wallet's auto-recharge; in the transaction in which it ends, under the payment's lock.
 *
 * A charge that was refused lets the next one wait, or switches it off. A top-up that its owner has paid on a page answers the bank that
 * wanted to see them.
 */
export async function concludeRecharge(tx: Tx, house: House, payment: PaymentRow, cause: Cause): Promise<void> {
  if (payment.cardRef === null && payment.state !== 'credited') return;
  const before = await lockAutoRecharge(tx, payment.wallet);
  if (!before) return;
  const after = conclusionOf(before, payment, house.ports.clock.now());
  if (after === null) return;
  await tellOfRecharge(tx, house, { before, after, payment });
  if (isSame(before, after)) return;
  await saveAutoRecharge(tx, { ...before, ...after, updatedAt: house.ports.clock.now() });
  await recordAudit(tx, authorOf(house, cause), {
    action: 'auto-recharge.conclude',
    subject: before.walletSid,
    reason: after.reason,
    before: { state: before.state, declines: before.declines },
    after: {
      state: after.state,
      declines: after.declines,
      not_before: after.notBefore?.toISOString() ?? null,
      payment_sid: payment.sid,
    },
  });
}

function conclusionOf(before: AutoRechargeRow, payment: PaymentRow, now: Date): Conclusion | null {
  if (payment.cardRef === null) return before.state === 'action_required' ? conclude(before, payment, now) : null;
  // An older charge that failed was reckoned with when it did; money and its confusion count whenever they come.
  const isOld = payment.sid !== before.lastPaymentSid;
  return isOld && (payment.state === 'failed' || payment.state === 'expired') ? null : conclude(before, payment, now);
}

const isSame = (a: Conclusion, b: Conclusion): boolean =>
  a.state === b.state &&
  a.reason === b.reason &&
  a.declines === b.declines &&
  a.notBefore?.getTime() === b.notBefore?.getTime();
