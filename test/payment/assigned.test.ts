import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { moveDispute, openDispute, openDisputeSchema } from '../../sandbox/stripe/disputes.ts';
import { openRefundSchema } from '../../sandbox/stripe/refunds.ts';
import { micros } from '../../src/domain/money.ts';
import type { House } from '../../src/operations/house.ts';
import { movementAssign } from '../../src/operations/movement/assign.ts';
import { movementList } from '../../src/operations/movement/list.ts';
import type { Movement } from '../../src/operations/movement/movement.ts';
import { assignedPart } from '../../src/operations/payment/assigned-part.ts';
import { ownCause } from '../../src/operations/payment/cause.ts';
import { reconcileAll } from '../../src/operations/reconciliation/reconcile-all.ts';
import { refundCreate } from '../../src/operations/refund/create.ts';
import { sendRefund } from '../../src/operations/refund/send.ts';
import type { NewOrder } from '../../src/providers/provider.ts';
import { readCustomer } from '../../src/store/card.ts';
import { cardStory } from '../support/card-story.ts';
import { cryptoStory } from '../support/crypto-story.ts';
import { OPERATOR, type PaymentStory } from '../support/payment-story.ts';
import { stripeStory, type StripeStory } from '../support/stripe-story.ts';

/** Orders of payments that our books have lost, as after a restore from a dump: an operator assigns the money, and the provider goes on. */
const stories: StripeStory[] = [];
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const made of stories.splice(0)) await made.close();
});
afterAll(async () => {
  for (const end of ends.toReversed()) await end();
});

async function story(): Promise<StripeStory> {
  const made = await stripeStory();
  stories.push(made);
  return made;
}

const forgotten = (told: PaymentStory): NewOrder => ({
  paymentSid: told.ports.ids.sid(),
  userSid: told.wallet.userSid,
  amount: micros(25_000_000n),
  currency: 'USD',
  description: 'Wallet top-up',
  successUrl: 'http://127.0.0.1/x',
  cancelUrl: 'http://127.0.0.1/x',
  expiresAt: new Date(told.ports.clock.now().getTime() + 45 * 60_000),
});

async function lines(told: PaymentStory, input: object = {}): Promise<Movement[]> {
  const { body } = await told.run(movementList, input, { actor: OPERATOR });
  return (JSON.parse(body) as { items: Movement[] }).items;
}

/** Reads the statement when its line is old enough to be unmatched, and assigns it. */
async function assign(told: PaymentStory, house: House): Promise<void> {
  await told.ports.clock.advance(2 * 3_600_000);
  await reconcileAll(house);
  const [line] = (await lines(told, { state: 'unmatched' })).filter(({ kind }) => kind === 'payment');
  const input = { sid: line?.sid, wallet_sid: told.wallet.sid, reason: 'her receipt' };
  const reply = await told.run(movementAssign, input, { house, actor: OPERATOR, key: `key-${told.ports.ids.sid()}` });
  expect(reply).toMatchObject({ status: 200 });
}

const explained = async (house: House): Promise<void> => {
  expect((await reconcileAll(house)).reports).toMatchObject([{ unexplained: '0.00', remainder: '0.00', items: [] }]);
};

describe('money of Stripe that an operator has assigned', () => {
  async function paid({ told, house, stripe, hear }: StripeStory): Promise<string> {
    const order = await house.providers.get('stripe')?.createOrder(forgotten(told));
    stripe.complete(order?.orderRef ?? '', 'paid');
    await hear();
    return order?.orderRef ?? '';
  }

  it('follows refunds and disputes of later, told by events that name a payment we do not have', async () => {
    const made = await story();
    const { told, house, stripe, hear } = made;
    const session = await paid(made);
    await assign(told, house);
    expect(await told.cents()).toBe(2500n);
    stripe.turn({ duplicates: 1, reorderWindow: 1_000 });
    stripe.refund(openRefundSchema.parse({ about: session, amountCents: 400 }));
    await hear();
    expect(await told.cents()).toBe(2100n);
    const dispute = openDispute(stripe.state, openDisputeSchema.parse({ about: session, amountCents: 1_000 }));
    await hear();
    expect(await told.cents()).toBe(1100n);
    if (dispute) moveDispute(stripe.state, dispute, { status: 'lost' });
    await hear();
    await explained(house);
    expect(await told.cents()).toBe(1100n);
    const kinds = (await told.events()).map(({ kind }) => kind);
    expect(kinds).toEqual(['dispute_lost', 'dispute_opened', 'refund', 'top_up']);
  });

  it('that had gone back in part before is credited with what is left, and refunded by us with the rest', async () => {
    const made = await story();
    const { told, house, stripe } = made;
    const session = await paid(made);
    stripe.refund(openRefundSchema.parse({ about: session, amountCents: 1_000 }));
    await assign(told, house);
    expect(await told.cents()).toBe(1500n);
    const [payment] = await lines(told, { state: 'assigned' });
    const asked = { payment_sid: payment?.payment_sid, amount: '15.00', reason: 'asked for it' };
    const reply = await told.run(refundCreate, asked, { house, actor: OPERATOR, key: 'refund-it' });
    expect(reply).toMatchObject({ status: 201 });
    const { sid } = JSON.parse(reply.body) as { sid: string };
    await sendRefund(house, sid, ownCause(house, 'refund'));
    expect(await told.cents()).toBe(0n);
    await explained(house);
  });

  it('whose every event is lost follows the lines of the statement', async () => {
    const made = await story();
    const { told, house, stripe } = made;
    const session = await paid(made);
    await assign(told, house);
    stripe.turn({ lossRate: 1 });
    stripe.refund(openRefundSchema.parse({ about: session, amountCents: 700 }));
    await explained(house);
    expect(await told.cents()).toBe(1800n);
  });
});

