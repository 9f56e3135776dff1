import { afterEach, describe, expect, it } from 'vitest';
import { refundCheck } from '../../src/operations/refund/check.ts';
import { lookAtRefunds } from '../../src/operations/refund/look.ts';
import { OPERATOR, paymentStory, type PaymentStory } from '../support/payment-story.ts';
import { asked, credited, dollars, look, refundOf, send, standing } from '../support/refund-story.ts';

let told: PaymentStory;
afterEach(() => told.close());

const DAY_MS = 86_400_000;
const [HUNDRED, NOTHING] = [dollars('100.00'), dollars('0.00')];

describe('C05 a refund of ours that ends otherwise', () => {
  it('refused by the provider: the wallet has it back, and the payment may give back again', async () => {
    told = await paymentStory();
    const payment = await credited(told);
    told.bank.refundEnding = 'refused';
    const refund = await asked(told, { payment, amount: '30.00' });
    await send(told, refund.sid);
    expect(await refundOf(told, refund.sid)).toMatchObject({
      state: 'failed',
      posted: null,
      detail: 'The bank says no.',
    });
    expect(await standing(told)).toEqual([HUNDRED, NOTHING, HUNDRED]);
    told.bank.refundEnding = 'succeeded';
    await send(told, (await asked(told, { payment, amount: '30.00' })).sid);
    expect(await standing(told)).toEqual([dollars('70.00'), NOTHING, dollars('70.00')]);
  });

  it('pending, then failed: what was set aside goes back, and no payment event says that it left', async () => {
    told = await paymentStory();
    const payment = await credited(told);
    told.bank.refundEnding = 'pending';
    const refund = await asked(told, { payment, amount: '30.00' });
    await send(told, refund.sid);
    const { refundRef } = await refundOf(told, refund.sid);
    expect(await standing(told)).toEqual([dollars('70.00'), dollars('30.00'), HUNDRED]);
    told.bank.endRefund(refundRef ?? '', 'failed', 'declined');
    await look(told, payment.sid);
    expect(await refundOf(told, refund.sid)).toMatchObject({ state: 'failed', detail: 'declined' });
    expect(await standing(told)).toEqual([HUNDRED, NOTHING, HUNDRED]);
    expect((await told.events()).map(({ kind }) => kind)).toEqual(['top_up']);
  });

  it('pending, and nobody tells us: it is asked about until it has left, and a month long whether it came back', async () => {
    told = await paymentStory();
    const payment = await credited(told);
    told.bank.refundEnding = 'pending';
    const refund = await asked(told, { payment, amount: '30.00' });
    await send(told, refund.sid);
    const { refundRef } = await refundOf(told, refund.sid);
    await told.ports.clock.advance(60_000);
    await lookAtRefunds(told.house);
    expect((await refundOf(told, refund.sid)).state).toBe('pending');
    told.bank.endRefund(refundRef ?? '', 'succeeded');
    await told.ports.clock.advance(3_600_000);
    await lookAtRefunds(told.house);
    expect(await standing(told)).toEqual([dollars('70.00'), NOTHING, dollars('70.00')]);
    told.bank.endRefund(refundRef ?? '', 'failed', 'the account is closed');
    await told.ports.clock.advance(DAY_MS);
    await lookAtRefunds(told.house);
    expect(await refundOf(told, refund.sid)).toMatchObject({ state: 'returned', detail: 'the account is closed' });
    expect(await standing(told)).toEqual([HUNDRED, NOTHING, HUNDRED]);
    expect((await refundOf(told, refund.sid)).nextCheckAt).toBeNull();
  });
});

