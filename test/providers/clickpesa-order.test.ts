import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PaymentStatus } from '../../sandbox/clickpesa/state.ts';
import { micros } from '../../src/domain/money.ts';
import { isReferenceSid, sidOfHead } from '../../src/domain/reference-sid.ts';
import { parseExact } from '../../src/providers/clickpesa/exact-json.ts';
import { readReference, referenceOf } from '../../src/providers/clickpesa/reference.ts';
import { toUsd } from '../../src/providers/clickpesa/usd.ts';
import { newOrder, sidNumber } from '../contract/payment-provider.ts';
import { openClickPesaBench, type ClickPesaBench } from './clickpesa-bench.ts';

let bench: ClickPesaBench;
beforeEach(async () => {
  bench = await openClickPesaBench();
});
afterEach(() => bench.close());

const create = (number = 1, amount = micros(25_000_000n)) =>
  bench.provider.createOrder(newOrder(bench.now(), { paymentSid: sidNumber(number), amount }));
const through = <T>(call: Promise<T>) => bench.trouble?.through(call);
const requests = (path: string): number => bench.sandbox.requests.filter((it) => it.path.startsWith(path)).length;

describe('references', () => {
  it('hold at most twenty letters and digits, and lead back to the whole sid', () => {
    for (let number = 0; number < 100; number += 1) {
      const sid = bench.ports.ids.referenceSid();
      const reference = referenceOf({ names: 'payment', sid, attempt: number % 10 });
      expect(reference).toMatch(/^[A-Z0-9]{12,20}$/);
      expect(readReference(reference)).toEqual({ names: 'payment', sid, attempt: number % 10 });
    }
  });

  it.each(['', 'SHOP00012345', 'x'.repeat(20), `${'I'.repeat(18)}P0`, `${'0'.repeat(18)}X0`])(
    'of somebody else are not ours: %s',
    (text) => expect(readReference(text)).toBeNull(),
  );

  it('are not made of a sid that its head does not tell', () => {
    expect(isReferenceSid('01ARZ3NDEKTSV4RRFFQ69G5FAV')).toBe(false);
    expect(() => referenceOf({ names: 'payment', sid: '01ARZ3NDEKTSV4RRFFQ69G5FAV', attempt: 0 })).toThrow(/head/);
    expect(sidOfHead('01ARZ3NDEKTSV4RRFF')).toMatch(/^01ARZ3NDEKTSV4RRFF[0-9A-HJKMNP-TV-Z]{8}$/);
  });
});

describe('the link', () => {
  it('D06 asks for dollars, as text, and nothing else', async () => {
    await create(1, micros(12_340_000n));
    expect(bench.sandbox.journal().links).toMatchObject([{ currency: 'USD', hundredths: 1_234 }]);
  });

  it('I02 whose answer was lost is made again under the next reference, and both are read', async () => {
    bench.sandbox.turn({ faults: [{ kind: 'reset-after-effect', method: 'POST', path: '/checkout-link', times: 1 }] });
    const result = await through(create());
    expect(result).toMatchObject({ status: 'fulfilled', value: { orderRef: `${sidNumber(1).slice(0, 18)}P1` } });
    const [lost, shown] = [0, 1].map((attempt) => referenceOf({ names: 'payment', sid: sidNumber(1), attempt }));
    bench.sandbox.pay(lost ?? '');
    bench.sandbox.pay(shown ?? '');
    const read = await bench.provider.readOrder(shown ?? '');
    expect(read).toMatchObject({ state: 'paid', orderRef: shown, payments: [{}, {}] });
    const { orders } = await bench.provider.listOrders(new Date(0), null);
    expect(orders).toMatchObject([{ paymentSid: sidNumber(1), payments: [{}, {}] }]);
  });

  it('is refused for good once ten were made of which nobody has heard', async () => {
    for (let attempt = 0; attempt < 10; attempt += 1) await create();
    await expect(create()).rejects.toMatchObject({ kind: 'refused', outcome: 'none' });
  });

  it('is signed, and refused by ClickPesa without or with a wrong checksum, whatever shape its words have', async () => {
    for (const messages of ['text', 'list'] as const) {
      bench.sandbox.turn({ messages });
      for (const checksumKey of [null, 'CHKanother9Lk2Xw7Rn5Tq1']) {
        const order = bench.another({ checksumKey }).createOrder(newOrder(bench.now(), { paymentSid: sidNumber(1) }));
        await expect(order).rejects.toMatchObject({ kind: 'refused', outcome: 'none' });
      }
    }
    expect(bench.sandbox.journal().links).toEqual([]);
  });

  it('A11 is signed by the old method when that is configured, and ClickPesa allows it', async () => {
    const old = bench.another({ checksumMethod: 'legacy' });
    const ask = () => old.createOrder(newOrder(bench.now(), { paymentSid: sidNumber(1) }));
    await expect(ask()).rejects.toMatchObject({ kind: 'refused' });
    bench.sandbox.turn({ allowsLegacy: true });
    expect(await ask()).toMatchObject({ state: 'open' });
  });
});

