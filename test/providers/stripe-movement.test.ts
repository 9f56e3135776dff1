import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { micros } from '../../src/domain/money.ts';
import type { ProviderMovement } from '../../src/providers/provider.ts';
import { payOut } from '../../sandbox/stripe/balance.ts';
import { newOrder } from '../contract/payment-provider.ts';
import { openInProcessBench, type StripeBench } from './stripe-bench.ts';

let bench: StripeBench;
beforeEach(async () => {
  bench = await openInProcessBench();
});
afterEach(() => bench.close());

async function statement(since = new Date(0)): Promise<ProviderMovement[]> {
  const all: ProviderMovement[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof bench.provider.listMovements>> = await bench.provider.listMovements(
      since,
      cursor,
    );
    all.push(...page.movements);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return all;
}

async function paid(paymentSid = '01ARZ3NDEKTSV4RRFFQ69G5FAV'): Promise<string> {
  const { orderRef } = await bench.provider.createOrder(newOrder(bench.now(), { paymentSid }));
  bench.sandbox.complete(orderRef, 'paid');
  const order = await bench.provider.readOrder(orderRef);
  return order?.payments[0]?.paymentRef ?? '';
}

describe("Stripe's account statement", () => {
  it('has a payment with its fee, a refund and a payout, each with what it belongs to', async () => {
    const paymentRef = await paid();
    const asked = { paymentSid: '01ARZ3NDEKTSV4RRFFQ69G5FAV', orderRef: 'cs_x', paymentRef, destination: null };
    const { refundRef } = await bench.provider.refund({
      ...asked,
      refundSid: '01ARZ3NDEKTSV4RRFFQ69G5REF',
      amount: micros(5_000_000n),
      currency: 'USD',
    });
    payOut(bench.sandbox.state, { amountCents: 1_000 });
    const found = await statement();
    expect(found.map(({ kind, amount, fee }) => [kind, amount, fee])).toEqual([
      ['payout', -10_000_000n, 0n],
      ['refund', -5_000_000n, 0n],
      ['payment', 25_000_000n, 1_030_000n],
    ]);
    expect(found.find(({ kind }) => kind === 'payment')).toMatchObject({ paymentRef, currency: 'USD' });
    expect(found.find(({ kind }) => kind === 'refund')).toMatchObject({ paymentRef, refundRef });
    const { userSid } = newOrder(bench.now());
    const owner = `payment ${asked.paymentSid} of user ${userSid}`;
    expect(found.map(({ kind, detail }) => [kind, detail?.endsWith(` · ${owner}`)])).toContainEqual(['payment', true]);
    expect(new Set(found.map(({ movementRef }) => movementRef)).size).toBe(3);
  });

  it('is the same however often it is read, and begins at the instant', async () => {
    await paid();
    const first = await statement();
    expect(await statement()).toEqual(first);
    expect(await statement(new Date(bench.now().getTime() + 3_600_000))).toEqual([]);
  });

  it('is read across pages, each line once', async () => {
    for (let index = 0; index < 120; index += 1) await paid(`01ARZ3NDEKTSV4RRFFQ69G5${String(index).padStart(3, '0')}`);
    const refs = (await statement()).map(({ movementRef }) => movementRef);
    expect([refs.length, new Set(refs).size]).toEqual([120, 120]);
  });
});
