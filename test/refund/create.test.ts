import { afterEach, describe, expect, it } from 'vitest';
import { auditList } from '../../src/operations/audit/list.ts';
import { billingFreeze } from '../../src/operations/billing/freeze.ts';
import { refundApprove } from '../../src/operations/refund/approve.ts';
import { refundCreate } from '../../src/operations/refund/create.ts';
import { lookAtRefunds } from '../../src/operations/refund/look.ts';
import { refundPlan } from '../../src/operations/refund/plan.ts';
import { refundQuote } from '../../src/operations/refund/quote.ts';
import { refundReject } from '../../src/operations/refund/reject.ts';
import { OPERATOR, paymentStory, type PaymentStory } from '../support/payment-story.ts';
import {
  asked,
  askRefund,
  codeOf,
  credited,
  dollars,
  look,
  refundOf,
  refundsOf,
  SECOND_OPERATOR,
  send,
  standing,
} from '../support/refund-story.ts';

let told: PaymentStory;
afterEach(() => told.close());

const DAY_MS = 86_400_000;
const [HUNDRED, NOTHING] = [dollars('100.00'), dollars('0.00')];

describe('a refund by us', () => {
  it('sets the money aside, asks once, and is final when the provider says so', async () => {
    told = await paymentStory();
    const payment = await credited(told);
    const refund = await asked(told, { payment, amount: '30.00' });
    expect(refund).toMatchObject({ state: 'requested', origin: 'operator', amount: '30.00', sent: null });
    expect(await standing(told)).toEqual([dollars('70.00'), dollars('30.00'), HUNDRED]);
    await send(told, refund.sid);
    expect(await standing(told)).toEqual([dollars('70.00'), NOTHING, dollars('70.00')]);
    expect(await refundOf(told, refund.sid)).toMatchObject({ state: 'succeeded', posted: dollars('30.00') });
    await send(told, refund.sid);
    await look(told, payment.sid);
    expect([told.bank.refundCalls, told.bank.refundsBy(refund.sid)]).toMatchObject([1, [{ state: 'succeeded' }]]);
    expect((await told.events()).map(({ kind }) => kind)).toEqual(['refund', 'top_up']);
  });

  it('the same key answers the same refund; another content under it is refused', async () => {
    told = await paymentStory();
    const payment = await credited(told);
    const first = await askRefund(told, { payment, amount: '30.00', key: 'one' });
    const again = await askRefund(told, { payment, amount: '30.00', key: 'one' });
    expect([again.status, again.body, again.replayed]).toEqual([201, first.body, true]);
    expect(codeOf(await askRefund(told, { payment, amount: '31.00', key: 'one' }))).toBe('422 idempotency_key_reused');
    expect(await refundsOf(told, payment.sid)).toHaveLength(1);
  });

  it('a quote says what a refund would do, and writes nothing', async () => {
    told = await paymentStory({ settings: { refundApprovalAbove: dollars('20.00') } });
    const payment = await credited(told);
    const input = { payment_sid: payment.sid, amount: '30.00' };
    const quote = await told.run(refundQuote, input, { actor: OPERATOR });
    expect(JSON.parse(quote.body)).toMatchObject({
      amount: '30.00',
      rail: 'direct',
      needs_approval: true,
      credit_balance: '100.00',
      credit_balance_after: '70.00',
    });
    // Also not what it was told by the provider on the way.
    told.bank.giveBack(payment.sid, { amount: dollars('90.00') });
    expect(codeOf(await told.run(refundQuote, input, { actor: OPERATOR }))).toBe('422 refund_exceeds_payment');
    expect(await refundsOf(told, payment.sid)).toEqual([]);
    expect(await standing(told)).toEqual([HUNDRED, NOTHING, HUNDRED]);
  });

  it.each([
    ['101.00', '422 refund_exceeds_payment'],
    ['100.01', '422 refund_exceeds_payment'],
    ['0.00', '422 amount_out_of_range'],
    ['0.001', '422 amount_out_of_range'],
  ])('C03 %s of 100.00 is refused: %s', async (amount, code) => {
    told = await paymentStory();
    const payment = await credited(told);
    await credited(told);
    expect(codeOf(await askRefund(told, { payment, amount }))).toBe(code);
    expect(await standing(told)).toEqual([dollars('200.00'), NOTHING, dollars('200.00')]);
  });

  it('C03 what others gave back at the provider a moment ago counts, although nobody has told us', async () => {
    told = await paymentStory();
    const payment = await credited(told);
    await credited(told);
    told.bank.giveBack(payment.sid, { amount: dollars('60.00') });
    expect(codeOf(await askRefund(told, { payment, amount: '60.00' }))).toBe('422 refund_exceeds_payment');
    await asked(told, { payment, amount: '40.00' });
    expect(await standing(told)).toEqual([dollars('100.00'), dollars('40.00'), dollars('140.00')]);
  });

  it('C03 C07 twenty refunds of 60 on 100 at once, by three processes: one succeeds, the others are refused', async () => {
    told = await paymentStory();
    const payment = await credited(told);
    await credited(told, '900.00');
    const houses = [told.house, told.anotherProcess().house, told.anotherProcess().house];
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        askRefund(told, { payment, amount: '60.00', ...(houses[index % 3] && { house: houses[index % 3] }) }),
      ),
    );
    expect(replies.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(new Set(replies.filter(({ status }) => status !== 201).map(codeOf))).toEqual(
      new Set(['409 state_conflict']),
    );
    const [refund] = await refundsOf(told, payment.sid);
    await Promise.all(houses.map((house) => send(told, refund?.sid ?? '', house)));
    expect(told.bank.refundsBy(refund?.sid ?? '')).toHaveLength(1);
    expect(codeOf(await askRefund(told, { payment, amount: '60.00' }))).toBe('422 refund_exceeds_payment');
    expect(await standing(told)).toEqual([dollars('940.00'), NOTHING, dollars('940.00')]);
  });

  it('a payment that was not credited, or whose refund is not answered, refuses another one', async () => {
    told = await paymentStory();
    const open = await told.opened('100.00');
    expect(codeOf(await askRefund(told, { payment: open, amount: '1.00' }))).toBe('409 state_conflict');
    const payment = await credited(told);
    await asked(told, { payment, amount: '1.00' });
    expect(codeOf(await askRefund(told, { payment, amount: '1.00' }))).toBe('409 state_conflict');
  });

  it('a payment in dispute gives nothing back', async () => {
    told = await paymentStory();
    const payment = await credited(told);
    const dispute = { disputeRef: 'du_1', amount: HUNDRED, fee: null, reason: null, evidenceDueBy: null } as const;
    for (const state of ['inquiry', 'open', 'lost'] as const) {
      told.bank.orderOf(payment.sid).disputes = [{ ...dispute, state }];
      const code = state === 'lost' ? '422 refund_exceeds_payment' : '409 state_conflict';
      expect(
        codeOf(await told.run(refundQuote, { payment_sid: payment.sid, amount: '1.00' }, { actor: OPERATOR })),
      ).toBe(code);
    }
  });
});