describe('the token', () => {
  it('is asked for once, sent as it came, and renewed before its hour is over', async () => {
    await create();
    await create(2);
    expect(requests('/generate-token')).toBe(1);
    await bench.pass(3_540);
    await create(3);
    expect(requests('/generate-token')).toBe(2);
  });

  it('that was ended in the dashboard is renewed once, and the call is not lost', async () => {
    await create();
    bench.sandbox.api.revokeTokens();
    expect(await create(2)).toMatchObject({ state: 'open' });
    expect(requests('/generate-token')).toBe(2);
    bench.sandbox.turn({ faults: [{ kind: 'unauthorized', path: '/checkout-link' }] });
    await expect(create(3)).rejects.toMatchObject({ kind: 'refused', outcome: 'none' });
    expect(requests('/generate-token')).toBe(3);
  });

  it('is not given for a wrong key, and the failure quotes none', async () => {
    const stranger = bench.another({ apiKey: 'SKwrong8yT2rWq5Kp0' });
    const failure = await stranger.listOrders(new Date(0), null).catch((error: unknown) => error as Error);
    expect(failure).toMatchObject({ name: 'ProviderFailure', kind: 'refused' });
    expect((failure as Error).message).not.toContain('SKwrong');
  });
});

describe('the eight statuses', () => {
  const cases: readonly (readonly [PaymentStatus, string, number, RegExp | null])[] = [
    ['PENDING', 'open', 0, /phone/],
    ['PROCESSING', 'processing', 0, /network/],
    ['ON-HOLD', 'processing', 0, /checking/],
    ['SUCCESS', 'paid', 1, null],
    ['SETTLED', 'paid', 1, null],
    ['FAILED', 'failed', 0, null],
    ['REFUNDED', 'paid', 1, null],
    ['REVERSED', 'paid', 1, null],
  ];
  it.each(cases)('%s is an order in the state %s', async (status, state, payments, progress) => {
    const { orderRef } = await create();
    bench.sandbox.pay(orderRef, status);
    const read = await bench.provider.readOrder(orderRef);
    expect(read).toMatchObject({ state, currency: 'USD' });
    expect(read?.payments).toHaveLength(payments);
    if (progress === null) expect(read?.progress).toBeNull();
    else expect(read?.progress).toMatch(progress);
  });

  it.each(['REFUNDED', 'REVERSED'] as const)('%s is a payment that went back as a whole, not by us', async (status) => {
    const { orderRef } = await create();
    bench.sandbox.pay(orderRef, 'SETTLED');
    const [before] = (await bench.provider.readOrder(orderRef))?.payments ?? [];
    bench.sandbox.become(before?.paymentRef ?? '', status);
    const [after] = (await bench.provider.readOrder(orderRef))?.payments ?? [];
    expect(after).toMatchObject({ ...before, refunds: [{ refundSid: null, amount: 25_000_000n, state: 'succeeded' }] });
    expect(after?.refunds[0]?.refundRef).toBe(`${before?.paymentRef}-RETURNED`);
    const { movements } = await bench.provider.listMovements(new Date(0), null);
    expect(movements.map(({ kind, amount }) => [kind, amount])).toEqual([
      ['payment', 25_000_000n],
      ['refund', -25_000_000n],
    ]);
  });

  it('one that nobody knows is a failure, not a guess', async () => {
    const { orderRef } = await create();
    bench.sandbox.pay(orderRef, 'UNHEARD' as PaymentStatus);
    await expect(bench.provider.readOrder(orderRef)).rejects.toMatchObject({ kind: 'broken', outcome: 'none' });
  });

  it('a try that failed and one that succeeded are one paid order', async () => {
    const { orderRef } = await create();
    bench.sandbox.pay(orderRef, 'FAILED');
    expect(await bench.provider.readOrder(orderRef)).toMatchObject({ state: 'failed' });
    bench.sandbox.pay(orderRef, 'PROCESSING');
    expect(await bench.provider.readOrder(orderRef)).toMatchObject({ state: 'processing' });
    bench.sandbox.pay(orderRef, 'SUCCESS');
    expect(await bench.provider.readOrder(orderRef)).toMatchObject({ state: 'paid', payments: [{}] });
  });

  it('a payment that is taken back weeks later is among the orders that changed', async () => {
    const { orderRef } = await create();
    bench.sandbox.pay(orderRef, 'SETTLED');
    await bench.pass(30 * 86_400);
    const since = bench.now();
    expect((await bench.provider.listOrders(since, null)).orders).toEqual([]);
    bench.sandbox.become(bench.sandbox.state.paymentsOf(orderRef)[0]?.id ?? '', 'REVERSED');
    expect((await bench.provider.listOrders(since, null)).orders).toMatchObject([{ orderRef, state: 'paid' }]);
  });
});

