import { micros } from '../../src/domain/money.ts';
import type { ProviderDispute } from '../../src/providers/provider.ts';
import type { PaperBank } from './paper-bank.ts';

export type DisputeNews = Partial<Omit<ProviderDispute, 'amount'>> & { readonly amount?: bigint };

/** What the bank says of a dispute from now on; the whole payment is disputed unless the news says less. */
export function dispute(bank: PaperBank, paymentSid: string, news: DisputeNews = {}): ProviderDispute {
  const order = bank.orderOf(paymentSid);
  const disputeRef = `${news.disputeRef ?? 'dp_1'}_${order.orderRef}`;
  const known = order.disputes.find((one) => one.disputeRef === disputeRef);
  const told: ProviderDispute = {
    state: 'open',
    fee: null,
    reason: 'fraudulent',
    evidenceDueBy: null,
    ...known,
    ...news,
    disputeRef,
    amount: micros(news.amount ?? known?.amount ?? order.amountReceived ?? 0n),
  };
  order.disputes = [...order.disputes.filter((one) => one.disputeRef !== disputeRef), told];
  return told;
}
