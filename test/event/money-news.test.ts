import { afterEach, describe, expect, it } from 'vitest';
import { listEvents } from '../../src/store/event.ts';
import type { ProviderDispute } from '../../src/providers/provider.ts';
import { paymentStory, type PaymentStory } from '../support/payment-story.ts';
import { credited, dollars, look } from '../support/refund-story.ts';

let told: PaymentStory;
afterEach(() => told.close());

const types = async (): Promise<string[]> => {
  const page = { before: null, owners: [told.wallet.userSid], type: null, limit: 100 } as const;
  return (await listEvents(told.database.owner, page)).toReversed().map(({ type }) => type);
};

/** Looks twice: what is settled again is not told again. */
async function lookTwice(sid: string): Promise<void> {
  await look(told, sid);
  await look(told, sid);
}

describe('money that goes back is told of, once for each change', () => {
  it('a refund at the provider when the money has left, and when it is back', async () => {
    told = await paymentStory();
    const payment = await credited(told);
    const refund = told.bank.giveBack(payment.sid, { amount: dollars('30.00') });
    await lookTwice(payment.sid);
    expect(await types()).toEqual(['payment.credited', 'refund.succeeded']);
    told.bank.endRefund(refund.refundRef, 'failed');
    await lookTwice(payment.sid);
    expect(await types()).toEqual(['payment.credited', 'refund.succeeded', 'refund.failed']);
  });

  it('a dispute when it is opened and when it is decided; an inquiry is no news', async () => {
    told = await paymentStory();
    const payment = await credited(told);
    const order = told.bank.orderOf(payment.sid);
    const dispute = (state: ProviderDispute['state']): void => {
      const [amount, fee] = [dollars('100.00'), state === 'inquiry' ? null : dollars('15.00')];
      order.disputes = [{ disputeRef: 'dp_1', state, amount, fee, reason: 'fraudulent', evidenceDueBy: null }];
    };
    const seen: string[][] = [];
    for (const state of ['inquiry', 'open', 'lost'] as const) {
      dispute(state);
      await lookTwice(payment.sid);
      seen.push((await types()).slice(1));
    }
    expect(seen).toEqual([[], ['dispute.opened'], ['dispute.opened', 'dispute.lost']]);
  });
});
