import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { micros } from '../../src/domain/money.ts';
import { misfitOf, strangerOf } from '../../src/domain/payment/judge-event.ts';
import { judge, type OrderedPayment, type ProviderTruth } from '../../src/domain/payment/judge.ts';
import { nextAttemptAt, nextCheckAt } from '../../src/domain/payment/schedule.ts';
import { canMove, isFinal, PAYMENT_STATES, type PaymentState } from '../../src/domain/payment/state.ts';
import { propertySeed } from '../support/property-seed.ts';

const NOW = new Date('2026-03-01T12:00:00Z');
const ordered: OrderedPayment = {
  sid: 'PAY',
  userSid: 'USER',
  provider: 'stripe',
  providerAccount: 'acct_1',
  isLive: false,
  amount: 25_000_000n,
  currency: 'USD',
  state: 'open',
  orderRef: 'cs_1',
  expiresAt: new Date('2026-03-01T14:00:00Z'),
  credited: null,
  creditedRefs: new Set(),
};
const PAID = [{ paymentRef: 'pi_1', amount: 25_000_000n }];
const paid: ProviderTruth = {
  provider: 'stripe',
  orderRef: 'cs_1',
  paymentSid: 'PAY',
  userSid: 'USER',
  accountId: 'acct_1',
  isLive: false,
  currency: 'USD',
  state: 'paid',
  payments: PAID,
};

describe('what differs from our order is never credited', () => {
  it.each([
    ['provider_mismatch', { provider: 'clickpesa' }],
    ['account_mismatch', { accountId: 'acct_2' }],
    ['mode_mismatch', { isLive: true }],
    ['order_mismatch', { paymentSid: 'OTHER' }],
    ['order_mismatch', { paymentSid: null }],
    ['order_mismatch', { orderRef: 'cs_2' }],
    ['user_mismatch', { userSid: 'ELSE' }],
    ['currency_mismatch', { currency: 'EUR' }],
    ['currency_mismatch', { currency: 'usd' }],
    ['payment_ref_missing', { payments: [] }],
    ['amount_missing', { payments: [{ paymentRef: 'pi_1', amount: null }] }],
    ['amount_missing', { payments: [{ paymentRef: 'pi_1', amount: 0n }] }],
    ['amount_missing', { payments: [{ paymentRef: 'pi_1', amount: -1n }] }],
    ['amount_missing', { payments: [...PAID, { paymentRef: 'pi_2', amount: null }] }],
  ] as const)('D07 D08 %s: %o is quarantined', (reason, change) => {
    for (const state of PAYMENT_STATES.filter((state) => state !== 'credited')) {
      expect(judge({ ...ordered, state }, { ...paid, ...change }, NOW)).toEqual({ kind: 'quarantine', reason });
    }
  });

  it('the earliest mismatch is the one that is named', () => {
    const truth = { ...paid, accountId: 'acct_2', isLive: true, userSid: 'ELSE', currency: 'EUR' };
    expect(judge(ordered, truth, NOW)).toEqual({ kind: 'quarantine', reason: 'account_mismatch' });
  });
});

describe('what was paid is credited', () => {
  it.each([
    [25_000_000n, null],
    [24_990_000n, 'underpaid'],
    [10_000n, 'underpaid'],
    [25_010_000n, 'overpaid'],
    [900_000_000_000n, 'overpaid'],
  ])('D07 of 25.00 ordered, %d µ$ paid are credited and the payment says: %s', (received, word) => {
    const verdict = judge(ordered, { ...paid, payments: [{ paymentRef: 'pi_1', amount: received }] }, NOW);
    expect(verdict).toMatchObject({ kind: 'credit', receipts: [{ amount: micros(received), paymentRef: 'pi_1' }] });
    const problem = verdict.kind === 'credit' ? verdict.problem : 'no credit';
    expect(problem?.split(':')[0] ?? null).toBe(word);
  });

  it('B07 paid credits from every state but credited, where nothing is left to do', () => {
    for (const state of PAYMENT_STATES) {
      const creditedRefs = new Set(state === 'credited' ? ['pi_1'] : []);
      const verdict = judge({ ...ordered, state, creditedRefs }, paid, NOW);
      expect(verdict.kind).toBe(state === 'credited' ? 'nothing' : 'credit');
    }
  });

  describe('an order that is paid again', () => {
    const again = { ...paid, payments: [...PAID, { paymentRef: 'pi_2', amount: 5_000_000n }] };
    const credited = {
      ...ordered,
      state: 'credited' as const,
      credited: 25_000_000n,
      creditedRefs: new Set(['pi_1']),
    };

    it('is credited with what is new, and says that more was paid than ordered', () => {
      expect(judge(credited, again, NOW)).toEqual({
        kind: 'credit',
        receipts: [{ paymentRef: 'pi_2', amount: 5_000_000n }],
        problem: 'overpaid: 25.00 was ordered and 30.00 was paid; what was paid is credited',
      });
    });

    it('is credited with everything at once where nothing was credited before', () => {
      expect(judge(ordered, again, NOW)).toMatchObject({ receipts: [{ paymentRef: 'pi_1' }, { paymentRef: 'pi_2' }] });
    });

    it.each([
      ['another currency', { ...again, currency: 'EUR' }],
      ['an older truth', paid],
      ['a truth without money', { ...paid, state: 'expired' as const, payments: [] }],
      ['an amount that is not said', { ...paid, payments: [...PAID, { paymentRef: 'pi_2', amount: null }] }],
    ])('is left alone by %s', (_, truth) => {
      expect(judge(credited, truth, NOW)).toEqual({ kind: 'nothing' });
    });
  });
});

