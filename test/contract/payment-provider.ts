import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { micros } from '../../src/domain/money.ts';
import { sidOfHead } from '../../src/domain/reference-sid.ts';
import { isRefusal } from '../../src/domain/refusal.ts';
import type { NewOrder, PaymentProvider, WebhookDelivery } from '../../src/providers/provider.ts';
import { refundContract, type RefundBench } from './refund.ts';
import { troubleContract, type TroubleBench } from './trouble.ts';

export type Ending = 'paid' | 'processing' | 'failed' | 'expired';

/** A provider in front of its simulator, and what the suite needs to play the customer and the provider's own part. */
export interface ProviderBench {
  readonly provider: PaymentProvider;
  readonly now: () => Date;
  /** What a customer, or the time, does to an order. Paying an order again is possible where the provider says so. */
  readonly act: (orderRef: string, ending: Ending) => Promise<void>;
  /** The endings that this provider has besides `paid`. */
  readonly endings: readonly Exclude<Ending, 'paid'>[];
  /** Whether the provider can be asked about an order that nobody has tried to pay. */
  readonly knowsUnpaid: boolean;
  /** An authentic delivery of the provider about a paid order. */
  readonly delivery: (orderRef: string) => Promise<WebhookDelivery>;
  /** Moves the provider's time on, so that orders have different times of creation. */
  readonly pass: (seconds: number) => Promise<void>;
  /** Null: nothing can go wrong on the way to this simulator. */
  readonly trouble: TroubleBench | null;
  /** Null: the provider does not speak of refunds and movements. */
  readonly refunds: RefundBench | null;
  readonly close: () => Promise<void>;
}

export function newOrder(now: Date, changes: Partial<NewOrder> = {}): NewOrder {
  return {
    paymentSid: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
    userSid: '01ARZ3NDEKTSV4RRFFQ69G5USR',
    amount: micros(25_000_000n),
    currency: 'USD',
    description: 'Top-up',
    successUrl: 'http://127.0.0.1:9/payments/1?order={CHECKOUT_SESSION_ID}',
    cancelUrl: 'http://127.0.0.1:9/payments/1',
    expiresAt: new Date(now.getTime() + 3_600_000),
    ...changes,
  };
}

/** Sids as the house makes them for payments and refunds. */
export const sidNumber = (number: number): string => sidOfHead(`01ARZ3NDEKTSV4R${String(number).padStart(3, '0')}`);