describe('a charge of a saved card that no payment of ours knows', () => {
  it('B05 is in no list of checkout pages, and the statement finds it, with whose it is; it can be assigned', async () => {
    const made = await cardStory();
    stories.push(made);
    const { told, house } = made;
    await made.saveCard();
    const { cards } = house.providers.get('stripe') ?? {};
    const account = await house.providers.get('stripe')?.account();
    const owner = { userSid: told.wallet.userSid, provider: 'stripe', providerAccount: account?.id ?? '' };
    const { customerRef = '' } = (await readCustomer(told.database.owner, owner)) ?? {};
    const [card] = (await cards?.list(customerRef)) ?? [];
    const { paymentSid, userSid, amount, currency, description } = forgotten(told);
    const createdAt = told.ports.clock.now();
    const cardRef = card?.cardRef ?? '';
    const charge = { paymentSid, userSid, amount, currency, description, customerRef, cardRef, createdAt };
    const order = await cards?.charge(charge);
    expect(order).toMatchObject({ state: 'paid' });
    await assign(told, house);
    expect(await lines(told, { state: 'assigned' })).toMatchObject([
      { payment_ref: order?.orderRef, amount: '25.00', detail: expect.stringContaining(paymentSid) as string },
    ]);
    expect(await told.cents()).toBe(2500n);
    await explained(house);
  });
});

describe('money of BTCPay Server that an operator has assigned', () => {
  it('C09 follows a refund that the merchant makes of the invoice, though the invoice is of another payment', async () => {
    const { told, house, btcpay, hear, open, invoiceOf } = await cryptoStory((end) => ends.push(end));
    const late = await open();
    const invoice = await invoiceOf(late);
    await told.ports.clock.advance(60 * 60_000 + 61 * 60_000);
    const coins = btcpay.pay(invoice, {});
    if (coins) btcpay.invoices.confirm(coins);
    await hear();
    expect(await told.payment(late.sid)).toMatchObject({ state: 'quarantined' });
    await assign(told, house);
    expect(await told.cents()).toBe(2500n);
    const pullPayment = btcpay.refunds.create({
      name: `Refund ${invoice.id}`,
      description: '',
      currency: 'USD',
      amount: 1_000,
      approvesClaims: true,
      expiresAt: null,
      startsAt: null,
      invoiceId: invoice.id,
    });
    await hear();
    expect(await told.cents()).toBe(1500n);
    const payout = btcpay.claim(pullPayment, { destination: 'bcrt1qme' });
    if (typeof payout !== 'string') btcpay.refunds.move(payout, 'Completed');
    await hear();
    await explained(house);
    expect(await told.cents()).toBe(1500n);
  });
});

describe('what an order says of the part that was assigned', () => {
  const refund = { refundSid: null, state: 'succeeded', fee: null, claimUrl: null, detail: null } as const;
  const order = {
    orderRef: 'pi_1',
    paymentSid: 'another',
    userSid: 'somebody',
    accountId: 'acct_1',
    isLive: false,
    currency: 'EUR',
    state: 'paid',
    progress: null,
    payments: [
      { paymentRef: 'pi_0', amount: micros(5_000_000n), refunds: [], disputes: [] },
      {
        paymentRef: 'pi_1',
        amount: micros(30_000_000n),
        refunds: [
          { ...refund, refundRef: 're_1', amount: micros(10_000_000n) },
          { ...refund, refundRef: 're_2', amount: micros(20_000_000n) },
        ],
        disputes: [],
      },
    ],
    checkoutUrl: null,
    expiresAt: null,
  } as const;
  const payment = {
    sid: 'ours',
    userSid: 'her',
    orderRef: 'txn_1',
    paymentRef: 'pi_1',
    currency: 'USD',
    credited: 32_990_000n,
  };

  it('is the one payment, under our own names, in the money that it was credited in', () => {
    const part = assignedPart(order, payment);
    expect(part).toMatchObject({ orderRef: 'txn_1', paymentSid: 'ours', userSid: 'her', currency: 'USD' });
    expect(part.payments).toMatchObject([
      { paymentRef: 'pi_1', amount: 32_990_000n, refunds: [{ amount: 10_990_000n }, { amount: 21_990_000n }] },
    ]);
  });

  it('is taken as it is said where the currency is the same', () => {
    expect(assignedPart({ ...order, currency: 'USD' }, payment).payments).toEqual([order.payments[1]]);
  });

  it('is nothing where the order has no such payment', () => {
    expect(assignedPart(order, { ...payment, paymentRef: 'pi_9' }).payments).toEqual([]);
  });
});
