import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Fault } from '../../sandbox/btcpay/switches.ts';
import { micros } from '../../src/domain/money.ts';
import { ProviderFailure, type NewRefund } from '../../src/providers/provider.ts';
import { newOrder } from '../contract/payment-provider.ts';
import { whileTimePasses } from '../contract/time.ts';
import { API_KEY, openBtcpayBench, type BtcpayBench } from './btcpay-bench.ts';

let bench: BtcpayBench;
beforeEach(async () => {
  bench = await openBtcpayBench();
  // Known from here on: the faults below hit the call a test is about.
  await bench.provider.account();
});
afterEach(() => bench.close());

/** What a call comes to while time passes as far as it needs. */
async function timed<T>(call: Promise<T>): Promise<{ value: T | null; failure: unknown; seconds: number }> {
  const { ports, sandbox } = bench;
  const start = ports.clock.monotonicMs();
  const hangs = (): boolean => /^(timeout|hang)/.test(sandbox.requests.at(-1)?.fault ?? '');
  const result = await whileTimePasses(ports, call, hangs);
  const seconds = (ports.clock.monotonicMs() - start) / 1000;
  return result.status === 'fulfilled'
    ? { value: result.value, failure: null, seconds }
    : { value: null, failure: result.reason as unknown, seconds };
}

const create = () => bench.provider.createOrder(newOrder(new Date('2026-03-01T12:00:00.000Z')));
const REFUND: Omit<NewRefund, 'orderRef' | 'paymentRef'> = {
  refundSid: '01ARZ3NDEKTSV4RRFFQ69G5REF',
  paymentSid: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
  amount: micros(10_000_000n),
  currency: 'USD',
  destination: null,
};
const refund = (orderRef: string) => bench.provider.refund({ ...REFUND, orderRef, paymentRef: 'BTC-CHAIN:0a0a0a0a-0' });
const on = (fault: Fault): void => {
  bench.sandbox.switches.faults.push(fault);
};

const GARBAGE: readonly (readonly [Fault['kind'], ProviderFailure['kind']])[] = [
  ['html', 'broken'],
  ['empty-object', 'broken'],
  ['truncated', 'broken'],
  ['huge', 'broken'],
  ['wrong-content-type', 'broken'],
  ['redirect', 'broken'],
  ['reset-after-effect', 'broken'],
  ['reset-in-body', 'broken'],
  ['hang-in-body', 'timeout'],
  ['timeout-before-effect', 'timeout'],
  ['timeout-after-effect', 'timeout'],
  ['error-before-effect', 'broken'],
  ['error-after-effect', 'broken'],
  ['down', 'broken'],
  ['rate-limit', 'rate_limited'],
];

describe('I01 garbage from BTCPay Server', () => {
  it.each(GARBAGE)('I01 %s for every answer is a failure of a known kind within 20 seconds', async (kind, expected) => {
    on({ kind });
    const { failure, seconds } = await timed(create());
    expect(failure).toBeInstanceOf(ProviderFailure);
    expect(failure).toMatchObject({ kind: expected });
    expect(seconds).toBeLessThanOrEqual(20.1);
  });

  it.each(GARBAGE)(
    'I02 %s for one making leaves one invoice at most, and the next call finds or makes it',
    async (kind) => {
      on({ kind, method: 'POST', times: 1 });
      await timed(create());
      const { value } = await timed(create());
      expect(value?.state).toBe('open');
      expect(bench.sandbox.books.invoices.size).toBe(1);
    },
  );

  it.each(GARBAGE)(
    'C06 %s for one refund leaves one pull payment at most, and the next call finds or makes it',
    async (kind) => {
      const { orderRef } = await create();
      on({ kind, method: 'POST', times: 1 });
      const first = await timed(refund(orderRef));
      if (first.failure !== null) expect(first.failure).toBeInstanceOf(ProviderFailure);
      const { value } = await timed(refund(orderRef));
      expect(value).toMatchObject({ state: 'pending', refundSid: REFUND.refundSid, amount: REFUND.amount });
      expect(bench.sandbox.books.pullPayments.size).toBe(1);
    },
  );

  it('an invoice that is not the one asked for is refused', async () => {
    const { orderRef } = await create();
    on({ kind: 'other-object' });
    await expect(bench.provider.readOrder(orderRef)).rejects.toMatchObject({ kind: 'broken' });
  });

  it('a reading is tried again, and a making that was lost is looked for before it is tried again', async () => {
    on({ kind: 'error-before-effect', times: 2 });
    expect((await timed(create())).value?.state).toBe('open');
    const posts = bench.sandbox.requests.filter(({ method }) => method === 'POST');
    expect(posts).toHaveLength(1);
  });

  it('a wrong key is a definite no', async () => {
    const stranger = bench.another({ apiKey: `${API_KEY}x` });
    await expect(stranger.account()).rejects.toMatchObject({ kind: 'refused', outcome: 'none' });
  });

  it('nothing of an answer and nothing of the key stands in a failure', async () => {
    bench.sandbox.turn({ faults: [{ kind: 'html' }] });
    const { failure } = await timed(create());
    expect(String(failure)).not.toContain('Gateway');
    expect(JSON.stringify(failure)).not.toContain(API_KEY);
  });
});
