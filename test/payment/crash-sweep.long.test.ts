import { afterEach, describe, expect, it } from 'vitest';
import { paymentCheck } from '../../src/operations/payment/check.ts';
import { pollPayments } from '../../src/operations/payment/poll.ts';
import { reconcilePayments } from '../../src/operations/payment/reconcile.ts';
import { listEvents } from '../../src/store/event.ts';
import { closeStories, sweep, type Flow } from '../support/crash-sweep.ts';
import type { PaymentStory } from '../support/payment-story.ts';

const DONE = 'checkout.session.completed';
const ALL_EVENTS = { before: null, owners: null, type: null, limit: 100 } as const;

afterEach(closeStories);

const timeout = 180_000;

describe('G01 a process that dies anywhere leaves a top-up that happened once or never', () => {
  /** One order at most; when the customer pays it, the wallet gets exactly that. */
  const paysOnce: Flow['verify'] = async (told) => {
    expect(told.bank.orders.size).toBeLessThanOrEqual(1);
    for (const order of told.bank.orders.values()) {
      told.bank.pay(order.paymentSid ?? '');
      await told.deliver(told.bank.webhook(DONE, order));
      await told.drain();
      expect((await told.payment(order.paymentSid ?? '')).state).toBe('credited');
    }
    expect(await told.cents()).toBe(BigInt(told.bank.orders.size) * 2500n);
    expect(await told.events()).toHaveLength(told.bank.orders.size);
  };

  it('creation, when the client retries with the same key', { timeout }, async () => {
    const survived = await sweep('creation, retried by the client', {
      prepare: async () => undefined,
      act: async (told, { house }) => {
        await told.topUp('25.00', 'the-key', house);
      },
      recover: async (told, { house }) => {
        await told.topUp('25.00', 'the-key', house);
      },
      verify: async (told) => {
        const replay = await told.topUp('25.00', 'the-key');
        expect(replay).toMatchObject({ status: 201, replayed: true });
        expect(JSON.parse(replay.body)).toMatchObject({ state: 'open' });
        expect(told.bank.orders.size).toBe(1);
        await paysOnce(told);
      },
    });
    expect(survived).toBeGreaterThan(20);
  });

  it('creation, when the client never comes back', { timeout }, async () => {
    const survived = await sweep('creation, left to the poller', {
      prepare: async () => undefined,
      act: async (told, { house }) => {
        await told.topUp('25.00', 'the-key', house);
      },
      recover: async (_told, { house }) => {
        await pollPayments(house);
      },
      verify: paysOnce,
    });
    expect(survived).toBeGreaterThan(20);
  });
});

describe('G01 a process that dies anywhere leaves a payment that is credited once', () => {
  const creditedOnce: Flow['verify'] = async (told) => {
    expect(await told.cents()).toBe(2500n);
    expect(await told.events()).toHaveLength(1);
    expect(await listEvents(told.database.owner, ALL_EVENTS)).toHaveLength(1);
    expect((await told.inbox()).every((row) => row.state === 'applied')).toBe(true);
  };
  const webhookOf = (told: PaymentStory) => {
    const [order] = [...told.bank.orders.values()];
    if (!order) throw new Error('there is an order');
    return told.bank.webhook(DONE, order, { id: 'evt_the_one' });
  };
  const receiveAndApply: Flow['act'] = async (told, { house }) => {
    await told.deliver(webhookOf(told), house);
    await told.drain(house);
  };
  const prepare: Flow['prepare'] = async (told) => {
    await told.paid();
  };

  it('webhook, with nothing but the provider’s own repetition to heal it', { timeout }, async () => {
    const survived = await sweep('webhook, repeated by the provider', {
      prepare,
      act: receiveAndApply,
      // The provider repeats until it is answered 200.
      recover: receiveAndApply,
      verify: async (told) => {
        expect(await told.inbox()).toHaveLength(1);
        await creditedOnce(told);
      },
    });
    expect(survived).toBeGreaterThan(20);
  });

  it('webhook, with nothing but the reconciler to heal it', { timeout }, async () => {
    const survived = await sweep('webhook, healed by the reconciler', {
      prepare,
      act: receiveAndApply,
      recover: async (_told, { house }) => {
        await reconcilePayments(house);
      },
      verify: async (told) => {
        await told.drain();
        await creditedOnce(told);
      },
    });
    expect(survived).toBeGreaterThan(20);
  });

  it('return page', { timeout }, async () => {
    const check: Flow['act'] = async (told, { house }) => {
      const [order] = [...told.bank.orders.values()];
      await told.run(paymentCheck, { sid: order?.paymentSid }, { house });
    };
    const survived = await sweep('return page', { prepare, act: check, recover: check, verify: creditedOnce });
    expect(survived).toBeGreaterThan(20);
  });

  it('poller', { timeout }, async () => {
    const poll: Flow['act'] = async (_told, { house }) => {
      await pollPayments(house);
    };
    const due: Flow['prepare'] = async (told) => {
      await told.paid();
      await told.ports.clock.advance(15_000);
    };
    const survived = await sweep('poller', { prepare: due, act: poll, recover: poll, verify: creditedOnce });
    expect(survived).toBeGreaterThan(20);
  });

  it('reconciler', { timeout }, async () => {
    const reconcile: Flow['act'] = async (_told, { house }) => {
      await reconcilePayments(house);
    };
    const survived = await sweep('reconciler', { prepare, act: reconcile, recover: reconcile, verify: creditedOnce });
    expect(survived).toBeGreaterThan(20);
  });
});
