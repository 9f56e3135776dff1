import { Stripe } from 'stripe';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { control } from '../../sandbox/stripe/control.ts';
import { DISPUTE_STATUSES, type Dispute } from '../../sandbox/stripe/disputes.ts';
import { isRefusal } from '../../src/domain/refusal.ts';
import type { ProviderDispute } from '../../src/providers/provider.ts';
import { newOrder } from '../contract/payment-provider.ts';
import { openStripeBench, SECRET_KEY, type StripeBench } from './stripe-bench.ts';

let bench: StripeBench;
let orderRef: string;
beforeEach(async () => {
  bench = await openStripeBench();
  ({ orderRef } = await bench.provider.createOrder(newOrder(bench.now())));
  await bench.act(orderRef, 'paid');
});
afterEach(() => bench.close());

const say = async (path: string, body: object): Promise<{ status: number; body: object }> =>
  control(bench.sandbox, 'POST', `/_sandbox/${path}`, JSON.stringify(body));

async function opened(asked: object = {}): Promise<Dispute> {
  expect((await say('disputes', { about: orderRef, ...asked })).status).toBe(201);
  const [dispute] = [...bench.sandbox.state.disputes.values()];
  if (!dispute) throw new Error('a dispute was opened');
  return dispute;
}

async function told(): Promise<ProviderDispute> {
  const order = await bench.provider.readOrder(orderRef);
  const [dispute, ...others] = order?.payments[0]?.disputes ?? [];
  if (!dispute || others.length > 0) throw new Error('there is one dispute');
  return dispute;
}

const typesSince = (count: number): string[] =>
  bench.sandbox
    .journal()
    .events.slice(count)
    .map((event) => (event as { type: string }).type);

describe('what Stripe says of a dispute', () => {
  it('is part of the order: reference, amount, fee, reason, and until when evidence is taken', async () => {
    const dispute = await opened({ amountCents: 1_000 });
    expect(await told()).toEqual({
      disputeRef: dispute.id,
      amount: 10_000_000n,
      state: 'open',
      fee: 15_000_000n,
      reason: 'fraudulent',
      evidenceDueBy: new Date((dispute.dueBy ?? 0) * 1000),
    });
  });

  it('is in our words, whatever its status', async () => {
    const dispute = await opened({ status: 'warning_needs_response' });
    const states: Record<string, string> = {};
    for (const status of DISPUTE_STATUSES) {
      await say(`disputes/${dispute.id}/move`, { status });
      states[status] = (await told()).state;
    }
    expect(states).toEqual({
      warning_needs_response: 'inquiry',
      warning_under_review: 'inquiry',
      warning_closed: 'won',
      needs_response: 'open',
      under_review: 'open',
      appeal_needs_response: 'open',
      appeal_under_review: 'open',
      won: 'won',
      lost: 'lost',
      prevented: 'won',
    });
  });

  it('an inquiry withholds nothing and says no fee; a fee that is given back is none', async () => {
    const dispute = await opened({ status: 'warning_needs_response' });
    expect(await told()).toMatchObject({ state: 'inquiry', fee: null });
    await say(`disputes/${dispute.id}/move`, { status: 'needs_response' });
    expect(await told()).toMatchObject({ state: 'open', fee: 15_000_000n });
    await say(`disputes/${dispute.id}/move`, { status: 'won', feeReturned: true });
    expect(await told()).toMatchObject({ state: 'won', fee: 0n, evidenceDueBy: null });
  });

  it('a dispute in another currency is taken for the whole payment', async () => {
    const dispute = await opened({ amountCents: 100 });
    Object.assign(dispute, { currency: 'eur' });
    expect(await told()).toMatchObject({ amount: newOrder(bench.now()).amount });
  });

  it('a status that we do not know is a failure, not a guess', async () => {
    Object.assign(await opened(), { status: 'reconsidered' });
    await expect(told()).rejects.toMatchObject({ kind: 'broken', outcome: 'none' });
  });

  it('its events name the payment, and nothing of ours', async () => {
    const dispute = await opened();
    await say(`disputes/${dispute.id}/move`, { status: 'won' });
    await bench.sandbox.deliveries.settled();
    const read = bench.delivered
      .map((delivery) => bench.provider.verifyWebhook(delivery))
      .flatMap((one) => (isRefusal(one) || !one.eventType.startsWith('charge.dispute') ? [] : [one]));
    expect(read.map(({ eventType }) => eventType).toSorted()).toEqual([
      'charge.dispute.closed',
      'charge.dispute.created',
      'charge.dispute.funds_reinstated',
      'charge.dispute.funds_withdrawn',
    ]);
    for (const event of read) {
      expect(event).toMatchObject({ orderRef: null, paymentSid: null, paymentRef: dispute.intentId });
    }
  });
});

describe('the simulator’s disputes', () => {
  const sdk = (): Stripe => {
    const { hostname, port } = new URL(bench.url);
    return new Stripe(SECRET_KEY, { host: hostname, port: Number(port), protocol: 'http', telemetry: false });
  };

  it('take evidence until it is submitted, by Stripe’s own library', async () => {
    const { id } = await opened();
    const kept = await sdk().disputes.update(id, { evidence: { product_description: 'Compute' }, submit: false });
    expect(kept).toMatchObject({ status: 'needs_response', evidence: { product_description: 'Compute' } });
    const before = bench.sandbox.journal().events.length;
    const sent = await sdk().disputes.update(id, { evidence: { customer_name: 'Asha' } });
    expect(sent).toMatchObject({
      status: 'under_review',
      evidence_details: { submission_count: 1, has_evidence: true },
    });
    expect(typesSince(before)).toEqual(['charge.dispute.updated']);
    await expect(sdk().disputes.update(id, { evidence: { customer_name: 'late' } })).rejects.toMatchObject({
      statusCode: 400,
    });
  });

  it('are lost when they are accepted, and found by payment and by charge', async () => {
    const { id, intentId, chargeId } = await opened();
    expect((await sdk().disputes.close(id)).status).toBe('lost');
    const found = await sdk().disputes.list({ payment_intent: intentId });
    expect(found.data.map((one) => one.id)).toEqual([id]);
    expect((await sdk().disputes.list({ charge: chargeId })).data).toHaveLength(1);
    expect((await sdk().disputes.list({ payment_intent: 'pi_other' })).data).toEqual([]);
    expect((await sdk().charges.retrieve(chargeId)).disputed).toBe(true);
  });

  it('move the balance by what they withhold, and back', async () => {
    const { id } = await opened();
    await say(`disputes/${id}/move`, { status: 'won' });
    await say(`disputes/${id}/move`, { status: 'lost' });
    const { balance_transactions: moved } = await sdk().disputes.retrieve(id);
    expect(moved.map(({ amount, fee, net }) => [amount, fee, net])).toEqual([
      [-2500, 1500, -4000],
      [2500, 0, 2500],
      [-2500, 0, -2500],
    ]);
    expect((await say('disputes', { about: 'pi_nobody' })).status).toBe(404);
    expect((await say('disputes/dp_nobody/move', { status: 'won' })).status).toBe(404);
  });
});
