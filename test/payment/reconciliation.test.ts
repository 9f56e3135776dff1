import { afterEach, describe, expect, it } from 'vitest';
import { micros } from '../../src/domain/money.ts';
import { movementAssign } from '../../src/operations/movement/assign.ts';
import { movementList } from '../../src/operations/movement/list.ts';
import { movementRefund } from '../../src/operations/movement/refund.ts';
import { sendAllBack } from '../../src/operations/movement/send-back.ts';
import { movementSuspend } from '../../src/operations/movement/suspend.ts';
import type { Movement } from '../../src/operations/movement/movement.ts';
import { paymentCheck } from '../../src/operations/payment/check.ts';
import { ownCause } from '../../src/operations/payment/cause.ts';
import { settlePayment } from '../../src/operations/payment/settle.ts';
import { dispute } from '../support/paper-dispute.ts';
import { reconcileAll } from '../../src/operations/reconciliation/reconcile-all.ts';
import { reconciliationReport } from '../../src/operations/reconciliation/report.ts';
import type { AccountReport } from '../../src/operations/reconciliation/unexplained.ts';
import type { ProviderMovement } from '../../src/providers/provider.ts';
import { lookAtRefunds } from '../../src/operations/refund/look.ts';
import { testHouse } from '../support/house.ts';
import { PaperBank } from '../support/paper-bank.ts';
import { OPERATOR, paymentStory, type PaymentStory } from '../support/payment-story.ts';
import { asked, credited, refundOf, send } from '../support/refund-story.ts';

const stories: PaymentStory[] = [];
async function story(): Promise<PaymentStory> {
  const made = await paymentStory();
  stories.push(made);
  return made;
}
afterEach(async () => {
  for (const made of stories.splice(0)) await made.close();
});

const HOUR = 3_600_000;

async function report(told: PaymentStory): Promise<AccountReport> {
  const { body } = await told.run(reconciliationReport, {}, { actor: OPERATOR });
  const [account] = (JSON.parse(body) as { accounts: AccountReport[] }).accounts;
  if (!account) throw new Error('no statement was read');
  return account;
}

async function movements(told: PaymentStory, input: object = {}): Promise<Movement[]> {
  const { body } = await told.run(movementList, input, { actor: OPERATOR });
  return (JSON.parse(body) as { items: Movement[] }).items;
}

async function balanceOf(told: PaymentStory, code: string): Promise<bigint> {
  const rows = await told.database.owner.query<{ sum: bigint }>(
    {
      name: 'test.balance_of',
      text: 'select coalesce(sum(amount), 0)::int8 as sum from batch_leg join system_account on id = account where code = $1',
    },
    [code],
  );
  return rows[0]?.sum ?? 0n;
}

/** Money in the account that no order of ours brought. */
function strange(told: PaymentStory, ref: string, given: Partial<ProviderMovement> = {}): void {
  const at = told.ports.clock.now();
  told.bank.lines.push(
    told.bank.line(ref, { kind: 'payment', amount: micros(7_000_000n), at, paymentRef: `pi_${ref}`, ...given }),
  );
}

const decide = (
  told: PaymentStory,
  operation: Parameters<PaymentStory['run']>[0],
  input: object,
  key = `key-${told.ports.ids.sid()}`,
) => told.run(operation, input, { actor: OPERATOR, key });

describe('a statement that agrees', () => {
  it('is explained to the cent, fees and payouts included, however often and by how many it is read', async () => {
    const told = await story();
    told.bank.fee = 1_025_000n;
    for (const amount of ['25.00', '10.00', '99.99']) {
      const payment = await told.paid(amount);
      await told.run(paymentCheck, { sid: payment.sid });
    }
    const at = told.ports.clock.now();
    told.bank.lines.push(
      told.bank.line('po_1', { kind: 'payout', amount: micros(-100_000_000n), at }),
      told.bank.line('fee_1', { kind: 'fee', amount: micros(-2_000_000n), at }),
    );
    const other = told.anotherProcess();
    await Promise.all([reconcileAll(told.house), reconcileAll(other.house)]);
    await reconcileAll(told.house);
    expect(await report(told)).toMatchObject({
      lines: 5,
      moved: '32.99',
      fees: '3.075',
      statement: '29.915',
      books: '29.915',
      unexplained: '0.00',
      remainder: '0.00',
      items: [],
    });
    expect(await balanceOf(told, 'expense:provider_fees')).toBe(-5_075_000n);
    expect(await balanceOf(told, 'bank')).toBe(-100_000_000n);
    expect((await movements(told)).filter(({ state }) => state !== 'matched')).toEqual([]);
  });

  it('B09 settles a payment whose every webhook was lost before it is compared', async () => {
    const told = await story();
    await told.paid('25.00');
    await reconcileAll(told.house);
    expect(await told.cents()).toBe(2_500n);
    expect(await report(told)).toMatchObject({ unexplained: '0.00', items: [] });
  });
});

