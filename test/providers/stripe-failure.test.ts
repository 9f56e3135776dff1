import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Fault } from '../../sandbox/stripe/switches.ts';
import { newOrder } from '../contract/payment-provider.ts';
import { openStripeBench, type StripeBench } from './stripe-bench.ts';

let bench: StripeBench;
beforeEach(async () => {
  bench = await openStripeBench();
  // Known from here on: the faults below hit the call a test is about.
  await bench.provider.account();
});
afterEach(() => bench.close());

/**
 * Runs a call while time passes in small steps; nobody really waits. Time moves only while the client sleeps between
 * two attempts (the second sleeper; the first is its deadline), or when Stripe will never answer: a real answer needs
 * real time, however slow the machine.
 */
async function whileTimePasses<T>(call: Promise<T>): Promise<{ value: T | null; failure: unknown; seconds: number }> {
  const { clock } = bench.ports;
  const start = clock.monotonicMs();
  const progress = { isOver: false };
  const settled = call
    .then(
      (value) => ({ value, failure: null as unknown }),
      (failure: unknown) => ({ value: null, failure }),
    )
    .finally(() => {
      progress.isOver = true;
    });
  while (!progress.isOver) {
    const hangs = bench.sandbox.requests.at(-1)?.fault?.match(/^(timeout|hang)/) ?? null;
    await clock.advance(clock.sleeping > 1 || hangs !== null ? 100 : 0);
  }
  return { ...(await settled), seconds: (clock.monotonicMs() - start) / 1000 };
}

const create = (paymentSid = '01ARZ3NDEKTSV4RRFFQ69G5FAV') =>
  bench.provider.createOrder(newOrder(new Date('2026-03-01T12:00:00.000Z'), { paymentSid }));
const always = (kind: Fault['kind']): void => {
  bench.sandbox.turn({ faults: [{ kind }] });
};

describe('I01 garbage from Stripe', () => {
  const cases = [
    ['html', 'broken'],
    ['empty-object', 'broken'],
    ['truncated', 'broken'],
    ['huge', 'broken'],
    ['wrong-content-type', 'broken'],
    ['redirect', 'broken'],
    ['other-object', 'broken'],
    ['reset-after-effect', 'broken'],
    ['reset-in-body', 'broken'],
    ['hang-in-body', 'timeout'],
    ['timeout-before-effect', 'timeout'],
    ['timeout-after-effect', 'timeout'],
    ['error-before-effect', 'broken'],
    ['error-after-effect', 'broken'],
    ['error-stored', 'broken'],
    ['conflict', 'broken'],
  ] as const;

  it.each(cases)('I01 %s to a write is a failure of kind %s with an unknown outcome', async (fault, kind) => {
    always(fault);
    const { failure, seconds } = await whileTimePasses(create());
    expect(failure).toMatchObject({ name: 'ProviderFailure', kind, outcome: 'unknown' });
    expect(seconds).toBeLessThanOrEqual(20.2);
  });

  it.each(cases)('I01 %s to a read is a failure of kind %s without an effect', async (fault, kind) => {
    const { orderRef } = await create();
    always(fault);
    const { failure } = await whileTimePasses(bench.provider.readOrder(orderRef));
    expect(failure).toMatchObject({ name: 'ProviderFailure', kind, outcome: 'none' });
  });

  it.each(cases.filter(([fault]) => fault !== 'other-object'))(
    'I01 %s to a list is a failure of kind %s without an effect',
    async (fault, kind) => {
      await create();
      always(fault);
      const { failure } = await whileTimePasses(bench.provider.listOrders(new Date(0), null));
      expect(failure).toMatchObject({ name: 'ProviderFailure', kind, outcome: 'none' });
    },
  );

  it('I01 a write is given up after 20 s in total, not per attempt', async () => {
    always('timeout-after-effect');
    const { seconds } = await whileTimePasses(create());
    expect(seconds).toBeGreaterThanOrEqual(19.9);
    expect(seconds).toBeLessThanOrEqual(20.2);
  });

  it('I01 a port where nobody listens is a failure that had no effect', async () => {
    const provider = bench.another({ apiBase: 'http://127.0.0.1:9' });
    const { failure } = await whileTimePasses(provider.account());
    expect(failure).toMatchObject({ name: 'ProviderFailure', kind: 'broken', outcome: 'none' });
  });

  it('I01 a failed question for the account is asked again', async () => {
    const provider = bench.another();
    always('html');
    expect((await whileTimePasses(provider.account())).failure).not.toBeNull();
    bench.sandbox.calm();
    expect(await provider.account()).toMatchObject({ id: bench.sandbox.state.accountId });
  });

  it('I01 no failure quotes the key', async () => {
    for (const [fault] of cases) {
      always(fault);
      const { failure } = await whileTimePasses(create(`payment-${fault}`));
      expect(failure).toBeInstanceOf(Error);
      expect((failure as Error).message).not.toMatch(/sk_test|whsec/);
    }
  });
});

describe('I02 passing failures', () => {
  it.each(['error-before-effect', 'error-after-effect', 'conflict', 'rate-limit', 'reset-after-effect'] as const)(
    'I02 one %s is retried with the same key, and one order comes of it',
    async (kind) => {
      bench.sandbox.turn({ faults: [{ kind, times: 1 }] });
      const { value } = await whileTimePasses(create());
      expect(value).toMatchObject({ state: 'open' });
      expect(bench.sandbox.state.sessions.size).toBe(1);
    },
  );

  it('I02 a failure that Stripe remembers for the key leaves the order findable in the list', async () => {
    bench.sandbox.turn({ faults: [{ kind: 'error-stored', times: 1 }] });
    const { failure } = await whileTimePasses(create());
    expect(failure).toMatchObject({ kind: 'broken', outcome: 'unknown' });
    const { orders } = await bench.provider.listOrders(new Date(0), null);
    expect(orders).toMatchObject([{ paymentSid: newOrder(new Date(0)).paymentSid, state: 'open' }]);
  });

  it('I02 429 with an hour to wait is not waited for', async () => {
    bench.sandbox.turn({ faults: [{ kind: 'rate-limit', retryAfterSeconds: 3600 }] });
    const { failure, seconds } = await whileTimePasses(create());
    expect(failure).toMatchObject({ kind: 'rate_limited', outcome: 'none', message: expect.stringContaining('3600') });
    expect(seconds).toBe(0);
    expect(bench.sandbox.requests.filter((it) => it.method === 'POST').length).toBe(1);
  });

  it('I02 a refusal is not retried', async () => {
    const provider = bench.another({ secretKey: 'sk_test_wrong_key_0000000000' });
    await whileTimePasses(provider.account());
    expect(bench.sandbox.requests.filter((it) => it.status === 401).length).toBe(1);
  });

  it('I02 at most three attempts are made', async () => {
    always('error-before-effect');
    await whileTimePasses(create());
    expect(bench.sandbox.requests.filter((it) => it.method === 'POST').length).toBe(3);
  });
});