describe('amounts', () => {
  it.each(['text', 'number'] as const)(
    'D07 written as %s are read exactly, and what was collected counts',
    async (amounts) => {
      bench.sandbox.turn({ amounts, collectsHundredths: 1_999 });
      const { orderRef } = await create(1, micros(25_000_000n));
      bench.sandbox.pay(orderRef);
      expect(await bench.provider.readOrder(orderRef)).toMatchObject({ payments: [{ amount: 19_990_000n }] });
    },
  );

  it('D06 never go by way of a float', () => {
    expect(parseExact('{"collectedAmount":9007199254740993.01,"other":1.5}')).toEqual({
      collectedAmount: '9007199254740993.01',
      other: 1.5,
    });
  });

  it('D06 in shillings count as the dollars that the exchange states', async () => {
    bench.sandbox.turn({ collects: 'TZS', rate: '2563.4157' });
    const { orderRef } = await create(1, micros(12_340_000n));
    bench.sandbox.pay(orderRef);
    expect(await bench.provider.readOrder(orderRef)).toMatchObject({
      currency: 'USD',
      payments: [{ amount: 12_340_000n }],
    });
  });

  it('D07 in shillings of which nobody says what they came to are another currency than ordered', async () => {
    bench.sandbox.turn({ collects: 'TZS-untold' });
    const { orderRef } = await create();
    bench.sandbox.pay(orderRef);
    expect(await bench.provider.readOrder(orderRef)).toMatchObject({ currency: 'TZS', state: 'paid' });
  });

  const exchange = { sourceCurrency: 'USD', targetCurrency: 'TZS', sourceAmount: micros(10_000_000n), rate: '2500' };
  it.each([
    ['all of it', 25_000_000_000n, 'TZS', exchange, 10_000_000n],
    ['one shilling less, by rounding', 24_999_000_000n, 'TZS', exchange, 10_000_000n],
    ['more', 30_000_000_000n, 'TZS', exchange, 10_000_000n],
    ['half, in whole cents rounded down', 12_499_000_000n, 'TZS', exchange, 4_990_000n],
    ['an exchange of other currencies', 25_000_000_000n, 'KES', exchange, null],
    [
      'an exchange the other way round',
      25_000_000_000n,
      'TZS',
      { ...exchange, sourceCurrency: 'TZS', targetCurrency: 'USD' },
      null,
    ],
    ['a rate of nothing', 25_000_000_000n, 'TZS', { ...exchange, rate: '0' }, null],
    ['a rate that is none', 25_000_000_000n, 'TZS', { ...exchange, rate: '1e3' }, null],
    ['no exchange', 25_000_000_000n, 'TZS', null, null],
    ['dollars', 5_000_000n, 'USD', null, 5_000_000n],
  ])('D07 collected: %s', (_, collected, currency, stated, expected) => {
    expect(toUsd(micros(collected), currency, stated)).toBe(expected);
  });
});

