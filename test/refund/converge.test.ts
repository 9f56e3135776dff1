import * as fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { reconcilePayments } from '../../src/operations/payment/reconcile.ts';
import type { ProviderRefund } from '../../src/providers/provider.ts';
import { paymentStory, type PaymentStory } from '../support/payment-story.ts';
import { propertySeed } from '../support/property-seed.ts';
import { credited, dollars, look, refundsOf, standing } from '../support/refund-story.ts';

let told: PaymentStory;
afterEach(() => told.close());

const [HUNDRED, NOTHING] = [dollars('100.00'), dollars('0.00')];

describe('refunds that somebody makes at the provider', () => {
  it('C01 a refund that comes before its credit waits for it, and is applied right after it', async () => {
    told = await paymentStory();
    const payment = await told.paid('100.00');
    told.bank.giveBack(payment.sid, { amount: dollars('30.00') });
    const order = told.bank.orderOf(payment.sid);
    await told.deliver(told.bank.webhook('charge.refunded', order));
    await told.drain();
    expect(await standing(told)).toEqual([dollars('70.00'), NOTHING, dollars('70.00')]);
    expect((await told.events()).map(({ kind, amount }) => [kind, amount])).toEqual([
      ['refund', dollars('-30.00')],
      ['top_up', HUNDRED],
    ]);
    expect((await told.inbox()).map(({ state }) => state)).toEqual(['applied']);
  });

  it('C02 partial refunds 30 + 30 + 40, each heard of often and in any order, are three postings', async () => {
    told = await paymentStory();
    const payment = await credited(told);
    for (const amount of ['30.00', '30.00', '40.00']) {
      told.bank.giveBack(payment.sid, { amount: dollars(amount) });
      await look(told, payment.sid);
      await look(told, payment.sid);
    }
    expect(await standing(told)).toEqual([NOTHING, NOTHING, NOTHING]);
    expect((await refundsOf(told, payment.sid)).map(({ state, posted }) => [state, posted])).toEqual([
      ['succeeded', dollars('30.00')],
      ['succeeded', dollars('30.00')],
      ['succeeded', dollars('40.00')],
    ]);
    expect((await told.payment(payment.sid)).state).toBe('credited');
  });

  it('C03 what is more than was paid is set aside with an alert, and nothing of it is posted', async () => {
    told = await paymentStory();
    const payment = await credited(told);
    told.bank.giveBack(payment.sid, { amount: dollars('60.00') });
    const tooMuch = told.bank.giveBack(payment.sid, { amount: dollars('60.00') });
    await look(told, payment.sid);
    expect(await standing(told)).toEqual([dollars('40.00'), NOTHING, dollars('40.00')]);
    expect((await refundsOf(told, payment.sid)).map(({ state }) => state)).toEqual(['succeeded', 'quarantined']);
    expect(told.ports.log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    // When it turns out to fit after all, it is posted.
    told.bank.endRefund('re_2', 'failed');
    await look(told, payment.sid);
    const [first] = await refundsOf(told, payment.sid);
    expect([tooMuch.refundRef, first?.state]).toEqual(['re_3', 'returned']);
    expect(await standing(told)).toEqual([dollars('40.00'), NOTHING, dollars('40.00')]);
    expect((await refundsOf(told, payment.sid)).map(({ state }) => state)).toEqual(['returned', 'succeeded']);
  });

  it('C04 money that was spent and is given back at the provider is owed, to the micro-dollar', async () => {
    told = await paymentStory();
    const payment = await credited(told);
    await told.spend('90.50');
    told.bank.giveBack(payment.sid, { amount: HUNDRED });
    await look(told, payment.sid);
    expect(await standing(told)).toEqual([dollars('-90.50'), NOTHING, NOTHING]);
    expect((await told.spendReply('0.01')).status).toBe(402);
    await credited(told, '95.00');
    expect((await told.spendReply('4.50')).status).toBe(200);
    expect(await standing(told)).toEqual([NOTHING, NOTHING, dollars('95.00')]);
  });

  it('C05 a pending refund that fails is given back by a new posting, once', async () => {
    told = await paymentStory();
    const payment = await credited(told);
    const { refundRef } = told.bank.giveBack(payment.sid, { amount: dollars('25.00'), state: 'pending' });
    await look(told, payment.sid);
    expect(await standing(told)).toEqual([dollars('75.00'), NOTHING, dollars('75.00')]);
    told.bank.endRefund(refundRef, 'failed', 'expired_or_canceled_card');
    await look(told, payment.sid);
    await look(told, payment.sid);
    expect(await standing(told)).toEqual([HUNDRED, NOTHING, HUNDRED]);
    expect((await told.events()).map(({ kind }) => kind)).toEqual(['refund_returned', 'refund', 'top_up']);
    expect(await refundsOf(told, payment.sid)).toMatchObject([
      { state: 'returned', detail: 'expired_or_canceled_card', origin: 'provider' },
    ]);
  });

  it('what the rail takes back is a reversal', async () => {
    told = await paymentStory();
    const payment = await credited(told);
    const { paymentRef } = told.bank.orderOf(payment.sid);
    told.bank.giveBack(payment.sid, { amount: HUNDRED, refundRef: `${paymentRef}:reversed` });
    await look(told, payment.sid);
    expect((await told.events()).map(({ kind }) => kind)).toEqual(['reversal', 'top_up']);
    expect(await refundsOf(told, payment.sid)).toMatchObject([{ origin: 'rail', state: 'succeeded' }]);
  });

  it('a refund that the provider tells of two payments counts once', async () => {
    told = await paymentStory();
    const [one, two] = [await credited(told), await credited(told)];
    for (const { sid } of [one, two]) {
      told.bank.giveBack(sid, { amount: dollars('10.00'), refundRef: 're_same' });
      await look(told, sid);
    }
    expect(await standing(told)).toEqual([dollars('190.00'), NOTHING, dollars('190.00')]);
    expect(await refundsOf(told, two.sid)).toEqual([]);
  });

  it('a refund of nothing, or of less, is told of and never kept', async () => {
    told = await paymentStory();
    const payment = await credited(told);
    told.bank.giveBack(payment.sid, { amount: NOTHING });
    told.bank.giveBack(payment.sid, { amount: dollars('-5.00') });
    await look(told, payment.sid);
    expect(await standing(told)).toEqual([HUNDRED, NOTHING, HUNDRED]);
    expect(await refundsOf(told, payment.sid)).toEqual([]);
  });

  it('two processes that hear of it at once, and the reconciler, post it once', async () => {
    told = await paymentStory();
    const payment = await credited(told);
    told.bank.giveBack(payment.sid, { amount: dollars('30.00') });
    const others = [told.anotherProcess().house, told.anotherProcess().house];
    await Promise.all([
      ...others.map((house) => look(told, payment.sid, house)),
      ...Array.from({ length: 10 }, () => look(told, payment.sid)),
      reconcilePayments(told.house),
    ]);
    expect(await standing(told)).toEqual([dollars('70.00'), NOTHING, dollars('70.00')]);
  });
});

describe('C02 any news of partial refunds, in any order and however often', () => {
  interface Piece {
    readonly amount: bigint;
    readonly path: readonly ProviderRefund['state'][];
  }
  const PATHS: readonly Piece['path'][] = [
    ['succeeded'],
    ['pending'],
    ['failed'],
    ['pending', 'succeeded'],
    ['pending', 'failed'],
    ['succeeded', 'failed'],
    ['pending', 'succeeded', 'failed'],
  ];
  const pieces = fc.array(fc.record({ amount: fc.bigInt(1n, 2_500n), path: fc.constantFrom(...PATHS) }), {
    minLength: 1,
    maxLength: 4,
  });

  it('ends at the provider’s truth, also when old truth is read after new', async () => {
    told = await paymentStory({ settings: { openPaymentsMax: 1_000_000 } });
    let expected = 0n;
    await fc.assert(
      fc.asyncProperty(pieces, fc.infiniteStream(fc.nat(1_000_000)), async (list, dice) => {
        const next = (below: number): number => Number(dice.next().value) % below;
        const payment = await credited(told, '100.00');
        const order = told.bank.orderOf(payment.sid);
        // The bank's own history: each refund walks its path, interleaved by the dice.
        const history: ProviderRefund[][] = [];
        const at = list.map(() => 0);
        const made = new Map<number, ProviderRefund>();
        while (at.some((step, index) => step < (list[index]?.path.length ?? 0))) {
          const index = next(list.length);
          const piece = list[index];
          const state = piece?.path[at[index] ?? 0];
          if (!piece || state === undefined) continue;
          at[index] = (at[index] ?? 0) + 1;
          made.set(index, {
            refundRef: `re_${payment.sid}_${index}`,
            refundSid: null,
            amount: (dollars('0.01') * piece.amount) as ProviderRefund['amount'],
            state,
            fee: null,
            claimUrl: null,
            detail: null,
          });
          history.push([...made.values()]);
        }
        // What we read of it: any moments, in any order; and at the end the present.
        const looks = Array.from({ length: 1 + next(3) }, () => next(history.length));
        for (const moment of [...looks, history.length - 1]) {
          order.refunds = history[moment] ?? [];
          await look(told, payment.sid);
        }
        const away = list.filter(({ path }) => path.at(-1) !== 'failed').reduce((sum, { amount }) => sum + amount, 0n);
        expected += 10_000n - away;
        expect(await told.cents()).toBe(expected);
        const truth = order.refunds.toSorted((a, b) => (a.refundRef < b.refundRef ? -1 : 1));
        const rows = (await refundsOf(told, payment.sid)).toSorted((a, b) =>
          (a.refundRef ?? '') < (b.refundRef ?? '') ? -1 : 1,
        );
        expect(rows.map((row) => (row.state === 'returned' ? 'failed' : row.state))).toEqual(
          truth.map(({ state }) => state),
        );
      }),
      { seed: propertySeed('C02 partial refunds'), numRuns: 40 },
    );
  });
});
