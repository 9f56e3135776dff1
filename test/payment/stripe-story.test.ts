import { afterEach, describe, expect, it } from 'vitest';
import { startStripeSandbox } from '../../sandbox/stripe/server.ts';
import type { StripeSandbox } from '../../sandbox/stripe/sandbox.ts';
import { execute } from '../../src/operations/execute.ts';
import type { House } from '../../src/operations/house.ts';
import { paymentCheck } from '../../src/operations/payment/check.ts';
import { paymentCreate } from '../../src/operations/payment/create.ts';
import type { Payment } from '../../src/operations/payment/payment.ts';
import { pollPayments } from '../../src/operations/payment/poll.ts';
import { reconcilePayments } from '../../src/operations/payment/reconcile.ts';
import { receiveWebhook } from '../../src/operations/webhook-event/receive.ts';
import { stripeProvider } from '../../src/providers/stripe/index.ts';
import { testHouse } from '../support/house.ts';
import { paymentStory, type PaymentStory } from '../support/payment-story.ts';

/** The whole way over Stripe's wire: the real SDK, the simulator, its signed webhooks into our inbox. */
const SECRET_KEY = 'sk_test_4eC39HqLyjWDarjtT1zdp7dc';
const WEBHOOK_SECRET = 'whsec_0dKqGm7RZt3uYvP5nXb2LhWc8JfA4sEe';

interface StripeStory {
  readonly told: PaymentStory;
  readonly house: House;
  readonly stripe: StripeSandbox;
  /** What our webhook answered, in order. */
  readonly answers: number[];
  /** Waits until every delivery has arrived, then applies what came. */
  readonly hear: () => Promise<void>;
  readonly open: (amount?: string, key?: string) => Promise<Payment>;
  readonly sessionOf: (payment: Payment) => Promise<string>;
}

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function stripeStory(): Promise<StripeStory> {
  const told = await paymentStory();
  ends.push(() => told.close());
  const { ports } = told;
  const answers: number[] = [];
  let house: House | null = null;
  const { sandbox, url, close } = await startStripeSandbox({
    clock: ports.clock,
    random: ports.random,
    secretKey: SECRET_KEY,
    webhookUrl: 'http://webhooks.invalid/webhooks/stripe',
    webhookSecret: WEBHOOK_SECRET,
    // The wire between the simulator and our inbox, without a socket.
    fetch: async (_, init) => {
      if (!house) return new Response(null, { status: 503 });
      const headers = new Map([...new Headers(init?.headers)].map(([name, value]) => [name, [value]] as const));
      const body = new TextEncoder().encode(typeof init?.body === 'string' ? init.body : '');
      const { status } = await receiveWebhook(house, 'stripe', { body, headers });
      answers.push(status);
      return new Response(null, { status });
    },
  });
  ends.push(close);
  const provider = stripeProvider({
    secretKey: SECRET_KEY,
    webhookSecrets: { current: WEBHOOK_SECRET },
    apiBase: url,
    ports,
  });
  const made = testHouse({ db: told.house.db, ports, providers: [provider] });
  house = made;
  const topUp = (amount: string, key: string) =>
    execute(made, paymentCreate, {
      actor: told.actor,
      input: { provider: 'stripe', amount },
      idempotencyKey: key,
      requestId: ports.ids.requestId(),
    });
  return {
    told,
    house: made,
    stripe: sandbox,
    answers,
    hear: async () => {
      sandbox.deliveries.flush();
      await sandbox.deliveries.settled();
      await told.drain(made);
    },
    open: async (amount = '25.00', key = `key-${ports.ids.sid()}`) => {
      const reply = await topUp(amount, key);
      if (reply.status !== 201) throw new Error(`${reply.status} ${reply.body}`);
      return JSON.parse(reply.body) as Payment;
    },
    sessionOf: async (payment) => (await told.payment(payment.sid)).orderRef ?? '',
  };
}

