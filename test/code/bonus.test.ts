import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { billingDebit } from '../../src/operations/billing/debit.ts';
import { bonusList } from '../../src/operations/bonus/list.ts';
import { bonusSet } from '../../src/operations/bonus/set.ts';
import { codeCreate } from '../../src/operations/code/create.ts';
import { codeRedeem } from '../../src/operations/code/redeem.ts';
import { holdReserve } from '../../src/operations/hold/reserve.ts';
import { organisationCreate } from '../../src/operations/organisation/create.ts';
import type { Actor } from '../../src/operations/operation.ts';
import { ownCause } from '../../src/operations/payment/cause.ts';
import { paymentCreate } from '../../src/operations/payment/create.ts';
import { settlePayment } from '../../src/operations/payment/settle.ts';
import { refundReject } from '../../src/operations/refund/reject.ts';
import { readBonusOfUser } from '../../src/store/bonus.ts';
import { readWalletBySid } from '../../src/store/wallet.ts';
import { dispute } from '../support/paper-dispute.ts';
import { OPERATOR, paymentStory, type PaymentStory } from '../support/payment-story.ts';
import { asked, codeOf, dollars, look, send } from '../support/refund-story.ts';
import { newcomer, setRule, type Newcomer } from './newcomer.ts';

const DAY_MS = 86_400_000;

let told: PaymentStory;
beforeAll(async () => {
  told = await paymentStory({ settings: { openPaymentsMax: 100, disputeFreeze: 'amount' } });
});
afterAll(() => told.close());

const spend = (who: Newcomer, amount: string) =>
  told.run(
    billingDebit,
    { sid: who.wallet.sid, amount, description: 'used' },
    { key: `spend-${told.ports.ids.sid()}`, actor: OPERATOR },
  );

describe('the rule', () => {
  it('is none by default: a first top-up is what was paid', async () => {
    const who = await newcomer(told);
    await who.pay('25.00');
    expect([await who.holds(), await who.bonus()]).toEqual(['25000000 + 0', null]);
  });

  it('counts from its instant on, for payments that begin then, and ends with one that gives nothing', async () => {
    const [early, late, last] = [await newcomer(told), await newcomer(told), await newcomer(told)];
    const before = await early.begin('25.00');
    await told.ports.clock.advance(1_000);
    const from = told.ports.clock.now().toISOString();
    await setRule(told, { active_from: from });
    const during = await late.begin('25.00');
    await told.ports.clock.advance(1_000);
    await setRule(told, { percent: '0', bonus_max: undefined });
    const then = await last.begin('25.00');
    for (const payment of [before, during, then]) {
      told.bank.pay(payment.sid);
      await look(told, payment.sid);
    }
    expect([await early.holds(), await late.holds(), await last.holds()]).toEqual([
      '25000000 + 0',
      '25000000 + 2500000',
      '25000000 + 0',
    ]);
    await told.ports.clock.advance(1_000);
  });

  it.each([
    [{ percent: '10' }, '#/bonus_max'],
    [{ percent: '1000.01', bonus_max: '1.00' }, '#/percent'],
    [{ percent: '-1', bonus_max: '1.00' }, '#/percent'],
    [{ fixed: '0.001' }, '#/fixed'],
    [{ fixed: '1.00', top_up_min: 'x' }, '#/top_up_min'],
    [{ percent: '1', bonus_max: '0' }, '#/bonus_max'],
    [{ fixed: '1.00', active_from: '2020-01-01T00:00:00Z' }, '#/active_from'],
    [{ fixed: '1.00', credit_days: 0 }, '#/credit_days'],
  ])('%j is refused', async (rule, pointer) => {
    const reply = await told.run(bonusSet, rule, { actor: OPERATOR });
    expect(codeOf(reply)).toBe('400 invalid_request');
    expect(JSON.parse(reply.body)).toMatchObject({ errors: [{ pointer }] });
  });

  it('is one for each instant, is for admins to set, and for everybody to read', async () => {
    const activeFrom = new Date(told.ports.clock.now().getTime() + 400 * DAY_MS).toISOString();
    const rule = { fixed: '1.00', active_from: activeFrom };
    expect((await told.run(bonusSet, rule, { actor: OPERATOR })).status).toBe(201);
    expect(codeOf(await told.run(bonusSet, rule, { actor: OPERATOR }))).toBe('409 state_conflict');
    expect(codeOf(await told.run(bonusSet, rule))).toBe('403 forbidden');
    const finance = { kind: 'operator', id: 'operator:x', role: 'finance', userSid: null } as const;
    expect(codeOf(await told.run(bonusSet, rule, { actor: finance }))).toBe('403 forbidden');
    const listed = JSON.parse((await told.run(bonusList, { limit: 1 })).body) as { readonly items: unknown[] };
    expect(listed.items).toMatchObject([{ percent: '0', fixed: '1.00', active_from: activeFrom, bonus_max: null }]);
  });
});