describe('B07 a payment never goes back', () => {
  const RANK: Record<PaymentState, number> = {
    created: 0,
    open: 1,
    processing: 2,
    failed: 3,
    expired: 3,
    quarantined: 4,
    credited: 5,
  };
  const told = fc.constantFrom('open', 'processing', 'paid', 'failed', 'expired', 'unknown', 'foreign');

  const follow = (state: PaymentState, news: string): PaymentState => {
    const truth =
      news === 'unknown'
        ? null
        : news === 'foreign'
          ? { ...paid, currency: 'EUR' }
          : { ...paid, state: news as 'paid' };
    const verdict = judge({ ...ordered, state }, truth, NOW);
    if (verdict.kind === 'credit') return 'credited';
    if (verdict.kind === 'quarantine') return 'quarantined';
    return verdict.kind === 'nothing' ? state : verdict.state;
  };

  it('for every list of news: each step is a move that exists, ranks never fall, and money decides', () => {
    fc.assert(
      fc.property(fc.array(told, { maxLength: 12 }), (list) => {
        let state: PaymentState = 'created';
        for (const news of list) {
          const next = follow(state, news);
          expect(next === state || canMove(state, next)).toBe(true);
          expect(RANK[next]).toBeGreaterThanOrEqual(RANK[state]);
          state = next;
        }
        // The model in one line: paid, told at any time, credits; nothing else can.
        expect(state === 'credited').toBe(list.includes('paid'));
      }),
      { seed: propertySeed('B07'), numRuns: 2_000 },
    );
  });

  it('for all permutations of the seven kinds of news the end is credited', () => {
    const kinds = ['open', 'processing', 'paid', 'failed', 'expired', 'unknown', 'foreign'];
    let count = 0;
    for (const order of permutations(kinds)) {
      count += 1;
      expect(order.reduce<PaymentState>(follow, 'created')).toBe('credited');
    }
    expect(count).toBe(5_040);
  });

  it('an order that the provider does not know is asked about until a day after its end, then given up', () => {
    const later = (ms: number): Date => new Date(ordered.expiresAt.getTime() + ms);
    expect(judge(ordered, null, NOW)).toMatchObject({ kind: 'wait', state: 'open' });
    expect(judge(ordered, null, later(86_399_999))).toMatchObject({ kind: 'wait', state: 'open' });
    expect(judge(ordered, null, later(86_400_000))).toMatchObject({ kind: 'close', state: 'expired' });
    expect(judge({ ...ordered, state: 'failed' }, null, later(86_400_000))).toEqual({ kind: 'nothing' });
  });
});

describe('an event is compared before anything is asked', () => {
  const event = { provider: 'stripe', accountId: 'acct_1', isLive: false, orderRef: 'cs_1', paymentRef: 'pi_1' };
  const payment = { ...ordered, paymentRef: 'pi_1', assignedOrderRef: null };

  it.each([
    [null, {}],
    ['account_mismatch', { accountId: 'acct_2' }],
    ['account_mismatch', { accountId: 'acct_2', isLive: true }],
    ['mode_mismatch', { isLive: true }],
  ])('A14 A15 strangerOf answers %s for %o', (reason, change) => {
    expect(strangerOf({ ...event, ...change }, { accountId: 'acct_1', isLive: false })).toBe(reason);
  });

  it.each([
    [null, {}],
    [null, { orderRef: null, paymentRef: null }],
    ['provider_mismatch', { provider: 'clickpesa', orderRef: 'x' }],
    ['account_mismatch', { accountId: 'acct_2' }],
    ['mode_mismatch', { isLive: true }],
    ['order_mismatch', { orderRef: 'cs_2' }],
    ['order_mismatch', { paymentRef: 'pi_2', orderRef: null }],
  ])('A04 misfitOf answers %s for %o', (reason, change) => {
    expect(misfitOf({ ...event, ...change }, payment)).toBe(reason);
  });

  it('what was assigned is known by its payment, whatever its order is called', () => {
    const assigned = { ...payment, orderRef: 'txn_1', assignedOrderRef: 'pi_1' };
    expect(misfitOf({ ...event, orderRef: 'cs_9' }, assigned)).toBe(null);
    expect(misfitOf({ ...event, paymentRef: 'pi_2' }, assigned)).toBe('order_mismatch');
  });
});

describe('times', () => {
  it('questions double from 15 seconds to 6 hours, with one just after the end of the order', () => {
    const waits = Array.from({ length: 14 }, (_, checks) => {
      const next = nextCheckAt({ now: NOW, checks, expiresAt: new Date(0) });
      return (next.getTime() - NOW.getTime()) / 1_000;
    });
    expect(waits.slice(0, 3)).toEqual([15, 30, 60]);
    expect(waits.at(-1)).toBe(6 * 3_600);
    const expiresAt = new Date(NOW.getTime() + 3_600_000);
    expect(nextCheckAt({ now: NOW, checks: 10, expiresAt })).toEqual(new Date(expiresAt.getTime() + 60_000));
  });

  it('tries of a webhook double from 2 seconds to a quarter of an hour', () => {
    const waits = [1, 2, 3, 9, 30].map((attempts) => (nextAttemptAt(NOW, attempts).getTime() - NOW.getTime()) / 1_000);
    expect(waits).toEqual([2, 4, 8, 512, 900]);
  });

  it('a state is final exactly when we stop asking', () => {
    expect(PAYMENT_STATES.filter(isFinal)).toEqual(['credited', 'failed', 'expired', 'quarantined']);
  });
});

function* permutations<T>(items: readonly T[]): Generator<T[]> {
  if (items.length === 0) yield [];
  for (const [index, first] of items.entries()) {
    for (const rest of permutations(items.toSpliced(index, 1))) yield [first, ...rest];
  }
}
