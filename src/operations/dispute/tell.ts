import { formatDecimal } from '../../domain/money.ts';
import type { Tx } from '../../store/db.ts';
import type { DisputeRow } from '../../store/dispute.ts';
import { emit } from '../event/emit.ts';
import type { House } from '../house.ts';

/**
 * Tells the customer, and whoever listens, what has become of a dispute. Once for each change of its state; an inquiry, and one that ended
 * as it began, with no money moved, are nobody's news.
 */
export async function tellOfDispute(
  tx: Tx,
  house: House,
  { before, dispute }: { readonly before: DisputeRow | null; readonly dispute: DisputeRow },
): Promise<void> {
  const { state } = dispute;
  if (state === before?.state || state === 'inquiry') return;
  const wasTaken = before?.state === 'open' || before?.state === 'lost';
  if (state === 'won' && !wasTaken) return;
  await emit(tx, house, {
    type: state === 'open' ? 'dispute.opened' : state === 'won' ? 'dispute.won' : 'dispute.lost',
    of: dispute,
    facts: {
      dispute_sid: dispute.sid,
      payment_sid: dispute.paymentSid,
      amount: formatDecimal(dispute.amount),
      frozen: formatDecimal(dispute.frozen),
      lost: formatDecimal(dispute.lost),
    },
  });
}