describe('a first top-up', () => {
  let rule: string;
  beforeAll(async () => {
    rule = await setRule(told);
  });

  it('is given its bonus with the credit, once, and counts in lifetime_paid by what was paid', async () => {
    const who = await newcomer(told);
    const payment = await who.pay('30.00');
    for (let times = 0; times < 3; times += 1) await look(told, payment.sid);
    await who.pay('30.00');
    expect(await who.holds()).toBe('60000000 + 3000000');
    expect((await readWalletBySid(told.database.owner, who.wallet.sid))?.lifetimePaid).toBe(dollars('60.00'));
    expect(await who.bonus()).toMatchObject({
      paymentSid: payment.sid,
      ruleSid: rule,
      amount: dollars('3.00'),
      expiresAt: new Date(told.ports.clock.now().getTime() + 30 * DAY_MS),
    });
  });

  it('below the least is given nothing, and the next one is no first one', async () => {
    const who = await newcomer(told);
    await who.pay('9.99');
    await who.pay('100.00');
    expect([await who.holds(), await who.bonus()]).toEqual(['109990000 + 0', null]);
  });

  it('that is paid in two transfers is given it when both come to the least, and no more for the third', async () => {
    const who = await newcomer(told);
    const payment = await who.begin('20.00');
    told.bank.pay(payment.sid, { amount: 6_000_000n });
    await look(told, payment.sid);
    expect(await who.holds()).toBe('6000000 + 0');
    const order = told.bank.orderOf(payment.sid);
    const more = (paymentRef: string) => ({ paymentRef, amount: dollars('6.00'), refunds: [], disputes: [] });
    order.more = [more(`${order.paymentRef}-2`)];
    await look(told, payment.sid);
    expect(await who.holds()).toBe('12000000 + 1200000');
    order.more = [...order.more, more(`${order.paymentRef}-3`)];
    await look(told, payment.sid);
    expect(await who.holds()).toBe('18000000 + 1200000');
  });

  it('of two that are settled at once in several processes has one bonus', async () => {
    for (let round = 0; round < 2; round += 1) {
      const who = await newcomer(told);
      const payments = [await who.begin('20.00'), await who.begin('40.00'), await who.begin('10.00')];
      for (const { sid } of payments) told.bank.pay(sid);
      const houses = [told.house, told.anotherProcess().house, told.anotherProcess().house];
      await Promise.all(
        houses.flatMap((house) => payments.map(({ sid }) => settlePayment(house, sid, ownCause(house, 'webhook')))),
      );
      const bonus = await who.bonus();
      const given = { '20.00': '2000000', '40.00': '4000000', '10.00': '1000000' };
      const first = payments.find(({ sid }) => sid === bonus?.paymentSid);
      expect(await who.holds()).toBe(`70000000 + ${given[first?.amount as keyof typeof given]}`);
      for (const house of houses.slice(1)) await house.db.close();
    }
  });

  it('of an organisation is given nothing: whoever owns one could open another', async () => {
    const who = await newcomer(told);
    const reply = await told.run(organisationCreate, { name: 'Ada & Friends' }, { actor: who.actor });
    const made = JSON.parse(reply.body) as { readonly sid: string; readonly wallet_sid: string };
    const actor = { ...who.actor, memberships: new Map([[made.sid, 'owner']]) } as Actor;
    const wish = { provider: told.bank.name, amount: '50.00', wallet_sid: made.wallet_sid };
    const created = await told.run(paymentCreate, wish, { key: `top-up-${made.sid}`, actor });
    const { sid } = JSON.parse(created.body) as { readonly sid: string };
    told.bank.pay(sid);
    await look(told, sid);
    const paid = await readWalletBySid(told.database.owner, made.wallet_sid);
    expect([paid?.balance, await readBonusOfUser(told.database.owner, made.sid)]).toEqual([dollars('50.00'), null]);
    // Its owner has theirs still to come.
    await who.pay('10.00');
    expect(await who.holds()).toBe('10000000 + 1000000');
  });
});

