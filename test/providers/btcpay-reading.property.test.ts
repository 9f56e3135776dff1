import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newOrder } from '../contract/payment-provider.ts';
import { propertySeed } from '../support/property-seed.ts';
import { testPorts } from '../support/ports.ts';
import { Crash } from '../support/ports.ts';
import { openInProcessBench, type BtcpayBench } from './btcpay-bench.ts';

type Move = (bench: BtcpayBench, orderRef: string, which: number) => void | Promise<void>;

/** Everything that can happen to an invoice, also what BTCPay Server would never do twice. */
const MOVES: Readonly<Record<string, Move>> = {
  exact: (bench, orderRef) => void bench.sandbox.pay(bench.invoice(orderRef)),
  part: (bench, orderRef, which) => void bench.sandbox.pay(bench.invoice(orderRef), { sats: 1 + which * 997 }),
  lightning: (bench, orderRef, which) =>
    void bench.sandbox.pay(bench.invoice(orderRef), { sats: 50 + which * 1_013, method: 'BTC-LN' }),
  confirm: (bench, orderRef, which) => onPayment(bench, orderRef, which, (one) => bench.sandbox.invoices.confirm(one)),
  reorganise: (bench, orderRef, which) =>
    onPayment(bench, orderRef, which, (one) => bench.sandbox.invoices.reorganise(one)),
  revert: (bench, orderRef, which) => onPayment(bench, orderRef, which, (one) => bench.sandbox.invoices.revert(one)),
  rate: (bench, _, which) => void bench.sandbox.turn({ rateCents: 1_000_000 + which * 77_777 }),
  expire: (bench, orderRef) => void bench.sandbox.invoices.expire(bench.invoice(orderRef)),
  hour: (bench) => bench.pass(3_600),
  settle: (bench, orderRef) => void bench.sandbox.invoices.mark(bench.invoice(orderRef), 'Settled'),
  invalidate: (bench, orderRef) => void bench.sandbox.invoices.mark(bench.invoice(orderRef), 'Invalid'),
};

function onPayment(
  bench: BtcpayBench,
  orderRef: string,
  which: number,
  move: (payment: ReturnType<BtcpayBench['payment']>) => void,
): void {
  const payments = bench.sandbox.books.paymentsOf(bench.invoice(orderRef));
  const payment = payments[which % Math.max(1, payments.length)];
  if (payment !== undefined) move(payment);
}

describe('what is read twice', () => {
  it('C10 C12 has the amount it had, or none and a reversal of exactly that, whatever happens in between', async () => {
    const moves = fc.array(fc.tuple(fc.constantFrom(...Object.keys(MOVES)), fc.nat({ max: 60 })), { maxLength: 14 });
    await fc.assert(
      fc.asyncProperty(moves, async (list) => {
        const bench = await openInProcessBench();
        try {
          const { orderRef } = await bench.provider.createOrder(newOrder(bench.now()));
          const known = new Map<string, bigint>();
          for (const [name, which] of list) {
            await MOVES[name]?.(bench, orderRef, which);
            const order = await bench.provider.readOrder(orderRef);
            for (const { paymentRef, amount, refunds } of order?.payments ?? []) {
              const before = known.get(paymentRef);
              if (amount !== null && amount > 0n) {
                expect(before ?? amount).toBe(amount);
                expect(refunds).toEqual([]);
                known.set(paymentRef, amount);
              } else if (before !== undefined && amount !== null) {
                expect(refunds).toMatchObject([{ amount: before, state: 'succeeded' }]);
              }
            }
          }
        } finally {
          await bench.close();
        }
      }),
      { seed: propertySeed('readings'), numRuns: 150 },
    );
  });
});

describe('G01 a process that dies while it makes something', () => {
  const REFUND = {
    refundSid: '01ARZ3NDEKTSV4RRFFQ69G5REF',
    paymentSid: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
    paymentRef: 'BTC-CHAIN:0a0a0a0a-0',
    amount: newOrder(new Date(0)).amount,
    currency: 'USD',
    destination: null,
  } as const;

  it('G01 at any place leaves one invoice and one refund that can be used', async () => {
    let died = true;
    for (let at = 0; died; at += 1) {
      const bench = await openInProcessBench();
      const ports = { ...testPorts({ seed: 7 + at }), http: bench.ports.http, clock: bench.ports.clock };
      ports.crash.dieAfter(at);
      const dying = bench.another({ ports });
      died = false;
      try {
        const { orderRef } = await dying.createOrder(newOrder(bench.now()));
        await dying.refund({ ...REFUND, orderRef });
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
        died = true;
      }
      const { orderRef } = await bench.provider.createOrder(newOrder(bench.now()));
      await bench.provider.refund({ ...REFUND, orderRef });
      const payable = [...bench.sandbox.books.invoices.values()].filter(({ status }) => status === 'New');
      const claimable = [...bench.sandbox.books.pullPayments.values()].filter(({ archived }) => !archived);
      expect([at, payable.length, claimable.length]).toEqual([at, 1, 1]);
      await bench.close();
    }
  });
});
