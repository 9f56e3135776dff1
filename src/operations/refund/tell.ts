import { formatDecimal } from '../../domain/money.ts';
import { isOurs } from '../../domain/refund/state.ts';
import type { EventType } from '../../domain/event/types.ts';
import type { Tx } from '../../store/db.ts';
import type { RefundRow } from '../../store/refund.ts';
import { emit } from '../event/emit.ts';
import type { House } from '../house.ts';

/** Tells others of a refund that came to another state, where that is news; in the transaction of the change. */
export async function tellOfRefund(tx: Tx, house: House, before: RefundRow | null, after: RefundRow): Promise<void> {
  if (before?.state === after.state) return;
  const type = newsOf(before, after);
  if (type === null) return;
  await emit(tx, house, {
    type,
    of: after,
    facts: {
      refund_sid: after.sid,
      payment_sid: after.paymentSid,
      provider: after.provider,
      origin: after.origin,
      state: after.state,
      amount: formatDecimal(after.posted ?? after.amount),
      currency: after.currency,
    },
  });
}

/** What others made at the provider is told of once the money has left, and once it is back. */
function newsOf(before: RefundRow | null, { state, origin }: RefundRow): EventType | null {
  if (before === null) return isOurs(origin) ? 'refund.requested' : null;
  if (state === 'succeeded') return origin === 'rail' ? 'payment.reversed' : 'refund.succeeded';
  if (state === 'returned' || state === 'rejected') return 'refund.failed';
  return state === 'failed' && isOurs(origin) ? 'refund.failed' : null;
}