describe('a code', () => {
  const redeem = (who: Newcomer, code: string, walletSid = who.wallet.sid, actor = who.actor) =>
    told.run(codeRedeem, { sid: walletSid, code }, { key: `redeem-${told.ports.ids.sid()}`, actor });

  it('for new customers is not for who has paid, nor for an organisation that they have just opened', async () => {
    const wish = { description: 'x', amount: '1.00', uses_max: 9, is_for_new_customers: true };
    await told.run(codeCreate, { ...wish, code: 'NEW-HERE' }, { actor: OPERATOR });
    const [payer, fresh] = [await newcomer(told), await newcomer(told)];
    await payer.pay('5.00');
    expect(codeOf(await redeem(payer, 'NEW-HERE'))).toBe('409 code_not_eligible');
    const reply = await told.run(organisationCreate, { name: 'Ada & Friends' }, { actor: payer.actor });
    const made = JSON.parse(reply.body) as { readonly sid: string; readonly wallet_sid: string };
    const asOwner = { ...payer.actor, memberships: new Map([[made.sid, 'owner']]) } as Actor;
    expect(codeOf(await redeem(payer, 'NEW-HERE', made.wallet_sid, asOwner))).toBe('409 code_not_eligible');
    expect((await redeem(fresh, 'NEW-HERE')).status).toBe(201);
  });

  it('for those who have paid so much is theirs from that top-up on', async () => {
    const wish = { description: 'x', amount: '1.00', uses_max: 9, lifetime_paid_min: '15.00' };
    await told.run(codeCreate, { ...wish, code: 'FRIEND' }, { actor: OPERATOR });
    const who = await newcomer(told);
    await who.pay('9.00');
    expect(codeOf(await redeem(who, 'FRIEND'))).toBe('409 code_not_eligible');
    await who.pay('6.00');
    expect((await redeem(who, 'FRIEND')).status).toBe(201);
    expect(await who.holds()).toBe('15000000 + 1000000');
  });

  it('for new customers and a first top-up at the same moment: whichever is first, the code knows', async () => {
    const wish = { description: 'x', amount: '1.00', uses_max: 9, is_for_new_customers: true };
    await told.run(codeCreate, { ...wish, code: 'AT-ONCE' }, { actor: OPERATOR });
    const who = await newcomer(told);
    const { sid } = await who.begin('5.00');
    told.bank.pay(sid);
    const { house } = told.anotherProcess();
    const [reply] = await Promise.all([redeem(who, 'AT-ONCE'), settlePayment(house, sid, ownCause(house, 'webhook'))]);
    const given = reply.status === 201 ? 1_000_000 : 0;
    expect(await who.holds()).toBe(`5000000 + ${given}`);
    expect([201, 409]).toContain(reply.status);
    await house.db.close();
  });
});