describe('a top-up over Stripe’s wire', () => {
  it('is asked for in usd, paid on the page, told by signed webhooks, and credited once', async () => {
    const { told, stripe, answers, hear, open, sessionOf } = await stripeStory();
    const payment = await open('25.00');
    expect(stripe.journal().sessions).toMatchObject([{ currency: 'usd', amount_total: 2500, livemode: false }]);
    stripe.complete(await sessionOf(payment), 'paid');
    await hear();
    expect(answers.length).toBeGreaterThanOrEqual(3);
    expect(new Set(answers)).toEqual(new Set([200]));
    expect(await told.cents()).toBe(2500n);
    expect(await told.events()).toMatchObject([
      { externalRef: expect.stringMatching(/^pi_/) as string, currency: 'USD' },
    ]);
  });

  it('B01 B03 with every event twenty times more and in reverse order it is credited once', async () => {
    const { told, stripe, hear, open, sessionOf } = await stripeStory();
    stripe.turn({ duplicates: 20, reorderWindow: 1_000 });
    const payments = [await open('10.00'), await open('20.00'), await open('30.00')];
    for (const payment of payments) stripe.complete(await sessionOf(payment), 'paid');
    await hear();
    expect(await told.cents()).toBe(6000n);
    expect(await told.events()).toHaveLength(3);
    expect((await told.inbox()).filter((row) => row.state === 'quarantined')).toEqual([]);
  });

  it('a declined card leaves it open, and a second card pays it', async () => {
    const { told, stripe, hear, open, sessionOf } = await stripeStory();
    const payment = await open();
    stripe.complete(await sessionOf(payment), 'declined');
    await hear();
    expect(await told.payment(payment.sid)).toMatchObject({ state: 'open', problem: null });
    stripe.complete(await sessionOf(payment), 'paid');
    await hear();
    expect(await told.cents()).toBe(2500n);
  });

  it.each([
    ['later-succeeds', 'credited', 2500n],
    ['later-fails', 'failed', 0n],
  ] as const)('a delayed payment that %s is processing, then %s', async (outcome, state, cents) => {
    const { told, stripe, hear, open, sessionOf } = await stripeStory();
    const payment = await open();
    stripe.complete(await sessionOf(payment), outcome);
    await hear();
    expect((await told.payment(payment.sid)).state).toBe('processing');
    await told.ports.clock.advance(10_000);
    await hear();
    expect((await told.payment(payment.sid)).state).toBe(state);
    expect(await told.cents()).toBe(cents);
  });

  it('an abandoned page expires and is closed', async () => {
    const { told, stripe, hear, open, sessionOf } = await stripeStory();
    const payment = await open();
    stripe.expire(await sessionOf(payment));
    await hear();
    expect(await told.payment(payment.sid)).toMatchObject({ state: 'expired', checkoutUrl: null });
  });
});

describe('what Stripe says wrongly', () => {
  it.each([
    ['D07 less', { amountCents: 2000 }, 'credited', 2000n, 'underpaid'],
    ['D07 another currency', { currency: 'eur' }, 'quarantined', 0n, 'currency_mismatch'],
    ['A14 live money', { livemode: true }, 'open', 0n, 'mode_mismatch'],
    ['A15 another account', { account: 'acct_1SomebodyElse' }, 'open', 0n, 'account_mismatch'],
  ] as const)('%s', async (_, wrong, state, cents, word) => {
    const { told, stripe, hear, open, sessionOf } = await stripeStory();
    const payment = await open();
    stripe.turn({ wrong });
    stripe.complete(await sessionOf(payment), 'paid');
    await hear();
    const row = await told.payment(payment.sid);
    expect(row.state).toBe(state);
    expect(await told.cents()).toBe(cents);
    const said = [row.problem ?? '', ...(await told.inbox()).map((event) => event.reason ?? '')];
    expect(said.some((text) => text.includes(word))).toBe(true);
  });
});

describe('what goes wrong on the way', () => {
  it('B09 with every webhook lost, the return page, the poller and the reconciler each find the money', async () => {
    for (const heal of ['page', 'poller', 'reconciler'] as const) {
      const { told, house, stripe, open, sessionOf } = await stripeStory();
      stripe.turn({ lossRate: 1 });
      const payment = await open();
      stripe.complete(await sessionOf(payment), 'paid');
      await told.ports.clock.advance(15_000);
      if (heal === 'page') await told.run(paymentCheck, { sid: payment.sid }, { house });
      if (heal === 'poller') await pollPayments(house);
      if (heal === 'reconciler') await reconcilePayments(house);
      expect(await told.inbox()).toEqual([]);
      expect(await told.cents()).toBe(2500n);
    }
  });

  it.each(['reset-after-effect', 'truncated', 'html'] as const)(
    'G02 %s: the order exists, we do not know; the same key finds it, and there is one session',
    async (kind) => {
      const { told, stripe, hear, open, sessionOf } = await stripeStory();
      stripe.turn({ faults: [{ kind, method: 'POST', path: '/v1/checkout' }] });
      const lost = open('25.00', 'the-key');
      const over = { is: false };
      lost.catch(() => (over.is = true));
      // The client of the SDK tries again by the clock, up to its total deadline.
      while (!over.is) await told.ports.clock.advance(told.ports.clock.sleeping > 0 ? 500 : 0);
      await expect(lost).rejects.toThrow(/^50[24]/);
      expect(stripe.journal().sessions).toHaveLength(1);
      stripe.turn({ faults: [] });
      const payment = await open('25.00', 'the-key');
      expect(stripe.journal().sessions).toHaveLength(1);
      stripe.complete(await sessionOf(payment), 'paid');
      await hear();
      expect(await told.cents()).toBe(2500n);
    },
  );
});
