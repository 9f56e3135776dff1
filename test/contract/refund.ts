import { describe, expect, it } from 'vitest';
import { micros } from '../../src/domain/money.ts';
import type { NewRefund, PaymentProvider, ProviderMovement, ProviderRefund } from '../../src/providers/provider.ts';
import { newOrder, sidNumber, type ProviderBench } from './payment-provider.ts';

/** The provider's own part in money that goes back. */
export interface RefundBench {
  /** How often the provider really gave money back under a refund's sid. */
  readonly made: (refundSid: string) => number;
  /** What the provider, or the rail, lets become of it. */
  readonly end: (refundSid: string, state: 'succeeded' | 'failed') => Promise<void>;
}

/** Refunds and movements of providers that speak of them. */
export function refundContract(benchOf: () => ProviderBench): void {
  describe('money that goes back', () => {
    /** A paid order, and a refund of some of it that nobody has asked for yet. */
    const asked = async (amount = micros(10_000_000n)): Promise<NewRefund> => {
      const { provider, act, now } = benchOf();
      const order = newOrder(now(), { paymentSid: sidNumber(1) });
      const { orderRef } = await provider.createOrder(order);
      await act(orderRef, 'paid');
      const paymentRef = (await provider.readOrder(orderRef))?.payments[0]?.paymentRef ?? '';
      const { paymentSid } = order;
      return {
        refundSid: sidNumber(900),
        paymentSid,
        orderRef,
        paymentRef,
        amount,
        currency: 'USD',
        destination: null,
      };
    };
    const read = (refund: NewRefund) => benchOf().provider.readRefund({ ...refund, refundRef: null });

    it('a refund that was never asked for reads as null', async () => {
      if (benchOf().refunds === null) return;
      expect(await read(await asked())).toBeNull();
    });

    it('a refund carries our sid and its amount, and is found again by the sid alone', async () => {
      const { provider, refunds } = benchOf();
      if (refunds === null) return;
      const refund = await asked();
      const made = await provider.refund(refund);
      expect(made).toMatchObject({ refundSid: refund.refundSid, amount: refund.amount });
      expect(await read(refund)).toMatchObject({ refundRef: made.refundRef, refundSid: refund.refundSid });
      expect(await provider.readRefund({ ...refund, refundRef: made.refundRef })).toMatchObject({
        amount: refund.amount,
      });
    });

    it('the same refund five times, also at once, gives back once', async () => {
      const { provider, refunds } = benchOf();
      if (refunds === null) return;
      const refund = await asked();
      const first = await provider.refund(refund);
      const others = await Promise.all(Array.from({ length: 4 }, () => provider.refund(refund)));
      expect(new Set([first, ...others].map(({ refundRef }) => refundRef)).size).toBe(1);
      expect(refunds.made(refund.refundSid)).toBe(1);
    });

    it.each(['succeeded', 'failed'] as const)('a refund that ended as %s says so', async (state) => {
      const { provider, refunds } = benchOf();
      if (refunds === null) return;
      const refund = await asked();
      await provider.refund(refund);
      await refunds.end(refund.refundSid, state);
      expect(await read(refund)).toMatchObject({ state, amount: refund.amount });
    });

    it.each(['cut-after', 'silent-after', 'error-after', 'html'] as const)(
      'a refund whose answer was lost (%s) is no definite no, is found, and is made once',
      async (trouble) => {
        const { provider, refunds, trouble: bench } = benchOf();
        if (refunds === null || bench === null) return;
        const refund = await asked();
        bench.start(trouble);
        expect(await bench.through(provider.refund(refund))).toMatchObject({
          status: 'rejected',
          reason: { name: 'ProviderFailure', kind: expect.stringMatching(/broken|timeout/) as string },
        });
        bench.stop();
        const again = await bench.through(provider.refund(refund));
        expect(again).toMatchObject({ status: 'fulfilled', value: { refundSid: refund.refundSid } });
        expect(refunds.made(refund.refundSid)).toBe(1);
        const { refundRef } = (again as PromiseFulfilledResult<ProviderRefund>).value;
        expect(await read(refund)).toMatchObject({ refundRef });
      },
    );

    it('movements tell of the payment and the refund, signed, each once', async () => {
      const { provider, refunds, pass } = benchOf();
      if (refunds === null) return;
      const refund = await asked();
      await pass(1);
      const { refundRef } = await provider.refund(refund);
      await refunds.end(refund.refundSid, 'succeeded');
      const movements = await allMovements(provider);
      const [came, went] = (['payment', 'refund'] as const).map((kind) => movements.find((it) => it.kind === kind));
      expect(came).toMatchObject({ kind: 'payment', amount: 25_000_000n, paymentRef: refund.paymentRef });
      expect(went).toMatchObject({ kind: 'refund', amount: -10_000_000n, refundRef });
      expect(new Set(movements.map(({ movementRef }) => movementRef)).size).toBe(movements.length);
    });

    it('no movements are an empty page without a next one', async () => {
      if (benchOf().refunds === null) return;
      expect(await benchOf().provider.listMovements(new Date(0), null)).toEqual({ movements: [], nextCursor: null });
    });
  });
}

async function allMovements(provider: PaymentProvider): Promise<ProviderMovement[]> {
  const all: ProviderMovement[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<PaymentProvider['listMovements']>> = await provider.listMovements(
      new Date(0),
      cursor,
    );
    all.push(...page.movements);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return all;
}