describe('a refund that our books have not posted', () => {
  /** Its line is in the statement, and the provider says that it is under way. */
  async function underWay(told: PaymentStory): Promise<string> {
    const payment = await credited(told, '25.00');
    told.bank.refundEnding = 'pending';
    const refund = await asked(told, { payment, amount: '10.00' });
    await send(told, refund.sid);
    await told.ports.clock.advance(5 * HOUR);
    await reconcileAll(told.house);
    return refund.sid;
  }
  const states = async (told: PaymentStory) =>
    (await movements(told)).map(({ kind, state }) => `${kind} ${state}`).toSorted();

  it('is nobody’s to decide about while it is under way, however long that takes', async () => {
    const told = await story();
    const sid = await underWay(told);
    expect(await states(told)).toEqual(['payment matched', 'refund new']);
    expect(await report(told)).toMatchObject({ unexplained: '-10.00', remainder: '0.00' });
    told.bank.endRefund((await refundOf(told, sid)).refundRef ?? '', 'succeeded');
    await lookAtRefunds(told.house);
    await reconcileAll(told.house);
    expect(await report(told)).toMatchObject({ unexplained: '0.00', items: [] });
  });

  it('C05 and that came back before we knew that it had left: its two lines explain each other', async () => {
    const told = await story();
    const sid = await underWay(told);
    told.bank.endRefund((await refundOf(told, sid)).refundRef ?? '', 'failed');
    await lookAtRefunds(told.house);
    expect(await refundOf(told, sid)).toMatchObject({ state: 'failed', posted: null });
    await Promise.all([reconcileAll(told.house), reconcileAll(told.anotherProcess().house)]);
    await reconcileAll(told.house);
    expect(await states(told)).toEqual(['payment matched', 'refund matched', 'refund_returned matched']);
    expect(await report(told)).toMatchObject({ unexplained: '0.00', remainder: '0.00', items: [] });
    expect(await told.cents()).toBe(2500n);
  });
});

describe('a statement that differs', () => {
  it('B05 money of nobody is new for an hour, then unmatched, and is told by its age', async () => {
    const told = await story();
    strange(told, 'x1');
    await reconcileAll(told.house);
    expect(await movements(told)).toMatchObject([{ state: 'new', unexplained: '7.00', reason: null }]);
    await told.ports.clock.advance(25 * HOUR);
    await reconcileAll(told.house);
    expect(await movements(told, { state: 'unmatched' })).toMatchObject([
      { ref: 'x1', reason: 'no payment of ours belongs to it' },
    ]);
    const { unexplained, remainder, by_age: ages, items } = await report(told);
    expect({ unexplained, remainder, items: items.length }).toEqual({
      unexplained: '7.00',
      remainder: '0.00',
      items: 1,
    });
    expect(ages.filter(({ items }) => items > 0)).toEqual([{ age: 'under_3_days', items: 1, amount: '7.00' }]);
    expect(told.ports.log.lines.filter(({ message }) => message === 'money is unmatched')).toHaveLength(1);
  });

  it('what our books have and the statement has not is told from the other side', async () => {
    const told = await story();
    const payment = await told.paid('25.00');
    await told.run(paymentCheck, { sid: payment.sid });
    const order = told.bank.orderOf(payment.sid);
    await reconcileAll(told.house);
    told.bank.orders.delete(order.orderRef);
    const second = await told.paid('10.00');
    await told.run(paymentCheck, { sid: second.sid });
    // The second payment is in our books and not yet in the statement that was read.
    expect(await report(told)).toMatchObject({
      unexplained: '-10.00',
      remainder: '0.00',
      items: [{ side: 'books', kind: 'top_up', amount: '-10.00' }],
    });
    await reconcileAll(told.house);
    expect(await report(told)).toMatchObject({ unexplained: '0.00', items: [] });
  });

  it('another amount than was credited is unmatched, with the difference; another currency is set apart', async () => {
    const told = await story();
    const payment = await told.paid('25.00');
    await told.run(paymentCheck, { sid: payment.sid });
    told.bank.orderOf(payment.sid).amountReceived = micros(26_500_000n);
    strange(told, 'tzs', { currency: 'TZS' });
    await told.ports.clock.advance(2 * HOUR);
    await reconcileAll(told.house);
    expect(await movements(told)).toMatchObject([
      { ref: 'tzs', state: 'unmatched', reason: 'it is in TZS' },
      { state: 'unmatched', unexplained: '1.50', reason: 'our books have another amount' },
    ]);
    expect(await report(told)).toMatchObject({ unexplained: '1.50', remainder: '0.00' });
  });

  it('a provider that does not answer is named, and the next reading begins where this one did', async () => {
    const told = await story();
    await told.paid('25.00');
    told.bank.fault = 'broken';
    expect(await reconcileAll(told.house)).toMatchObject({ reports: [], failed: [{ provider: 'stripe' }] });
    told.bank.fault = 'none';
    await told.ports.clock.advance(20 * 24 * HOUR);
    expect(await reconcileAll(told.house)).toMatchObject({ reports: [{ unexplained: '0.00', lines: 1 }], failed: [] });
  });
});