describe('C04 a refund of what was spent', () => {
  it('is refused where the policy denies it, to the cent', async () => {
    told = await paymentStory();
    const payment = await credited(told);
    await told.spend('40.005');
    expect(codeOf(await askRefund(told, { payment, amount: '60.00' }))).toBe('409 state_conflict');
    await asked(told, { payment, amount: '59.99' });
    expect(await standing(told)).toEqual([dollars('0.005'), dollars('59.99'), HUNDRED]);
  });

  it('takes the wallet below zero where the policy allows it', async () => {
    told = await paymentStory({ settings: { refundSpent: 'allow_negative' } });
    const payment = await credited(told);
    await told.spend('40.005');
    const refund = await asked(told, { payment, amount: '100.00' });
    await send(told, refund.sid);
    expect(await standing(told)).toEqual([dollars('-40.005'), NOTHING, NOTHING]);
    expect((await told.spendReply('0.01')).status).toBe(402);
  });

  it('what was given is spent first, and is never given back as money', async () => {
    told = await paymentStory();
    const payment = await credited(told);
    await told.grant('30.00');
    await told.spend('20.00');
    const plan = JSON.parse((await told.run(refundPlan, { sid: told.wallet.sid })).body) as Record<string, unknown>;
    expect(plan).toMatchObject({
      credit_balance: '110.00',
      granted: '10.00',
      refundable: '100.00',
      order: 'newest_first',
    });
    expect(plan['items']).toMatchObject([
      { payment_sid: payment.sid, left: '100.00', proposed: '100.00', rail: 'direct' },
    ]);
    await told.spend('30.00');
    expect(codeOf(await askRefund(told, { payment, amount: '80.01' }))).toBe('409 state_conflict');
    await asked(told, { payment, amount: '80.00' });
  });

  it('the plan divides what may go back over the payments, newest first, less what went back or waits', async () => {
    told = await paymentStory();
    const [old, young] = [await credited(told, '50.00'), await credited(told, '30.00')];
    const refund = await asked(told, { payment: young, amount: '10.00' });
    await told.spend('25.00');
    const plan = async () =>
      (
        JSON.parse((await told.run(refundPlan, { sid: told.wallet.sid })).body) as { items: Record<string, unknown>[] }
      ).items.map(({ payment_sid, refunded, left, proposed }) => [payment_sid, refunded, left, proposed]);
    const expected = [
      [young.sid, '10.00', '20.00', '20.00'],
      [old.sid, '0.00', '50.00', '25.00'],
    ];
    expect(await plan()).toEqual(expected);
    await send(told, refund.sid);
    expect(await plan()).toEqual(expected);
  });
});

