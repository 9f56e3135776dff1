import * as fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { billingDebit } from '../../src/operations/billing/debit.ts';
import type { House } from '../../src/operations/house.ts';
import { paymentCheck } from '../../src/operations/payment/check.ts';
import { reconcilePayments } from '../../src/operations/payment/reconcile.ts';
import type { Reply } from '../../src/operations/reply.ts';
import { micros } from '../../src/domain/money.ts';
import { readPaymentByOrder } from '../../src/store/payment.ts';
import { fund } from '../support/ledger.ts';
import type { PaperWebhook } from '../support/paper-bank.ts';
import { OPERATOR, paymentStory, type PaymentStory } from '../support/payment-story.ts';
import { propertySeed } from '../support/property-seed.ts';

const stories: PaymentStory[] = [];
async function story(options: Parameters<typeof paymentStory>[0] = {}): Promise<PaymentStory> {
  const made = await paymentStory(options);
  stories.push(made);
  return made;
}
afterEach(async () => {
  for (const made of stories.splice(0)) await made.close();
});

const DONE = 'checkout.session.completed';
const THREE_KINDS = [DONE, 'payment_intent.succeeded', 'charge.succeeded'];

function* permutations<T>(items: readonly T[]): Generator<T[]> {
  if (items.length === 0) yield [];
  for (const [index, first] of items.entries()) {
    for (const rest of permutations(items.toSpliced(index, 1))) yield [first, ...rest];
  }
}

describe('one payment is credited once', () => {
  it('B02 fifty deliveries at once to three processes on one database: every answer 200, one posting', async () => {
    const told = await story();
    const payment = await told.paid();
    const webhook = told.bank.webhook(DONE, told.bank.orderOf(payment.sid));
    const processes = [1, 2, 3].map(() => told.anotherProcess());
    const replies = await Promise.all(
      Array.from({ length: 50 }, (_, index) => told.deliver(webhook, processes[index % 3]?.house)),
    );
    expect(replies.map((reply) => reply.status)).toEqual(Array.from({ length: 50 }, () => 200));
    await Promise.all(processes.map(({ house }) => told.drain(house)));
    expect(await told.inbox()).toHaveLength(1);
    expect(await told.events()).toHaveLength(1);
    expect(await told.cents()).toBe(2500n);
  });

  it('B02 fifty different events of one payment, applied by three processes at once, make one posting', async () => {
    const told = await story();
    const payment = await told.paid();
    const order = told.bank.orderOf(payment.sid);
    const processes = [1, 2, 3].map(() => told.anotherProcess());
    await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        told.deliver(told.bank.webhook(THREE_KINDS[index % 3] ?? DONE, order), processes[index % 3]?.house),
      ),
    );
    await Promise.all(processes.map(({ house }) => told.drain(house)));
    expect((await told.inbox()).map((row) => row.state)).toEqual(Array.from({ length: 50 }, () => 'applied'));
    expect(await told.events()).toHaveLength(1);
    expect(await told.cents()).toBe(2500n);
  });

  it('B03 the three kinds of event of one payment credit once, in all six orders', async () => {
    const told = await story({ settings: { openPaymentsMax: 100 } });
    let paid = 0n;
    for (const kinds of permutations(THREE_KINDS)) {
      const payment = await told.paid();
      paid += 2500n;
      for (const kind of kinds) {
        await told.deliver(told.bank.webhook(kind, told.bank.orderOf(payment.sid)));
        await told.drain();
      }
      expect(await told.cents()).toBe(paid);
    }
    expect(await told.events()).toHaveLength(6);
    expect(new Set((await told.inbox()).map((row) => row.state))).toEqual(new Set(['applied']));
  });

  it('B06 two hundred return pages and webhooks at once: one posting, and every page ends at credited', async () => {
    const told = await story();
    const payment = await told.paid();
    const order = told.bank.orderOf(payment.sid);
    const processes = [told.anotherProcess(), told.anotherProcess()];
    for (let index = 0; index < 100; index += 1) await told.deliver(told.bank.webhook(DONE, order));
    // A page that is told that the house is busy asks again, as browsers do.
    const comeBack = async (house: House): Promise<Reply> => {
      const answer = await told.run(paymentCheck, { sid: payment.sid }, { house });
      return answer.status === 503 ? await comeBack(house) : answer;
    };
    const pages = Array.from({ length: 100 }, (_, index) => comeBack(processes[index % 2]?.house ?? told.house));
    const [answers] = await Promise.all([
      Promise.all(pages),
      ...[told.house, ...processes.map(({ house }) => house)].map((house) => told.drain(house)),
    ]);
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([200]));
    expect(answers.every((answer) => answer.body.includes('"state":"credited"'))).toBe(true);
    expect(await told.events()).toHaveLength(1);
    expect(await told.cents()).toBe(2500n);
  });

  it('B06 the page asks the provider: coming back without having paid credits nothing', async () => {
    const told = await story();
    const payment = await told.opened();
    expect(JSON.parse((await told.run(paymentCheck, { sid: payment.sid })).body)).toMatchObject({ state: 'open' });
    expect(await told.cents()).toBe(0n);
  });

  it('B10 reconciliation and webhook at the same moment credit once', async () => {
    const told = await story({ settings: { openPaymentsMax: 100 } });
    const other = told.anotherProcess();
    for (let round = 1n; round <= 10n; round += 1n) {
      const payment = await told.paid();
      await told.deliver(told.bank.webhook(DONE, told.bank.orderOf(payment.sid)));
      await Promise.all([told.drain(), reconcilePayments(other.house), reconcilePayments(told.house)]);
      expect(await told.cents()).toBe(round * 2500n);
    }
    expect(await told.events()).toHaveLength(10);
  });
});