/** What every provider keeps to, whatever it speaks on the wire. */
export function paymentProviderContract(name: string, open: () => Promise<ProviderBench>): void {
  describe(`${name} keeps the contract of a payment provider`, () => {
    let bench: ProviderBench;
    beforeEach(async () => {
      bench = await open();
    });
    afterEach(() => bench.close());

    const create = (changes: Partial<NewOrder> = {}) =>
      bench.provider.createOrder(newOrder(bench.now(), { paymentSid: sidNumber(1), ...changes }));
    const paid = async (changes: Partial<NewOrder> = {}) => {
      const order = await create(changes);
      await bench.act(order.orderRef, 'paid');
      return order;
    };

    it('it says what it is, what configures it and what it cannot do', () => {
      const { title, settings, cannot } = bench.provider.description;
      expect(title).toMatch(/^[A-Z]/);
      expect(settings.length).toBeGreaterThan(0);
      for (const setting of settings) expect(setting).toMatch(/^[A-Z][A-Z0-9_]+$/);
      for (const sentence of cannot) expect(sentence).toMatch(/^[A-Z].*\.$/);
    });

    it('a new order is open, carries our references and has a page to pay on', async () => {
      const order = newOrder(bench.now(), { paymentSid: sidNumber(1) });
      const created = await bench.provider.createOrder(order);
      expect(created).toMatchObject({
        paymentSid: order.paymentSid,
        userSid: order.userSid,
        accountId: (await bench.provider.account()).id,
        isLive: false,
        currency: 'USD',
        state: 'open',
        progress: null,
        payments: [],
        expiresAt: order.expiresAt,
      });
      expect(created.checkoutUrl).toMatch(/^https?:\/\//);
      expect(created.orderRef).not.toBe('');
    });

    it('the same payment twice is the same payment, and its money is found by each of the two answers', async () => {
      const first = await create();
      const second = await create();
      if (bench.knowsUnpaid) expect(second).toEqual(first);
      await bench.act(first.orderRef, 'paid');
      expect((await bench.provider.readOrder(second.orderRef))?.payments).toHaveLength(1);
      const { orders } = await bench.provider.listOrders(new Date(0), null);
      expect(orders.map((it) => it.paymentSid)).toEqual([first.paymentSid]);
    });

    it('the same payment five times at once can be paid, and is one order in the list', async () => {
      const all = await Promise.all(Array.from({ length: 5 }, () => create()));
      if (bench.knowsUnpaid) expect(new Set(all.map((it) => it.orderRef)).size).toBe(1);
      await bench.act(all[0]?.orderRef ?? '', 'paid');
      const { orders } = await bench.provider.listOrders(new Date(0), null);
      expect(orders.map((it) => [it.paymentSid, it.payments.length])).toEqual([[sidNumber(1), 1]]);
    });

    it('two payments are two orders', async () => {
      const first = await create();
      const second = await create({ paymentSid: sidNumber(2) });
      expect(second.orderRef).not.toBe(first.orderRef);
    });

    it('an unknown order reads as null', async () => {
      expect(await bench.provider.readOrder('cs_test_unknown')).toBeNull();
    });

    it.each(['', '../account', 'a/b', 'x?y=1', '%2e%2e', 'x'.repeat(10_000)])(
      'an impossible order reference reads as null: %.20s',
      async (orderRef) => {
        expect(await bench.provider.readOrder(orderRef)).toBeNull();
      },
    );

    it('an open order reads as it was created, where the provider can be asked about it', async () => {
      const created = await create();
      expect(await bench.provider.readOrder(created.orderRef)).toEqual(bench.knowsUnpaid ? created : null);
    });

    it('a paid order says what was received and names the payment', async () => {
      const { orderRef, paymentSid } = await paid({ amount: micros(12_340_000n) });
      const read = await bench.provider.readOrder(orderRef);
      expect(read).toMatchObject({ orderRef, paymentSid, state: 'paid', checkoutUrl: null, currency: 'USD' });
      expect(read?.payments).toMatchObject([{ amount: 12_340_000n, refunds: [], disputes: [] }]);
      expect(read?.payments[0]?.paymentRef).toEqual(expect.stringMatching(/./));
    });

    it('an order that is paid twice has two payments, where that can be', async () => {
      const { orderRef } = await paid();
      if (!bench.provider.description.can.severalPayments) return;
      await bench.act(orderRef, 'paid');
      const read = await bench.provider.readOrder(orderRef);
      expect(read?.payments.map(({ amount }) => amount)).toEqual([25_000_000n, 25_000_000n]);
      expect(new Set(read?.payments.map(({ paymentRef }) => paymentRef)).size).toBe(2);
    });

    it.each(['processing', 'failed', 'expired'] as const)(
      'an order that ended as %s has received nothing',
      async (ending) => {
        if (!bench.endings.includes(ending)) return;
        const { orderRef } = await create();
        await bench.act(orderRef, ending);
        expect(await bench.provider.readOrder(orderRef)).toMatchObject({
          state: ending,
          payments: [],
          checkoutUrl: null,
        });
      },
    );

    it('orders are listed oldest first, from the given instant, across pages, each once', async () => {
      const made: string[] = [];
      for (let index = 0; index < 130; index += 1) {
        const { orderRef } = await create({ paymentSid: sidNumber(index) });
        if (!bench.knowsUnpaid) await bench.act(orderRef, 'paid');
        made.push(orderRef);
        await bench.pass(1);
      }
      const since = new Date(bench.now().getTime() - 125_000);
      const listed: string[] = [];
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<PaymentProvider['listOrders']>> = await bench.provider.listOrders(since, cursor);
        listed.push(...page.orders.map((it) => it.orderRef));
        cursor = page.nextCursor;
      } while (cursor !== null);
      expect(listed).toEqual(made.slice(5));
    }, 60_000);

    it('no orders are an empty page without a next one', async () => {
      expect(await bench.provider.listOrders(new Date(0), null)).toEqual({ orders: [], nextCursor: null });
    });

    it('an authentic delivery is verified and leads to the order', async () => {
      const { orderRef, paymentSid } = await paid();
      const verified = bench.provider.verifyWebhook(await bench.delivery(orderRef));
      expect(isRefusal(verified)).toBe(false);
      expect(verified).toMatchObject({ orderRef, paymentSid, isLive: false, verifiedWith: 'current' });
    });

    it('the same delivery verifies the same way twice', async () => {
      const { orderRef } = await paid();
      const delivery = await bench.delivery(orderRef);
      expect(bench.provider.verifyWebhook(delivery)).toEqual(bench.provider.verifyWebhook(delivery));
    });

    it('a delivery with one byte changed is refused', async () => {
      const { orderRef } = await paid();
      const delivery = await bench.delivery(orderRef);
      const body = Uint8Array.from(delivery.body, (byte, index) => (index === 40 ? byte ^ 1 : byte));
      expect(bench.provider.verifyWebhook({ ...delivery, body })).toMatchObject({ code: 'invalid_signature' });
    });

    troubleContract(() => bench);
    refundContract(() => bench);
  });
}
