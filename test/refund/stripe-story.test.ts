import { afterEach, describe, expect, it } from 'vitest';
import { lookAtRefunds } from '../../src/operations/refund/look.ts';
import { asked, dollars, refundOf, refundsOf, send, standing } from '../support/refund-story.ts';
import { stripeStory, type StripeStory } from '../support/stripe-story.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});
const story = async (): Promise<StripeStory> => {
  const made = await stripeStory();
  ends.push(() => made.close());
  return made;
};

describe('refunds over Stripe’s wire', () => {
  it('C02 made in the dashboard, told twenty times and backwards, they leave once; one that fails comes back once', async () => {
    const { told, stripe, hear, open, sessionOf } = await story();
    const payment = await open('100.00');
    const session = await sessionOf(payment);
    stripe.turn({ duplicates: 20, reorderWindow: 1_000 });
    // C01: the refunds are made, and told, before anybody has heard of the payment.
    stripe.complete(session, 'paid');
    stripe.refund({ about: session, amountCents: 3_000 });
    const second = stripe.refund({ about: session, amountCents: 3_000, status: 'pending' });
    await hear();
    expect(await standing(told)).toEqual([dollars('40.00'), 0n, dollars('40.00')]);
    stripe.endRefund(second?.id ?? '', { status: 'failed' });
    await hear();
    expect(await standing(told)).toEqual([dollars('70.00'), 0n, dollars('70.00')]);
    expect((await refundsOf(told, payment.sid)).map(({ state }) => state).toSorted()).toEqual([
      'returned',
      'succeeded',
    ]);
    expect((await told.inbox()).filter(({ state }) => state === 'quarantined')).toEqual([]);
  });

  it('C06 made by us while Stripe’s answers are lost, there is one, and it ends as Stripe says', async () => {
    const { told, house, stripe, hear, open, sessionOf } = await story();
    const payment = await open('100.00');
    stripe.complete(await sessionOf(payment), 'paid');
    await hear();
    const refund = await asked(told, { payment, amount: '25.00', house });
    stripe.turn({ refundsAs: 'pending', faults: [{ kind: 'error-stored', method: 'POST', path: '/v1/refunds' }] });
    const sending = { is: true };
    const sent = send(told, refund.sid, house).finally(() => (sending.is = false));
    while (sending.is) await told.ports.clock.advance(250);
    await sent;
    expect((await refundOf(told, refund.sid)).state).toBe('unknown');
    stripe.turn({ faults: [] });
    await told.ports.clock.advance(60_000);
    await lookAtRefunds(house);
    const { state, refundRef } = await refundOf(told, refund.sid);
    expect([state, stripe.state.refunds.size]).toEqual(['pending', 1]);
    expect(await standing(told)).toEqual([dollars('75.00'), dollars('25.00'), dollars('100.00')]);
    stripe.endRefund(refundRef ?? '', { status: 'succeeded' });
    await hear();
    expect(await standing(told)).toEqual([dollars('75.00'), 0n, dollars('75.00')]);
  });
});
