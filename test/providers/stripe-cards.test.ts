import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { micros } from '../../src/domain/money.ts';
import type { NewCharge, ProviderCard, ProviderCards } from '../../src/providers/provider-cards.ts';
import type { TestCardName } from '../../sandbox/stripe/cards.ts';
import { openDispute, openDisputeSchema } from '../../sandbox/stripe/disputes.ts';
import { newOrder } from '../contract/payment-provider.ts';
import { openStripeBench, type StripeBench } from './stripe-bench.ts';

const USER = '01ARZ3NDEKTSV4RRFFQ69G5USR';

let bench: StripeBench;
let cards: ProviderCards;
beforeEach(async () => {
  bench = await openStripeBench();
  if (!bench.provider.cards) throw new Error('Stripe saves cards');
  ({ cards } = bench.provider);
});
afterEach(() => bench.close());

async function customerWith(name: TestCardName): Promise<{ customerRef: string; card: ProviderCard }> {
  const customerRef = await cards.createCustomer(USER);
  const { url } = await cards.startSaving({
    key: `setup-${name}`,
    customerRef,
    userSid: USER,
    successUrl: 'http://127.0.0.1:9/wallet',
    cancelUrl: 'http://127.0.0.1:9/wallet',
  });
  expect(bench.sandbox.complete(url.split('/').at(-1) ?? '', 'paid', name)).toBe('done');
  const [card] = await cards.list(customerRef);
  if (!card) throw new Error('a card was saved');
  return { customerRef, card };
}

const chargeOf = (customerRef: string, { cardRef }: ProviderCard, changes: Partial<NewCharge> = {}): NewCharge => ({
  paymentSid: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
  userSid: USER,
  customerRef,
  cardRef,
  amount: micros(20_000_000n),
  currency: 'USD',
  description: 'Wallet top-up',
  createdAt: bench.now(),
  ...changes,
});

const intents = () => bench.sandbox.journal().payment_intents as { status: string; amount_received: number }[];
const taken = (): number => intents().reduce((sum, it) => sum + it.amount_received, 0);

describe('a saved card', () => {
  it('is saved on a page that charges nothing, is listed without its number, and is forgotten when removed', async () => {
    const { customerRef, card } = await customerWith('mastercard');
    expect(card).toMatchObject({ brand: 'mastercard', last4: '4444', expiresMonth: 8, expiresYear: 2030 });
    expect(intents()).toEqual([]);
    await cards.remove('cus_another', card.cardRef);
    expect(await cards.list(customerRef)).toHaveLength(1);
    await cards.remove(customerRef, card.cardRef);
    await cards.remove(customerRef, card.cardRef);
    await cards.remove(customerRef, 'pm_never');
    await cards.remove(customerRef, '../account');
    expect(await cards.list(customerRef)).toEqual([]);
  });

  it('is saved by a top-up whose owner wants it, and by no other', async () => {
    const customerRef = await cards.createCustomer(USER);
    expect(await cards.createCustomer(USER)).toBe(customerRef);
    const plain = await bench.provider.createOrder(newOrder(bench.now(), { customerRef }));
    bench.sandbox.complete(plain.orderRef, 'paid', 'visa');
    expect(await cards.list(customerRef)).toEqual([]);
    const paymentSid = '01ARZ3NDEKTSV4RRFFQ69G5FAX';
    const saving = await bench.provider.createOrder(
      newOrder(bench.now(), { customerRef, savesCard: true, paymentSid }),
    );
    bench.sandbox.complete(saving.orderRef, 'paid', 'visa');
    expect(await cards.list(customerRef)).toMatchObject([{ last4: '4242' }]);
  });

  it('of a customer that Stripe does not know is none', async () => {
    expect(await cards.list('cus_gone')).toEqual([]);
  });
});

