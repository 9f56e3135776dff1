import { describe, expect, it } from 'vitest';
import type { ProviderOrder } from '../../src/providers/provider.ts';
import { newOrder, sidNumber, type ProviderBench } from './payment-provider.ts';

/** What can go wrong with a call: on the way back after its effect, before it, or with the answer itself. */
export const TROUBLES = ['cut-after', 'silent-after', 'error-after', 'error-before', 'html', 'slow-down'] as const;
export type Trouble = (typeof TROUBLES)[number];

export interface TroubleBench {
  /** From here on every call meets it, or so many of them. */
  readonly start: (trouble: Trouble, times?: number) => void;
  readonly stop: () => void;
  /** Runs a call while time passes as far as it needs. */
  readonly through: <T>(call: Promise<T>) => Promise<PromiseSettledResult<T>>;
}

const isUnknown = (trouble: Trouble): boolean => trouble !== 'slow-down';

/** How a provider fails: in one kind of error, which says whether the call may have had an effect. */
export function troubleContract(benchOf: () => ProviderBench): void {
  describe('when the provider fails', () => {
    const order = () => newOrder(benchOf().now(), { paymentSid: sidNumber(1) });
    /** Who we are is known from here on: what goes wrong hits the call a test is about. */
    const introduce = () => benchOf().provider.listOrders(new Date(0), null);

    it.each(TROUBLES)(
      'creating an order through %s is a failure that says whether there may be an order',
      async (trouble) => {
        const { provider, trouble: bench } = benchOf();
        if (bench === null) return;
        await introduce();
        bench.start(trouble);
        expect(await bench.through(provider.createOrder(order()))).toMatchObject({
          status: 'rejected',
          reason: { name: 'ProviderFailure', outcome: isUnknown(trouble) ? 'unknown' : 'none' },
        });
      },
    );

    it.each(TROUBLES)('reading and listing through %s is a failure without an effect', async (trouble) => {
      const { provider, act, trouble: bench } = benchOf();
      if (bench === null) return;
      const { orderRef } = await provider.createOrder(order());
      await act(orderRef, 'paid');
      bench.start(trouble);
      const failed = { status: 'rejected', reason: { name: 'ProviderFailure', outcome: 'none' } };
      expect(await bench.through(provider.readOrder(orderRef))).toMatchObject(failed);
      expect(await bench.through(provider.listOrders(new Date(0), null))).toMatchObject(failed);
    });

    it.each(['cut-after', 'silent-after', 'error-after', 'html'] as const)(
      'an order whose creation was not heard of (%s) is made again as the same payment, and paid once',
      async (trouble) => {
        const { provider, act, trouble: bench } = benchOf();
        if (bench === null) return;
        await introduce();
        bench.start(trouble);
        const asked = order();
        await bench.through(provider.createOrder(asked));
        bench.stop();
        const again = await bench.through(provider.createOrder(asked));
        const { orderRef, checkoutUrl, paymentSid } = (again as PromiseFulfilledResult<ProviderOrder>).value;
        expect([checkoutUrl !== null, paymentSid]).toEqual([true, sidNumber(1)]);
        await act(orderRef, 'paid');
        expect((await provider.readOrder(orderRef))?.payments).toHaveLength(1);
        const { orders } = await provider.listOrders(new Date(0), null);
        expect(orders.map((it) => [it.paymentSid, it.payments.length])).toEqual([[sidNumber(1), 1]]);
      },
    );

    it('one lost answer is not noticed by the caller', async () => {
      const { provider, trouble: bench } = benchOf();
      if (bench === null) return;
      await introduce();
      bench.start('error-after', 1);
      expect(await bench.through(provider.createOrder(order()))).toMatchObject({
        status: 'fulfilled',
        value: { state: 'open', paymentSid: sidNumber(1) },
      });
    });
  });
}