describe('C06 a provider that does not say', () => {
  it.each(['lost_before', 'lost_after'] as const)(
    '%s: unknown, asked with the same key until known, one refund',
    async (fault) => {
      told = await paymentStory();
      const payment = await credited(told);
      const refund = await asked(told, { payment, amount: '30.00' });
      told.bank.fault = fault;
      await send(told, refund.sid);
      expect((await refundOf(told, refund.sid)).state).toBe('unknown');
      expect(await standing(told)).toEqual([dollars('70.00'), dollars('30.00'), HUNDRED]);
      for (let hour = 0; hour < 3; hour += 1) {
        await told.ports.clock.advance(3_600_000);
        await lookAtRefunds(told.house);
      }
      told.bank.fault = 'none';
      await told.ports.clock.advance(3_600_000);
      await lookAtRefunds(told.house);
      expect((await refundOf(told, refund.sid)).state).toBe('succeeded');
      expect(told.bank.refundsBy(refund.sid)).toHaveLength(1);
      expect(await standing(told)).toEqual([dollars('70.00'), NOTHING, dollars('70.00')]);
    },
  );

  it('whose answer was lost, and that then refuses to be asked: it is no "no", and nothing goes back to the wallet', async () => {
    told = await paymentStory();
    const payment = await credited(told);
    const refund = await asked(told, { payment, amount: '30.00' });
    told.bank.fault = 'lost_after';
    await send(told, refund.sid);
    told.bank.fault = 'refuses';
    await told.ports.clock.advance(3_600_000);
    await lookAtRefunds(told.house);
    expect(await refundOf(told, refund.sid)).toMatchObject({ state: 'unknown', posted: null });
    expect(await standing(told)).toEqual([dollars('70.00'), dollars('30.00'), HUNDRED]);
    told.bank.fault = 'none';
    await told.ports.clock.advance(3_600_000);
    await lookAtRefunds(told.house);
    expect((await refundOf(told, refund.sid)).state).toBe('succeeded');
    expect(told.bank.refundsBy(refund.sid)).toHaveLength(1);
  });

  it('an operator who asks again gets the one refund that was made', async () => {
    told = await paymentStory();
    const payment = await credited(told);
    const refund = await asked(told, { payment, amount: '30.00' });
    told.bank.fault = 'lost_after';
    await send(told, refund.sid);
    told.bank.fault = 'none';
    const reply = await told.run(refundCheck, { sid: refund.sid }, { actor: OPERATOR });
    expect(JSON.parse(reply.body)).toMatchObject({ state: 'succeeded', sent: '30.00' });
    expect(told.bank.refundCalls).toBe(1);
  });

  it('I02 a provider that is broken, or away, leaves it requested; the customer sees no error', async () => {
    told = await paymentStory();
    const payment = await credited(told);
    const refund = await asked(told, { payment, amount: '30.00' });
    told.bank.fault = 'broken';
    await send(told, refund.sid);
    expect(await refundOf(told, refund.sid)).toMatchObject({ state: 'requested', checks: 1 });
    told.bank.fault = 'none';
    await told.ports.clock.advance(60_000);
    await lookAtRefunds(told.house);
    expect((await refundOf(told, refund.sid)).state).toBe('succeeded');
  });

  it('I03 another amount than asked: what really left is posted, the rest is back in the wallet, and somebody is told', async () => {
    told = await paymentStory();
    const payment = await credited(told);
    const refund = await asked(told, { payment, amount: '30.00' });
    told.bank.giveBack(payment.sid, { amount: dollars('20.00'), refundSid: refund.sid });
    await send(told, refund.sid);
    expect(await refundOf(told, refund.sid)).toMatchObject({ state: 'succeeded', posted: dollars('20.00') });
    expect(await standing(told)).toEqual([dollars('80.00'), NOTHING, dollars('80.00')]);
    expect(told.ports.log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  it('a refund that we gave up and the provider has made all the same is taken from the wallet', async () => {
    told = await paymentStory();
    const payment = await credited(told);
    told.bank.refundEnding = 'refused';
    const refund = await asked(told, { payment, amount: '30.00' });
    await send(told, refund.sid);
    await told.spend('90.00');
    told.bank.giveBack(payment.sid, { amount: dollars('30.00'), refundSid: refund.sid });
    await look(told, payment.sid);
    expect(await refundOf(told, refund.sid)).toMatchObject({ state: 'succeeded', posted: dollars('30.00') });
    expect(await standing(told)).toEqual([dollars('-20.00'), NOTHING, dollars('70.00')]);
  });
});