describe('what an operator decides about unmatched money', () => {
  async function unmatched(told: PaymentStory, ref = 'x1'): Promise<Movement> {
    strange(told, ref);
    await told.ports.clock.advance(2 * HOUR);
    await reconcileAll(told.house);
    const found = (await movements(told)).find((movement) => movement.ref === ref);
    if (!found) throw new Error('the line was not read');
    return found;
  }

  it('assigned: it is a top-up of the wallet, and cannot be credited by another way as well', async () => {
    const told = await story();
    const { sid } = await unmatched(told);
    const input = { sid, wallet_sid: told.wallet.sid, reason: 'her receipt' };
    expect(await decide(told, movementAssign, input)).toMatchObject({ status: 200 });
    expect(await told.cents()).toBe(700n);
    expect(await told.events()).toMatchObject([{ kind: 'top_up', externalRef: 'pi_x1', amount: 7_000_000n }]);
    // The same payment turns up under an order of ours.
    const payment = await told.opened('7.00');
    Object.assign(told.bank.orderOf(payment.sid), { state: 'paid', paymentRef: 'pi_x1', amountReceived: 7_000_000n });
    told.bank.lines.length = 0;
    await told.run(paymentCheck, { sid: payment.sid });
    expect(await told.payment(payment.sid)).toMatchObject({ state: 'quarantined' });
    await reconcileAll(told.house);
    expect(await told.cents()).toBe(700n);
  });

  it('once: twice at the same time, and after another decision, there is one', async () => {
    const told = await story();
    const { sid } = await unmatched(told);
    const input = { sid, wallet_sid: told.wallet.sid, reason: 'her receipt' };
    const replies = await Promise.all([
      ...Array.from({ length: 5 }, () => decide(told, movementAssign, input)),
      ...Array.from({ length: 5 }, () => decide(told, movementSuspend, { sid, reason: 'unknown' })),
    ]);
    expect(replies.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, ...Array(9).fill(409)]);
    await reconcileAll(told.house);
    expect(await report(told)).toMatchObject({ unexplained: '0.00', remainder: '0.00' });
    expect((await told.cents()) * 10_000n + (await balanceOf(told, 'suspense'))).toBe(7_000_000n);
  });

  it('set aside: the provider’s account agrees again and nobody’s wallet has moved', async () => {
    const told = await story();
    const { sid } = await unmatched(told);
    expect(await decide(told, movementSuspend, { sid, reason: 'nobody knows' })).toMatchObject({ status: 200 });
    await reconcileAll(told.house);
    expect(await report(told)).toMatchObject({ unexplained: '0.00', items: [] });
    expect([await told.cents(), await balanceOf(told, 'suspense')]).toEqual([0n, 7_000_000n]);
    expect(await decide(told, movementSuspend, { sid, reason: 'again' })).toMatchObject({ status: 409 });
  });

  it('a reason is needed, and a wallet that exists', async () => {
    const told = await story();
    const { sid } = await unmatched(told);
    expect(await decide(told, movementSuspend, { sid, reason: '' })).toMatchObject({ status: 400 });
    const nobody = { sid, wallet_sid: '01ARZ3NDEKTSV4RRFFQ69G5FAV', reason: 'x' };
    expect(await decide(told, movementAssign, nobody)).toMatchObject({ status: 404 });
    expect(await movements(told)).toMatchObject([{ state: 'unmatched' }]);
  });

  it('C06 sent back: one refund under one key, found again after a lost answer; the line of the refund explains itself', async () => {
    const told = await story();
    const { sid } = await unmatched(told);
    told.bank.fault = 'lost_after';
    expect(await decide(told, movementRefund, { sid, reason: 'not ours' })).toMatchObject({ status: 200 });
    expect(await movements(told)).toMatchObject([{ state: 'refunding' }]);
    told.bank.fault = 'none';
    await sendAllBack(told.house);
    await sendAllBack(told.house);
    expect(await movements(told)).toMatchObject([{ state: 'refunded' }]);
    expect(told.bank.refunds.size).toBe(1);
    expect(await balanceOf(told, 'suspense')).toBe(7_000_000n);
    const [refund] = told.bank.refunds.values();
    strange(told, 'back', { kind: 'refund', amount: micros(-7_000_000n), refundRef: refund?.refundRef ?? '' });
    await reconcileAll(told.house);
    expect(await report(told)).toMatchObject({ unexplained: '0.00', items: [], statement: '0.00' });
    expect(await balanceOf(told, 'suspense')).toBe(0n);
  });

  it('sent back, and refused: it is set aside with the provider’s reason; with a key of another account it waits', async () => {
    const told = await story();
    const { sid } = await unmatched(told);
    told.bank.fault = 'lost_before';
    await decide(told, movementRefund, { sid, reason: 'not ours' });
    told.bank.fault = 'none';
    const stranger = new PaperBank({ account: { id: 'acct_other', isLive: false } });
    const elsewhere = testHouse({ db: told.house.db, ports: told.ports, providers: [stranger.asProvider(told.ports)] });
    await sendAllBack(elsewhere);
    expect(await movements(told)).toMatchObject([{ state: 'refunding' }]);
    told.bank.fault = 'refuses';
    await sendAllBack(told.house);
    expect(await movements(told)).toMatchObject([{ state: 'suspended', reason: 'the refund failed: refused' }]);
    told.bank.fault = 'none';
    await reconcileAll(told.house);
    expect([await balanceOf(told, 'suspense'), stranger.refunds.size]).toEqual([7_000_000n, 0]);
    expect(await report(told)).toMatchObject({ unexplained: '0.00', items: [] });
  });
});