describe('an order that is paid more than once', () => {
  const again = (told: PaymentStory, sid: string, amount: bigint): void => {
    const order = told.bank.orderOf(sid);
    const paymentRef = `pi_again_${order.more.length}`;
    order.more = [...order.more, { paymentRef, amount: micros(amount), refunds: [], disputes: [] }];
  };

  it('B03 is credited once for each of its payments, whoever brings the news and however often', async () => {
    const told = await story();
    const other = told.anotherProcess();
    const payment = await told.paid('25.00');
    await told.run(paymentCheck, { sid: payment.sid });
    again(told, payment.sid, 25_000_000n);
    again(told, payment.sid, 1_230_000n);
    for (let time = 0; time < 3; time += 1) await told.deliver(told.bank.webhook(DONE, told.bank.orderOf(payment.sid)));
    await Promise.all([told.drain(), reconcilePayments(other.house), reconcilePayments(told.house)]);
    expect(await told.cents()).toBe(5_123n);
    const amounts = (await told.events()).map((event) => event.amount);
    expect(amounts.toSorted((one, other) => Number(one - other))).toEqual([1_230_000n, 25_000_000n, 25_000_000n]);
    expect(await told.payment(payment.sid)).toMatchObject({
      state: 'credited',
      credited: 51_230_000n,
      problem: expect.stringMatching(/^overpaid: 25\.00 .* 51\.23 /),
    });
  });

  it('B09 is found by the reconciliation when every webhook is lost', async () => {
    const told = await story();
    const payment = await told.paid('25.00');
    await reconcilePayments(told.house);
    again(told, payment.sid, 5_000_000n);
    expect(await reconcilePayments(told.house)).toBe(1);
    expect(await reconcilePayments(told.house)).toBe(0);
    expect(await told.cents()).toBe(3_000n);
  });
});

describe('B07 the order of news does not matter', () => {
  type News = 'open' | 'processing' | 'failed' | 'expired' | 'paid';
  const news = fc.array(fc.constantFrom<News>('open', 'processing', 'failed', 'expired', 'paid'), {
    minLength: 1,
    maxLength: 6,
  });

  it('any list of states at the provider, each heard of by webhook or page, ends as the model says', async () => {
    const told = await story({ settings: { openPaymentsMax: 1_000_000 } });
    let expected = 0n;
    await fc.assert(
      fc.asyncProperty(news, fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }), async (list, byPage) => {
        const payment = await told.opened('10.00');
        const order = told.bank.orderOf(payment.sid);
        for (const [index, state] of list.entries()) {
          if (state === 'paid') told.bank.pay(payment.sid);
          else Object.assign(order, { state, amountReceived: null });
          if (byPage[index]) await told.run(paymentCheck, { sid: payment.sid });
          else {
            await told.deliver(told.bank.webhook(DONE, order));
            await told.drain();
          }
        }
        if (list.includes('paid')) expected += 1000n;
        expect((await told.payment(payment.sid)).state).toBe(modelOf(list));
        expect(await told.cents()).toBe(expected);
      }),
      { seed: propertySeed('B07 webhook and page'), numRuns: 40 },
    );
  });

  /** Written apart from the code under test: the first final word stands, unless money comes. */
  function modelOf(list: readonly News[]): string {
    if (list.includes('paid')) return 'credited';
    const final = list.find((state) => state === 'failed' || state === 'expired');
    if (final !== undefined) return final;
    return list.includes('processing') ? 'processing' : 'open';
  }
});

