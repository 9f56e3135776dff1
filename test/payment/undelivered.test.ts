import { afterEach, describe, expect, it } from 'vitest';
import { fetchUndelivered } from '../../src/operations/webhook-event/fetch-undelivered.ts';
import { keepTicking } from '../../src/jobs/ticks.ts';
import { stripeStory, type StripeStory } from '../support/stripe-story.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});
const story = async (): Promise<StripeStory> => {
  const made = await stripeStory();
  ends.push(() => made.close());
  return made;
};

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

describe('B09 events that were never delivered', () => {
  it('are taken in after an outage like webhooks, once, and credit what was paid', async () => {
    const { told, house, stripe, open, sessionOf, hear } = await story();
    await fetchUndelivered(house);
    stripe.turn({ lossRate: 1 });
    const payments = [await open('10.00'), await open('20.00')];
    for (const payment of payments) stripe.complete(await sessionOf(payment), 'paid');
    await told.ports.clock.advance(20 * HOUR_MS);
    expect(await told.inbox()).toEqual([]);
    const taken = await fetchUndelivered(house);
    expect(taken).toBe(
      stripe.journal().events.filter((event) => Reflect.get(event, 'type') !== 'payment_intent.created').length,
    );
    expect(await fetchUndelivered(house)).toBe(0);
    await told.drain(house);
    expect(await told.cents()).toBe(3_000n);
    expect(await told.events()).toHaveLength(2);
    const rows = await told.inbox();
    expect(rows.every(({ source, state }) => source === 'list' && state === 'applied')).toBe(true);
    // The provider gets through at last: nothing new.
    stripe.turn({ lossRate: 0 });
    for (const event of stripe.journal().events) stripe.resend(String(Reflect.get(event, 'id')));
    await hear();
    expect(await told.inbox()).toHaveLength(rows.length);
    expect(await told.cents()).toBe(3_000n);
  });

  it('leave what arrived, what is on its way, and what belongs to another program', async () => {
    const { told, house, stripe, open, sessionOf, hear } = await story();
    stripe.complete(await sessionOf(await open()), 'paid');
    await hear();
    const delivered = (await told.inbox()).length;
    stripe.turn({ lossRate: 1 });
    stripe.forge({
      type: 'payment_intent.succeeded',
      object: { object: 'payment_intent', id: 'pi_others', metadata: {} },
    });
    stripe.forge({
      type: 'payment_intent.succeeded',
      object: { object: 'payment_intent', id: 'pi_x', metadata: { payment_sid: '01ARZ3NDEKTSV4RRFFQ69G5FAV' } },
    });
    await told.ports.clock.advance(2 * MINUTE_MS);
    stripe.complete(await sessionOf(await open()), 'paid');
    expect(await fetchUndelivered(house)).toBe(0);
    expect(await told.inbox()).toHaveLength(delivered);
    await told.ports.clock.advance(2 * MINUTE_MS);
    expect(await fetchUndelivered(house)).toBeGreaterThan(0);
    await told.drain(house);
    expect(await told.cents()).toBe(5_000n);
  });

  it('are read again from the same place when the provider could not be asked, and not from further back than it keeps them', async () => {
    const { told, house, stripe, open, sessionOf } = await story();
    await fetchUndelivered(house);
    stripe.turn({ lossRate: 1, faults: [{ kind: 'rate-limit', retryAfterSeconds: 60, path: '/v1/events' }] });
    stripe.complete(await sessionOf(await open()), 'paid');
    await told.ports.clock.advance(10 * 24 * HOUR_MS);
    expect(await fetchUndelivered(house)).toBe(0);
    stripe.turn({ faults: [] });
    expect(await fetchUndelivered(house)).toBeGreaterThan(0);
    await told.drain(house);
    expect(await told.cents()).toBe(2_500n);
    stripe.complete(await sessionOf(await open()), 'paid');
    await told.ports.clock.advance(40 * 24 * HOUR_MS);
    expect(await fetchUndelivered(house)).toBe(0);
  });

  it('of two processes at once are stored once', async () => {
    const { told, house, stripe, open, sessionOf, another } = await story();
    stripe.turn({ lossRate: 1 });
    stripe.complete(await sessionOf(await open()), 'paid');
    await told.ports.clock.advance(5 * MINUTE_MS);
    const counts = await Promise.all([fetchUndelivered(house), fetchUndelivered(another())]);
    expect(counts[0] + counts[1]).toBe((await told.inbox()).length);
    await told.drain(house);
    expect(await told.cents()).toBe(2_500n);
  });

  it('are asked for at the start, and not only when the first tick comes', async () => {
    const { house } = await story();
    const over = new AbortController();
    const ran: string[] = [];
    const tick = { name: 'x', waitMs: () => HOUR_MS, run: () => Promise.resolve(ran.push('run')), isDueAtStart: true };
    const ticking = keepTicking(house, tick, over.signal);
    await house.ports.clock.turn();
    over.abort();
    await ticking;
    expect(ran).toEqual(['run']);
  });
});