describe('a charge of a saved card', () => {
  it('is an order that reads as it was answered; the same payment twice, at once or later, takes money once', async () => {
    const { customerRef, card } = await customerWith('visa');
    const charge = chargeOf(customerRef, card);
    const all = await Promise.all([1, 2, 3].map(() => cards.charge(charge)));
    const again = await cards.charge(charge);
    const paymentRef = again.orderRef;
    expect(again).toMatchObject({ state: 'paid', paymentSid: charge.paymentSid, userSid: USER, decline: null });
    expect(again.payments).toEqual([{ paymentRef, amount: 20_000_000n, refunds: [], disputes: [] }]);
    expect(new Set([...all, again].map(({ orderRef }) => orderRef))).toEqual(new Set([paymentRef]));
    expect(await bench.provider.readOrder(paymentRef)).toEqual(again);
    expect(taken()).toBe(2_000);
    expect(await bench.provider.readOrder('pi_unknown')).toBeNull();
  });

  it('C07 is disputed and given back like any other payment, and its line of the statement names it', async () => {
    const { customerRef, card } = await customerWith('visa');
    const charge = chargeOf(customerRef, card);
    const { orderRef: paymentRef } = await cards.charge(charge);
    const asked = { about: paymentRef, amountCents: 700, status: 'needs_response', feeCents: 0, reason: 'fraudulent' };
    const opened = openDispute(bench.sandbox.state, openDisputeSchema.parse(asked));
    const whose = { paymentSid: charge.paymentSid, orderRef: paymentRef, paymentRef, destination: null };
    const made = {
      ...whose,
      refundSid: '01ARZ3NDEKTSV4RRFFQ69G5REF',
      amount: micros(5_000_000n),
      currency: 'USD',
    } as const;
    const { refundRef } = await bench.provider.refund(made);
    const order = await bench.provider.readOrder(paymentRef);
    expect(order?.payments).toMatchObject([
      {
        paymentRef,
        refunds: [{ refundRef, amount: 5_000_000n }],
        disputes: [{ disputeRef: opened?.id, amount: 7_000_000n, state: 'open' }],
      },
    ]);
    const { movements } = await bench.provider.listMovements(new Date(0), null);
    const line = movements.find(({ kind }) => kind === 'payment');
    expect(line?.detail).toContain(`payment ${charge.paymentSid} of user ${USER}`);
  });

  it.each([
    ['declines', 'declined', 'generic_decline'],
    ['no-funds', 'declined', 'insufficient_funds'],
    ['authenticate', 'authentication_required', 'authentication_required'],
  ] as const)('that the bank refuses (%s) has failed, and its intent is canceled', async (name, code, reason) => {
    const { customerRef, card } = await customerWith(name);
    const charge = chargeOf(customerRef, card);
    const failed = await cards.charge(charge);
    expect(failed).toMatchObject({ state: 'failed', payments: [], decline: { code, reason } });
    expect(intents()).toMatchObject([{ status: 'canceled' }]);
    expect(await cards.charge(charge)).toEqual(failed);
    expect(await bench.provider.readOrder(failed.orderRef)).toMatchObject({ state: 'failed' });
  });

  it.each([
    ['pays-later', 'paid'],
    ['fails-later', 'failed'],
  ] as const)('that is decided later (%s) is processing, then %s', async (name, state) => {
    const { customerRef, card } = await customerWith(name);
    const { orderRef, state: first } = await cards.charge(chargeOf(customerRef, card));
    expect(first).toBe('processing');
    await bench.pass(10);
    expect(await bench.provider.readOrder(orderRef)).toMatchObject({ state });
  });

  it('of a card that was removed, or is another’s, is a definite no', async () => {
    const { customerRef, card } = await customerWith('visa');
    await cards.remove(customerRef, card.cardRef);
    await expect(cards.charge(chargeOf(customerRef, card))).rejects.toMatchObject({ kind: 'refused', outcome: 'none' });
    expect(taken()).toBe(0);
  });

  it('G02 whose answer was lost is found again by its payment', async () => {
    const { customerRef, card } = await customerWith('visa');
    bench.sandbox.turn({
      faults: [{ kind: 'reset-after-effect', times: 1, method: 'POST', path: '/v1/payment_intents' }],
    });
    const lost = cards.charge(chargeOf(customerRef, card));
    while (bench.ports.clock.sleeping < 2) await bench.ports.clock.turn();
    await bench.pass(1);
    expect(await lost).toMatchObject({ state: 'paid' });
    expect(taken()).toBe(2_000);
  });
});

describe('a withdrawn charge', () => {
  it('never happens: whoever still charges is refused', async () => {
    const { customerRef, card } = await customerWith('visa');
    const charge = chargeOf(customerRef, card);
    expect(await cards.withdraw(charge)).toMatchObject({ state: 'failed', decline: null, payments: [] });
    expect(await cards.withdraw(charge)).toMatchObject({ state: 'failed' });
    await expect(cards.charge(charge)).rejects.toMatchObject({ kind: 'refused', outcome: 'unknown' });
    expect(taken()).toBe(0);
    expect(intents().every(({ status }) => status === 'canceled')).toBe(true);
  });

  it('that happened before is told as it was', async () => {
    const { customerRef, card } = await customerWith('visa');
    const charge = chargeOf(customerRef, card);
    const paid = await cards.charge(charge);
    expect(await cards.withdraw(charge)).toEqual(paid);
    expect(taken()).toBe(2_000);
  });

  it('raced by the charge itself takes money once and is told so, or never', async () => {
    const { customerRef, card } = await customerWith('visa');
    for (let round = 0; round < 5; round += 1) {
      const charge = chargeOf(customerRef, card, { paymentSid: `01ARZ3NDEKTSV4RRFFQ69G5F0${round}` });
      const before = taken();
      const [withdrawn] = await Promise.allSettled([cards.withdraw(charge), cards.charge(charge)]);
      const isTaken = taken() > before;
      if (withdrawn.status === 'fulfilled') expect(withdrawn.value.state).toBe(isTaken ? 'paid' : 'failed');
    }
  });
});

describe('B09 events that no endpoint took', () => {
  it('are listed with what they speak of, across pages; what was delivered is not', async () => {
    const sids = Array.from({ length: 60 }, (_, index) => `01ARZ3NDEKTSV4RRFFQ69G5${String(index).padStart(3, '0')}`);
    const told = await bench.provider.createOrder(newOrder(bench.now()));
    bench.sandbox.complete(told.orderRef, 'paid');
    await bench.sandbox.deliveries.settled();
    bench.sandbox.turn({ lossRate: 1 });
    for (const paymentSid of sids) {
      const order = await bench.provider.createOrder(newOrder(bench.now(), { paymentSid }));
      bench.sandbox.complete(order.orderRef, 'paid');
    }
    const { listUndelivered } = bench.provider;
    if (!listUndelivered) throw new Error('Stripe keeps a list');
    const period = { since: new Date(bench.now().getTime() - 60_000), until: bench.now() };
    const seen: (string | null)[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof listUndelivered>> = await listUndelivered(period, cursor);
      for (const event of page.events) {
        if (event.eventType === 'checkout.session.completed') seen.push(event.paymentSid);
        expect(JSON.parse(new TextDecoder().decode(event.body))).toMatchObject({ id: event.eventId });
      }
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen.map(String).toSorted((one, other) => one.localeCompare(other))).toEqual(sids);
  });
});