describe('what is left of a bonus', () => {
  it('is taken back as soon as a refund is asked for, and given again when it comes to nothing', async () => {
    const who = await newcomer(told);
    const payment = await who.pay('50.00');
    expect((await spend(who, '2.00')).status).toBe(200);
    expect(await who.holds()).toBe('50000000 + 3000000');
    told.bank.refundEnding = 'refused';
    const refund = await asked(told, { payment, amount: '1.00' });
    expect([await who.holds(), await who.bonus()]).toMatchObject([
      '49000000 + 0',
      { isStanding: false, takenBack: dollars('3.00') },
    ]);
    await send(told, refund.sid);
    expect([await who.holds(), await who.bonus()]).toMatchObject([
      '50000000 + 3000000',
      { isStanding: true, takenBack: 0n, step: 2 },
    ]);
    told.bank.refundEnding = 'succeeded';
    const again = await asked(told, { payment, amount: '1.00' });
    await send(told, again.sid);
    await look(told, payment.sid);
    expect([await who.holds(), await who.bonus()]).toMatchObject(['49000000 + 0', { isStanding: false, step: 3 }]);
  });

  it('is given again when no second operator approves the refund', async () => {
    const limited = await paymentStory({ settings: { refundApprovalAbove: dollars('1.00') } });
    await setRule(limited);
    const who = await newcomer(limited);
    const payment = await who.pay('50.00');
    const refund = await asked(limited, { payment, amount: '20.00' });
    expect(await who.holds()).toBe('30000000 + 0');
    const reply = await limited.run(refundReject, { sid: refund.sid, reason: 'no' }, { actor: OPERATOR });
    expect([reply.status, await who.holds()]).toEqual([200, '50000000 + 5000000']);
    await limited.close();
  });

  it('is taken back when somebody refunds at the provider, and that it was spent changes nothing else', async () => {
    const who = await newcomer(told);
    const payment = await who.pay('50.00');
    expect((await spend(who, '5.00')).status).toBe(200);
    told.bank.giveBack(payment.sid, { amount: dollars('50.00') });
    await look(told, payment.sid);
    expect([await who.holds(), await who.bonus()]).toMatchObject(['0 + 0', { isStanding: false, takenBack: 0n }]);
  });

  it('is taken back by a dispute, given again when it is won, and taken when another one is lost', async () => {
    const who = await newcomer(told);
    const payment = await who.pay('50.00');
    dispute(told.bank, payment.sid, { amount: 10_000_000n });
    await look(told, payment.sid);
    expect(await who.holds()).toBe('40000000 + 0');
    dispute(told.bank, payment.sid, { state: 'won' });
    await look(told, payment.sid);
    expect(await who.holds()).toBe('50000000 + 5000000');
    dispute(told.bank, payment.sid, { disputeRef: 'dp_2', state: 'lost', amount: 10_000_000n });
    await look(told, payment.sid);
    expect([await who.holds(), await who.bonus()]).toMatchObject(['40000000 + 0', { isStanding: false }]);
  });

  it('that stands though its payment does not is found by the ledger check (L41)', async () => {
    const who = await newcomer(told);
    await who.pay('20.00');
    const set = (isStanding: boolean) =>
      told.database.owner.query(
        { name: 'test.set_standing', text: 'update bonus set is_standing = $1 where user_sid = $2' },
        [isStanding, who.wallet.userSid],
      );
    await set(false);
    expect(await told.brokenPromises()).toEqual([expect.stringContaining('each bonus is of a payment')]);
    await set(true);
  });

  it('is not touched by an inquiry, stays good for a hold that has it, and does not last longer than it did', async () => {
    const who = await newcomer(told);
    const payment = await who.pay('50.00');
    dispute(told.bank, payment.sid, { state: 'inquiry', amount: 10_000_000n });
    await look(told, payment.sid);
    expect(await who.holds()).toBe('50000000 + 5000000');
    const hold = { wallet_sid: who.wallet.sid, amount: '2.00', description: 'a call' };
    const reserved = await told.run(holdReserve, hold, { key: `hold-${who.wallet.sid}`, actor: OPERATOR });
    expect([reserved.status, await who.holds()]).toEqual([201, '50000000 + 3000000']);
    dispute(told.bank, payment.sid, { state: 'open', amount: 10_000_000n });
    await look(told, payment.sid);
    expect([await who.holds(), await who.bonus()]).toMatchObject(['40000000 + 0', { takenBack: dollars('3.00') }]);
    await told.ports.clock.advance(31 * DAY_MS);
    dispute(told.bank, payment.sid, { state: 'won' });
    await look(told, payment.sid);
    expect([await who.holds(), await who.bonus()]).toMatchObject(['50000000 + 0', { isStanding: true, takenBack: 0n }]);
  });
});
