import { afterEach, describe, expect, it } from 'vitest';
import { ownCause } from '../../src/operations/payment/cause.ts';
import { settlePayment } from '../../src/operations/payment/settle.ts';
import { closeStories, sweep, type Flow } from '../support/crash-sweep.ts';
import { dispute } from '../support/paper-dispute.ts';
import type { PaymentStory } from '../support/payment-story.ts';

afterEach(closeStories);
const timeout = 180_000;

const paymentOf = (told: PaymentStory): string => {
  const [order] = [...told.bank.orders.values()];
  if (!order?.paymentSid) throw new Error('there is an order of ours');
  return order.paymentSid;
};

/** What the job of a webhook does, and does again when it was not finished. */
const look: Flow['act'] = async (told, { house }) => {
  await settlePayment(house, paymentOf(told), ownCause(house, 'webhook'));
};

const credited = async (told: PaymentStory): Promise<string> => {
  const payment = await told.paid();
  await settlePayment(told.house, payment.sid, ownCause(told.house, 'webhook'));
  return payment.sid;
};

describe('G01 a process that dies anywhere leaves a dispute that is followed once', () => {
  it('lost, and never heard of before: set aside and written off, each once', { timeout }, async () => {
    const flow: Flow = {
      prepare: async (told) => {
        dispute(told.bank, await credited(told), { state: 'lost' });
      },
      act: look,
      recover: look,
      verify: async (told) => {
        expect(await told.cents()).toBe(0n);
        expect((await told.events()).map(({ kind }) => kind).toSorted()).toEqual([
          'dispute_lost',
          'dispute_opened',
          'top_up',
        ]);
      },
    };
    const survived = await sweep('dispute, lost', flow);
    expect(survived).toBeGreaterThan(20);
  });

  it('won: the money is back and the wallet is thawed, once', { timeout }, async () => {
    const flow: Flow = {
      prepare: async (told) => {
        const sid = await credited(told);
        dispute(told.bank, sid);
        await settlePayment(told.house, sid, ownCause(told.house, 'webhook'));
        dispute(told.bank, sid, { state: 'won' });
      },
      act: look,
      recover: look,
      verify: async (told) => {
        expect(await told.cents()).toBe(2500n);
        expect(await told.events()).toHaveLength(3);
      },
    };
    const survived = await sweep('dispute, won', flow);
    expect(survived).toBeGreaterThan(20);
  });
});