describe('a refund', () => {
  const asked = async (amount = micros(10_000_000n)) => {
    const { orderRef, paymentSid } = await create();
    const payment = bench.sandbox.pay(orderRef, 'SETTLED', '255755123456');
    const names = { refundSid: sidNumber(900), paymentSid: paymentSid ?? '', orderRef, paymentRef: payment?.id ?? '' };
    return { ...names, amount, currency: 'USD' as const, destination: null };
  };

  it('goes to the number that paid, has a fee of its own, and says where it stands', async () => {
    const refund = await asked(micros(12_340_000n));
    expect(await bench.provider.refund(refund)).toMatchObject({
      state: 'pending',
      fee: 500_000n,
      refundSid: sidNumber(900),
    });
    expect(bench.sandbox.journal().payouts).toMatchObject([
      { phone: '255755123456', hundredths: 1_234, currency: 'USD' },
    ]);
    bench.sandbox.payoutBecomes(referenceOf({ names: 'refund', sid: sidNumber(900), attempt: 0 }), 'SUCCESS');
    expect(await bench.provider.readRefund({ ...refund, refundRef: null })).toMatchObject({ state: 'succeeded' });
    bench.sandbox.payoutBecomes(referenceOf({ names: 'refund', sid: sidNumber(900), attempt: 0 }), 'REVERSED');
    expect(await bench.provider.readRefund({ ...refund, refundRef: null })).toMatchObject({
      state: 'failed',
      detail: 'The payout was reversed',
    });
  });

  it('goes to a number that was named instead', async () => {
    await bench.provider.refund({ ...(await asked()), destination: '255700000009' });
    expect(bench.sandbox.journal().payouts).toMatchObject([{ phone: '255700000009' }]);
  });

  it('of the same amount to the same number within a minute waits', async () => {
    const refund = await asked();
    await bench.provider.refund(refund);
    const second = bench.provider.refund({ ...refund, refundSid: sidNumber(901) });
    expect(await through(second)).toMatchObject({
      status: 'rejected',
      reason: { kind: 'rate_limited', outcome: 'none' },
    });
    await bench.pass(61);
    expect(await bench.provider.refund({ ...refund, refundSid: sidNumber(901) })).toMatchObject({ state: 'pending' });
  });

  it('is never a definite no while an earlier one may have left', async () => {
    const refund = await asked();
    await bench.provider.refund(refund);
    bench.sandbox.turn({ faults: [{ kind: 'unauthorized', path: '/payouts' }] });
    expect(await through(bench.provider.refund(refund))).toMatchObject({
      status: 'rejected',
      reason: { kind: 'broken', outcome: 'unknown' },
    });
  });

  it('C06 whose answer was lost, and whose next try is refused, may have left', async () => {
    const refund = await asked();
    const lost = { kind: 'error-after-effect', method: 'POST', path: '/payouts', times: 1 } as const;
    bench.sandbox.turn({ faults: [lost, { kind: 'unauthorized', method: 'POST', path: '/payouts' }] });
    expect(await through(bench.provider.refund(refund))).toMatchObject({
      status: 'rejected',
      reason: { kind: 'broken', outcome: 'unknown' },
    });
    expect(bench.sandbox.journal().payouts).toHaveLength(1);
  });

  it('that is a webhook leads to the refund', async () => {
    await bench.provider.refund(await asked());
    await bench.pass(5);
    await bench.sandbox.deliveries.settled();
    const last = bench.delivered.at(-1);
    expect(last && bench.provider.verifyWebhook(last)).toMatchObject({
      eventType: 'PAYOUT INITIATED',
      refundSid: sidNumber(900),
    });
  });
});
