import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isRefusal } from '../../src/domain/refusal.ts';
import { micros } from '../../src/domain/money.ts';
import type { NewOrder, PaymentProvider, WebhookDelivery } from '../../src/providers/provider.ts';

/** A provider in front of its simulator, and what the suite needs to play the customer and the provider's own part. */
export interface ProviderBench {
  readonly provider: PaymentProvider;
  readonly now: () => Date;
  /** What a customer, or the time, does to an order. */
  readonly act: (orderRef: string, ending: 'paid' | 'processing' | 'failed' | 'expired') => Promise<void>;
  /** An authentic delivery of the provider about a paid order. */
  readonly delivery: (orderRef: string) => Promise<WebhookDelivery>;
  /** Moves the provider's time on, so that orders have different times of creation. */
  readonly pass: (seconds: number) => Promise<void>;
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

/** What every provider keeps to, whatever it speaks on the wire. */
export function paymentProviderContract(name: string, open: () => Promise<ProviderBench>): void {
  describe(`${name} keeps the contract of a payment provider`, () => {
    let bench: ProviderBench;
    beforeEach(async () => {
      bench = await open();
    });
    afterEach(() => bench.close());

    const create = (changes: Partial<NewOrder> = {}) => bench.provider.createOrder(newOrder(bench.now(), changes));

    it('a new order is open, carries our references and has a page to pay on', async () => {
      const order = newOrder(bench.now());
      const created = await bench.provider.createOrder(order);
      expect(created).toMatchObject({
        paymentSid: order.paymentSid,
        userSid: order.userSid,
        accountId: (await bench.provider.account()).id,
        isLive: false,
        currency: 'USD',
        state: 'open',
        payments: [],
        expiresAt: order.expiresAt,
      });
      expect(created.checkoutUrl).toMatch(/^https?:\/\//);
      expect(created.orderRef).not.toBe('');
    });

    it('the same payment twice is the same order', async () => {
      const order = newOrder(bench.now());
      const first = await bench.provider.createOrder(order);
      const second = await bench.provider.createOrder(order);
      const { orders } = await bench.provider.listOrders(new Date(0), null);
      expect(second).toEqual(first);
      expect(orders.map((it) => it.orderRef)).toEqual([first.orderRef]);
    });

    it('the same payment twice at once is one order', async () => {
      const order = newOrder(bench.now());
      const all = await Promise.all(Array.from({ length: 5 }, () => bench.provider.createOrder(order)));
      expect(new Set(all.map((it) => it.orderRef)).size).toBe(1);
    });

    it('two payments are two orders', async () => {
      const first = await create();
      const second = await create({ paymentSid: '01ARZ3NDEKTSV4RRFFQ69G5FAX' });
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

    it('an open order reads as it was created', async () => {
      const created = await create();
      expect(await bench.provider.readOrder(created.orderRef)).toEqual(created);
    });

    it('a paid order says what was received and names the payment', async () => {
      const { orderRef } = await create({ amount: micros(12_340_000n) });
      await bench.act(orderRef, 'paid');
      const paid = await bench.provider.readOrder(orderRef);
      expect(paid).toMatchObject({ orderRef, state: 'paid', payments: [{ amount: 12_340_000n }], checkoutUrl: null });
      expect(paid?.payments[0]?.paymentRef).toEqual(expect.stringMatching(/./));
    });

    it.each(['processing', 'failed', 'expired'] as const)(
      'an order that ended as %s has received nothing',
      async (ending) => {
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
      const created: string[] = [];
      for (let index = 0; index < 230; index += 1) {
        created.push(
          (await create({ paymentSid: `01ARZ3NDEKTSV4RRFFQ69G5${String(index).padStart(3, '0')}` })).orderRef,
        );
        await bench.pass(1);
      }
      const since = new Date(bench.now().getTime() - 225_000);
      const listed: string[] = [];
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<PaymentProvider['listOrders']>> = await bench.provider.listOrders(since, cursor);
        listed.push(...page.orders.map((it) => it.orderRef));
        cursor = page.nextCursor;
      } while (cursor !== null);
      expect(listed).toEqual(created.slice(5));
    }, 60_000);

    it('no orders are an empty page without a next one', async () => {
      expect(await bench.provider.listOrders(new Date(0), null)).toEqual({ orders: [], nextCursor: null });
    });

    it('an authentic delivery is verified and leads to the order', async () => {
      const { orderRef, paymentSid } = await create();
      await bench.act(orderRef, 'paid');
      const verified = bench.provider.verifyWebhook(await bench.delivery(orderRef));
      expect(isRefusal(verified)).toBe(false);
      expect(verified).toMatchObject({ orderRef, paymentSid, isLive: false, verifiedWith: 'current' });
    });

    it('the same delivery verifies the same way twice', async () => {
      const { orderRef } = await create();
      await bench.act(orderRef, 'paid');
      const delivery = await bench.delivery(orderRef);
      expect(bench.provider.verifyWebhook(delivery)).toEqual(bench.provider.verifyWebhook(delivery));
    });

    it('a delivery with one byte changed is refused', async () => {
      const { orderRef } = await create();
      await bench.act(orderRef, 'paid');
      const delivery = await bench.delivery(orderRef);
      const body = Uint8Array.from(delivery.body, (byte, index) => (index === 40 ? byte ^ 1 : byte));
      expect(bench.provider.verifyWebhook({ ...delivery, body })).toMatchObject({ code: 'invalid_signature' });
    });
  });
}