describe('C15 who may', () => {
  it('without a reason nothing goes back', async () => {
    told = await paymentStory();
    const payment = await credited(told);
    for (const reason of [undefined, '', '   ']) {
      const input = { payment_sid: payment.sid, amount: '1.00', reason };
      expect(codeOf(await told.run(refundCreate, input, { key: 'k', actor: OPERATOR }))).toBe('400 invalid_request');
    }
  });

  it('above the limit a second operator approves; whoever asked may not; small ones add up', async () => {
    told = await paymentStory({ settings: { refundApprovalAbove: dollars('50.00') } });
    const payment = await credited(told);
    const small = await asked(told, { payment, amount: '50.00' });
    expect(small.state).toBe('requested');
    await send(told, small.sid);
    const refund = await asked(told, { payment, amount: '0.01' });
    expect(refund.state).toBe('awaiting_approval');
    await send(told, refund.sid);
    expect(told.bank.refundCalls).toBe(1);
    expect(await standing(told)).toEqual([dollars('49.99'), dollars('0.01'), dollars('50.00')]);
    const approve = (actor = OPERATOR) => told.run(refundApprove, { sid: refund.sid }, { actor });
    expect(codeOf(await approve())).toBe('403 forbidden');
    expect(JSON.parse((await approve(SECOND_OPERATOR)).body)).toMatchObject({
      state: 'requested',
      decided_by: 'admin:adm_2',
    });
    expect((await approve(SECOND_OPERATOR)).status).toBe(200);
    await send(told, refund.sid);
    expect(await refundOf(told, refund.sid)).toMatchObject({ state: 'succeeded', decidedBy: 'admin:adm_2' });
    const audit = await told.run(auditList, { subject: refund.sid }, { actor: OPERATOR });
    const { items } = JSON.parse(audit.body) as { items: { actor: string; action: string }[] };
    expect(items.map(({ actor, action }) => `${actor} ${action}`)).toEqual([
      'system:refund refund.settle',
      'admin:adm_2 refund.approve',
      'admin:adm_1 refund.create',
    ]);
  });

  it('what is rejected, or waits for a week, is back in the wallet and never sent', async () => {
    told = await paymentStory({ settings: { refundApprovalAbove: dollars('1.00') } });
    const payment = await credited(told);
    const refund = await asked(told, { payment, amount: '30.00' });
    const reject = () => told.run(refundReject, { sid: refund.sid, reason: 'not so' }, { actor: SECOND_OPERATOR });
    expect(JSON.parse((await reject()).body)).toMatchObject({ state: 'rejected', detail: 'not so' });
    expect((await reject()).status).toBe(200);
    expect(codeOf(await told.run(refundApprove, { sid: refund.sid }, { actor: SECOND_OPERATOR }))).toBe(
      '409 state_conflict',
    );
    expect(await standing(told)).toEqual([HUNDRED, NOTHING, HUNDRED]);
    const forgotten = await asked(told, { payment, amount: '30.00' });
    await told.ports.clock.advance(7 * DAY_MS - 1_000);
    await lookAtRefunds(told.house);
    expect((await refundOf(told, forgotten.sid)).state).toBe('awaiting_approval');
    await told.ports.clock.advance(1_000);
    await lookAtRefunds(told.house);
    expect((await refundOf(told, forgotten.sid)).state).toBe('rejected');
    expect(await standing(told)).toEqual([HUNDRED, NOTHING, HUNDRED]);
    expect(told.bank.refundCalls).toBe(0);
  });

  it('a user may where self-service is on, of their own, in its days, and what is left', async () => {
    told = await paymentStory();
    const payment = await credited(told);
    const byUser = { payment, amount: '30.00', actor: told.actor };
    expect(codeOf(await askRefund(told, byUser))).toBe('403 forbidden');
    const open = {
      ...told.house,
      settings: { ...told.house.settings, isRefundSelfService: true, refundSpent: 'allow_negative' },
    } as const;
    const stranger = {
      kind: 'user',
      id: 'user:01JD9ZQ4T2V6M0F8K3A5B7C9D1',
      userSid: '01JD9ZQ4T2V6M0F8K3A5B7C9D1',
    } as const;
    expect(codeOf(await askRefund(told, { ...byUser, actor: stranger, house: open }))).toBe('404 not_found');
    await told.spend('80.00');
    // The policy of debts is for operators.
    expect(codeOf(await askRefund(told, { ...byUser, house: open }))).toBe('409 state_conflict');
    await told.run(billingFreeze, { sid: told.wallet.sid, is_frozen: true, reason: 'a look' }, { actor: OPERATOR });
    expect(codeOf(await askRefund(told, { ...byUser, amount: '5.00', house: open }))).toBe('403 wallet_frozen');
    await told.run(billingFreeze, { sid: told.wallet.sid, is_frozen: false, reason: 'looked' }, { actor: OPERATOR });
    const refund = await asked(told, { ...byUser, amount: '5.00', house: open });
    expect(refund).toMatchObject({ origin: 'user', created_by: null });
    await send(told, refund.sid);
    await told.ports.clock.advance(31 * DAY_MS);
    expect(codeOf(await askRefund(told, { ...byUser, amount: '5.00', house: open }))).toBe('409 state_conflict');
    await asked(told, { payment, amount: '5.00' });
  });
});
