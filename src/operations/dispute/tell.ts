import { formatDecimal } from '../../domain/money.ts';
import type { Tx } from '../../store/db.ts';
import type { DisputeRow } from '../../store/dispute.ts';
import type { PaymentRow } from '../../store/payment.ts';
import { emit } from '../event/emit.ts';
import type { House } from '../house.ts';

const NEWS = { open: 'dispute.opened', won: 'dispute.won', lost: 'dispute.lost' } as const;

interface Told {
  /** Null: it was not heard of before. */
  readonly before: DisputeRow | null;
  readonly after: DisputeRow;
  readonly payment: PaymentRow;
}

/** Tells others of a dispute that was opened or decided, in the transaction of the change. An inquiry moves nothing and is no news. */
export async function tellOfDispute(tx: Tx, house: House, { before, after, payment }: Told): Promise<void> {
  if (after.state === 'inquiry' || before?.state === after.state) return;
  // An inquiry that ended well froze nothing: there is nothing to be told of.
  if (after.state === 'won' && before?.state === 'inquiry') return;
  await emit(tx, house, {
    type: NEWS[after.state],
    of: after,
    facts: {
      dispute_sid: after.sid,
      payment_sid: after.paymentSid,
      provider: after.provider,
      amount: formatDecimal(after.amount),
      currency: payment.currency,
    },
  });
}
