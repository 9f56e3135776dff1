import { formatDecimal } from '../../domain/money.ts';
import type { Conclusion } from '../../domain/auto-recharge/decide.ts';
import type { EventType } from '../../domain/event/types.ts';
import type { Tx } from '../../store/db.ts';
import type { PaymentRow } from '../../store/payment.ts';
import { emit } from '../event/emit.ts';
import type { House } from '../house.ts';

interface Told {
  readonly before: Conclusion;
  readonly after: Conclusion;
  /** The charge that ended. */
  readonly payment: PaymentRow;
}

/** Tells others what a charge of a saved card has come to, in the transaction in which it ends. One mail at most, about the worst. */
export async function tellOfRecharge(tx: Tx, house: House, { before, after, payment }: Told): Promise<void> {
  const news = newsOf(before, after, payment);
  for (const type of news) {
    await emit(tx, house, {
      type,
      of: payment,
      isMailed: type === news.at(-1),
      facts: {
        payment_sid: payment.sid,
        provider: payment.provider,
        amount: formatDecimal(payment.amount),
        currency: payment.currency,
        reason: after.reason,
      },
    });
  }
}

function newsOf(before: Conclusion, after: Conclusion, payment: PaymentRow): EventType[] {
  const news: EventType[] = [];
  if (after.declines > before.declines) news.push('auto_recharge.failed');
  if (after.state === 'action_required' && before.state !== 'action_required')
    news.push('auto_recharge.action_required');
  if (after.state === 'off' && before.state !== 'off') news.push('auto_recharge.disabled');
  if (payment.cardRef !== null && payment.state === 'credited') news.push('auto_recharge.succeeded');
  return news;
}