describe('a dispute that is opened again', () => {
  it('C08 for another amount is explained, line by line, as soon as its line is there', async () => {
    const told = await story();
    const { sid } = await told.paid('100.00');
    const { disputeRef } = dispute(told.bank, sid, { amount: 60_000_000n });
    await reconcileAll(told.house);
    for (const news of [{ state: 'won' }, { state: 'open', amount: 30_000_000n }] as const) {
      dispute(told.bank, sid, news);
      await settlePayment(told.house, sid, ownCause(told.house, 'webhook'));
      if (news.state === 'won') await reconcileAll(told.house);
    }
    // The bank's paper has one line for each dispute: that it is opened again is in our books alone.
    expect(await report(told)).toMatchObject({
      unexplained: '30.00',
      remainder: '0.00',
      items: [{ side: 'books', kind: 'dispute_opened', ref: disputeRef, amount: '30.00' }],
    });
    const { paymentRef } = told.bank.orderOf(sid);
    const amount = micros(-30_000_000n);
    const at = told.ports.clock.now();
    told.bank.lines.push(told.bank.line('again', { kind: 'dispute', amount, at, paymentRef, disputeRef }));
    await reconcileAll(told.house);
    expect(await report(told)).toMatchObject({ unexplained: '0.00', remainder: '0.00', items: [] });
    expect((await movements(told)).map(({ state }) => state)).toEqual(['matched', 'matched', 'matched', 'matched']);
  });
});