describe('B14 a burst after an outage', () => {
  /** The burst of 100,000 scaled to what two shared cores apply in a test's time; the shape is the same. */
  const BURST = 1_000;

  it(
    `${BURST} webhooks of 100 payments in one burst are all stored, all applied, and debits go on meanwhile`,
    { timeout: 90_000 },
    async () => {
      const told = await story({ settings: { openPaymentsMax: 1_000 } });
      const webhooks: PaperWebhook[] = [];
      for (let index = 0; index < 100; index += 1) {
        const payment = await told.paid('10.00');
        const order = told.bank.orderOf(payment.sid);
        for (let copy = 0; copy < BURST / 100; copy += 1)
          webhooks.push(told.bank.webhook(THREE_KINDS[copy % 3] ?? DONE, order));
      }
      await fund(told.database.owner, told.ports, told.wallet, 100_000_000n);
      const debit = async (key: string): Promise<number> => {
        const startedMs = performance.now();
        const input = { sid: told.wallet.sid, amount: '0.01', description: 'usage' };
        expect(await told.run(billingDebit, input, { key, actor: OPERATOR })).toMatchObject({ status: 200 });
        return performance.now() - startedMs;
      };
      const quiet: number[] = [];
      for (let index = 0; index < 50; index += 1) quiet.push(await debit(`quiet-${index}`));

      const workers = [told.anotherProcess({ poolMax: 3 }), told.anotherProcess({ poolMax: 3 })];
      const over = { is: false };
      const burst = async (): Promise<void> => {
        // A provider keeps a bounded number of deliveries in flight.
        for (let at = 0; at < webhooks.length; at += 20) {
          const replies = await Promise.all(
            webhooks.slice(at, at + 20).map((webhook) => told.deliver(webhook, workers[0]?.house)),
          );
          expect(replies.every((reply) => reply.status === 200)).toBe(true);
        }
        await Promise.all(workers.map(({ house }) => told.drain(house)));
        over.is = true;
      };
      const busy: number[] = [];
      const spend = async (): Promise<void> => {
        for (let index = 0; !over.is; index += 1) busy.push(await debit(`busy-${index}`));
      };
      const startedMs = performance.now();
      await Promise.all([burst(), spend()]);
      const seconds = (performance.now() - startedMs) / 1_000;

      expect(new Set((await told.inbox()).map((row) => row.state))).toEqual(new Set(['applied']));
      expect(await told.events()).toHaveLength(100);
      expect(await told.cents()).toBe(100_000n + 10_000n - 50n - BigInt(busy.length));
      console.info(
        `B14: ${BURST} webhooks stored and applied in ${seconds.toFixed(1)} s; debit p99 ${p99(quiet).toFixed(0)} ms quiet, ${p99(busy).toFixed(0)} ms in the burst (${busy.length} debits)`,
      );
      // Two processes' work shares this machine with the load itself, so the bound is on starving, not on the ratio.
      expect(p99(busy)).toBeLessThan(2_000);
    },
  );

  const p99 = (times: readonly number[]): number =>
    times.toSorted((a, b) => a - b)[Math.floor((times.length - 1) * 0.99)] ?? 0;
});

describe('finding the payment of an event', () => {
  it('an event that carries only the order’s number finds its payment', async () => {
    const told = await story();
    const payment = await told.paid();
    const order = told.bank.orderOf(payment.sid);
    expect((await readPaymentByOrder(told.database.owner, 'stripe', order.orderRef))?.sid).toBe(payment.sid);
    await told.deliver(told.bank.webhook(DONE, order, { payment_sid: null, payment: null }));
    await told.drain();
    expect(await told.cents()).toBe(2500n);
    // After the credit the provider's payment number alone is enough.
    await told.deliver(told.bank.webhook('charge.succeeded', order, { payment_sid: null }));
    await told.drain();
    expect((await told.inbox()).map((row) => row.state)).toEqual(['applied', 'applied']);
    expect(await told.cents()).toBe(2500n);
  });
});
