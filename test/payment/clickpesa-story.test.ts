import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { sandboxFetch } from '../../sandbox/clickpesa/in-process.ts';
import { ClickPesaSandbox } from '../../sandbox/clickpesa/sandbox.ts';
import { execute, type Reply } from '../../src/operations/execute.ts';
import type { House } from '../../src/operations/house.ts';
import { headOf, sidOfHead } from '../../src/domain/reference-sid.ts';
import { micros } from '../../src/domain/money.ts';
import { movementAssign } from '../../src/operations/movement/assign.ts';
import { movementList } from '../../src/operations/movement/list.ts';
import type { Movement } from '../../src/operations/movement/movement.ts';
import { paymentCheck } from '../../src/operations/payment/check.ts';
import { paymentCreate } from '../../src/operations/payment/create.ts';
import type { Payment } from '../../src/operations/payment/payment.ts';
import { pollPayments } from '../../src/operations/payment/poll.ts';
import { reconcilePayments } from '../../src/operations/payment/reconcile.ts';
import { reconcileAll } from '../../src/operations/reconciliation/reconcile-all.ts';
import { refundCreate } from '../../src/operations/refund/create.ts';
import { lookAtRefund, lookAtRefunds } from '../../src/operations/refund/look.ts';
import type { Refund } from '../../src/operations/refund/refund.ts';
import { ownCause } from '../../src/operations/payment/cause.ts';
import { receiveWebhook } from '../../src/operations/webhook-event/receive.ts';
import { clickPesaProvider } from '../../src/providers/clickpesa/index.ts';
import { referenceOf } from '../../src/providers/clickpesa/reference.ts';
import { readRefund } from '../../src/store/refund.ts';
import { testHouse } from '../support/house.ts';
import { OPERATOR, paymentStory, type PaymentStory } from '../support/payment-story.ts';
import { Crash } from '../support/ports.ts';
import { API_KEY, CHECKSUM_KEY, CLIENT_ID } from '../providers/clickpesa-bench.ts';

/** The whole way over ClickPesa's wire: the provider, the simulator, its webhooks into our inbox, one database for all stories. */
let told: PaymentStory;
let house: House;
let sandbox: ClickPesaSandbox;
const answers: number[] = [];

beforeAll(async () => {
  told = await paymentStory();
  sandbox = new ClickPesaSandbox({
    clock: told.ports.clock,
    random: told.ports.random,
    clientId: CLIENT_ID,
    apiKey: API_KEY,
    checksumKey: CHECKSUM_KEY,
    webhookUrl: 'http://webhooks.invalid/webhooks/clickpesa',
    fetch: async (_, init) => {
      const headers = new Map([...new Headers(init?.headers)].map(([name, value]) => [name, [value]] as const));
      const body = new TextEncoder().encode(typeof init?.body === 'string' ? init.body : '');
      const { status } = await receiveWebhook(house, 'clickpesa', { body, headers });
      answers.push(status);
      return new Response(null, { status });
    },
  });
  house = houseWith(told.house.db);
}, 60_000);

afterEach(() => {
  sandbox.calm();
  answers.length = 0;
  told.ports.crash.dieAfter(null);
});
afterAll(async () => {
  await sandbox.close();
  await told.close();
});

function houseWith(db: House['db']): House {
  const ports = { ...told.ports, http: { fetch: sandboxFetch(sandbox) } };
  const keys = {
    clientId: CLIENT_ID,
    apiKey: API_KEY,
    checksumKey: CHECKSUM_KEY,
    checksumMethod: 'canonical',
  } as const;
  const provider = clickPesaProvider({ ...keys, apiUrl: `${sandbox.publicUrl}/third-parties`, isLive: false, ports });
  return testHouse({ db, ports, providers: [provider], settings: { openPaymentsMax: 100 } });
}

const topUp = (key: string, amount = '25.00'): Promise<Reply> =>
  execute(house, paymentCreate, {
    actor: told.actor,
    input: { provider: 'clickpesa', amount },
    idempotencyKey: key,
    requestId: told.ports.ids.requestId(),
  });

async function open(amount = '25.00'): Promise<{ payment: Payment; reference: string }> {
  const reply = await topUp(`key-${told.ports.ids.sid()}`, amount);
  if (reply.status !== 201) throw new Error(`${reply.status} ${reply.body}`);
  const payment = JSON.parse(reply.body) as Payment;
  return { payment, reference: (await told.payment(payment.sid)).orderRef ?? '' };
}

const hear = async (): Promise<void> => {
  sandbox.deliveries.flush();
  await sandbox.deliveries.settled();
  await told.drain(house);
};
const check = async (sid: string): Promise<Payment> =>
  JSON.parse((await told.run(paymentCheck, { sid }, { house })).body) as Payment;
const eventsOf = async (sid: string) => (await told.events()).filter((event) => event.paymentSid === sid);
/** What a story moved the wallet by. */
async function cents<T>(story: () => Promise<T>): Promise<bigint> {
  const before = await told.cents();
  await story();
  return (await told.cents()) - before;
}

describe('a top-up by mobile money', () => {
  it('B01 is paid on the phone, told by many webhooks, and credited once', async () => {
    const { payment, reference } = await open();
    expect(payment).toMatchObject({ state: 'open', problem: null, progress: null, provider: 'clickpesa' });
    sandbox.turn({ duplicates: 20 });
    expect(
      await cents(async () => {
        sandbox.pay(reference);
        await hear();
      }),
    ).toBe(2500n);
    expect(new Set(answers)).toEqual(new Set([200]));
    expect(await eventsOf(payment.sid)).toMatchObject([{ kind: 'top_up', currency: 'USD', provider: 'clickpesa' }]);
  });

  it('shows what the phone waits for, and nothing of it once the money is there', async () => {
    const { payment, reference } = await open();
    expect(await check(payment.sid)).toMatchObject({ state: 'open', problem: null, progress: null });
    const attempt = sandbox.start(reference);
    const asked = await check(payment.sid);
    expect(asked).toMatchObject({ state: 'open', checkout_url: payment.checkout_url });
    expect(asked.progress).toMatch(/PIN/);
    if (attempt !== null) sandbox.approve(attempt);
    expect((await check(payment.sid)).progress).toMatch(/network/);
    await told.ports.clock.advance(4_000);
    await hear();
    expect(await check(payment.sid)).toMatchObject({ state: 'credited', progress: null, problem: null });
  });

  it('A10 an authentic webhook that says more than the API credits what the API says', async () => {
    const { payment, reference } = await open();
    const data = { id: `${reference}LCPX`, status: 'SUCCESS', orderReference: reference, collectedAmount: '9999.00' };
    expect(
      await cents(async () => {
        sandbox.forge({ event: 'PAYMENT RECEIVED', data });
        await hear();
      }),
    ).toBe(0n);
    expect((await told.payment(payment.sid)).state).toBe('open');
    expect(answers).toEqual([200]);
  });

  it('A03 A08 a webhook of another key, or without a checksum, leaves no row', async () => {
    const { reference } = await open();
    const before = (await told.inbox()).length;
    const payload = { event: 'PAYMENT RECEIVED', data: { id: 'X', orderReference: reference } };
    sandbox.forge(payload, { key: 'CHKanother9Lk2Xw7Rn5Tq1' });
    sandbox.forge(payload, { checksum: 'none' });
    for (let turn = 0; turn < 12; turn += 1) await told.ports.clock.advance(60_000);
    await hear();
    expect(new Set(answers)).toEqual(new Set([400]));
    expect((await told.inbox()).length).toBe(before);
  });

  it('A15 a webhook that names another application is set aside', async () => {
    const { payment, reference } = await open();
    sandbox.forge({
      event: 'PAYMENT RECEIVED',
      data: { id: 'A15', status: 'SUCCESS', orderReference: reference, clientId: 'IDother' },
    });
    await hear();
    expect((await told.inbox()).at(-1)).toMatchObject({ state: 'quarantined', reason: 'account_mismatch' });
    expect((await told.payment(payment.sid)).state).toBe('open');
  });

  it('one link that is paid twice credits twice, by payment', async () => {
    const { payment, reference } = await open();
    expect(
      await cents(async () => {
        sandbox.pay(reference);
        await hear();
        sandbox.pay(reference);
        await hear();
        await hear();
      }),
    ).toBe(5000n);
    expect(await eventsOf(payment.sid)).toHaveLength(2);
    expect(await told.payment(payment.sid)).toMatchObject({ state: 'credited', credited: 50_000_000n });
  });

  it('B07 a try that failed closes it, and money that comes all the same is credited', async () => {
    const { payment, reference } = await open();
    sandbox.pay(reference, 'FAILED');
    await hear();
    expect((await told.payment(payment.sid)).state).toBe('failed');
    expect(
      await cents(async () => {
        sandbox.pay(reference);
        await hear();
      }),
    ).toBe(2500n);
  });

  it('D07 less than was asked is credited as what it is, in both generations of webhooks', async () => {
    sandbox.turn({ webhookShape: 'old', amounts: 'text', collectsHundredths: 1_999 });
    const { payment, reference } = await open();
    expect(
      await cents(async () => {
        sandbox.pay(reference);
        await hear();
      }),
    ).toBe(1999n);
    expect((await told.payment(payment.sid)).problem).toMatch(/underpaid/);
  });

  it('D07 shillings of which nobody says what they came to wait for a person', async () => {
    sandbox.turn({ collects: 'TZS-untold' });
    const { payment, reference } = await open();
    expect(
      await cents(async () => {
        sandbox.pay(reference);
        await hear();
      }),
    ).toBe(0n);
    expect(await told.payment(payment.sid)).toMatchObject({
      state: 'quarantined',
      problem: expect.stringContaining('currency_mismatch') as string,
    });
  });

  it('B09 with every webhook lost the poller credits it, and a second payment of the link the reconciler', async () => {
    sandbox.turn({ lossRate: 1 });
    const { reference } = await open();
    expect(
      await cents(async () => {
        sandbox.pay(reference);
        await told.ports.clock.advance(60_000);
        await pollPayments(house);
      }),
    ).toBe(2500n);
    expect(
      await cents(async () => {
        sandbox.pay(reference);
        await reconcilePayments(house);
      }),
    ).toBe(2500n);
  });

  it('REVERSED after the credit takes it back, once, found without any webhook', async () => {
    const { payment, reference } = await open();
    const paid = sandbox.pay(reference, 'SETTLED');
    await hear();
    expect(
      await cents(async () => {
        sandbox.become(paid?.id ?? '', 'REVERSED');
        await reconcilePayments(house);
        await reconcilePayments(house);
      }),
    ).toBe(-2500n);
    const events = new Map((await eventsOf(payment.sid)).map(({ kind, amount }) => [kind, amount]));
    expect(events).toEqual(
      new Map([
        ['reversal', -25_000_000n],
        ['top_up', 25_000_000n],
      ]),
    );
  });
});

describe('money that an operator has assigned', () => {
  it('is taken back when ClickPesa takes it back, though the link is of a payment that we do not have', async () => {
    const forgotten = {
      paymentSid: sidOfHead(headOf(told.ports.ids.sid())),
      userSid: told.wallet.userSid,
      amount: micros(9_000_000n),
      currency: 'USD',
      description: 'Wallet top-up',
      successUrl: 'http://127.0.0.1/x',
      cancelUrl: 'http://127.0.0.1/x',
      expiresAt: new Date(told.ports.clock.now().getTime() + 3_600_000),
    } as const;
    const order = await house.providers.get('clickpesa')?.createOrder(forgotten);
    const paid = sandbox.pay(order?.orderRef ?? '', 'SETTLED');
    await told.ports.clock.advance(2 * 3_600_000);
    await reconcileAll(house);
    const { body } = await told.run(movementList, { state: 'unmatched' }, { actor: OPERATOR });
    const line = (JSON.parse(body) as { items: Movement[] }).items.find(({ ref }) => ref === paid?.id);
    const input = { sid: line?.sid, wallet_sid: told.wallet.sid, reason: 'her receipt' };
    const assigned = () => told.run(movementAssign, input, { house, actor: OPERATOR, key: 'assign-it' });
    expect(await cents(assigned)).toBe(900n);
    sandbox.become(paid?.id ?? '', 'REVERSED');
    expect(await cents(() => reconcileAll(house))).toBe(-900n);
  });
});

describe('a refund by payout', () => {
  const refunded = async (sid: string, amount: string): Promise<Refund> => {
    const input = { payment_sid: sid, amount, reason: 'Asked for', destination: '255712000001' };
    const reply = await told.run(refundCreate, input, { house, key: `key-${told.ports.ids.sid()}`, actor: OPERATOR });
    if (reply.status !== 201) throw new Error(`${reply.status} ${reply.body}`);
    return JSON.parse(reply.body) as Refund;
  };

  it('leaves once, is told by its own webhook, and comes back when the payout does', async () => {
    const { payment, reference } = await open();
    sandbox.pay(reference, 'SETTLED');
    await hear();
    const before = await told.cents();
    const { sid } = await refunded(payment.sid, '10.00');
    await lookAtRefund(house, sid, ownCause(house, 'refund'));
    await lookAtRefund(house, sid, ownCause(house, 'refund'));
    expect([...sandbox.state.payouts.values()]).toHaveLength(1);
    await told.ports.clock.advance(5_000);
    await hear();
    expect(await readRefund(told.database.owner, sid)).toMatchObject({ state: 'succeeded' });
    expect(await told.cents()).toBe(before - 1000n);
    sandbox.payoutBecomes(referenceOf({ names: 'refund', sid, attempt: 0 }), 'REVERSED');
    await hear();
    await lookAtRefunds(house);
    expect(await told.cents()).toBe(before);
  });
});

describe('a crash at any point of a top-up', () => {
  it('G01 leaves a payment that the same call finishes, with every link that was made among those that are read', async () => {
    const { crash } = told.ports;
    for (let points = 0; points < 200; points += 1) {
      const key = `crash-${points}`;
      crash.dieAfter(points);
      const died = await topUp(key).then(
        () => false,
        (error: unknown) => {
          if (error instanceof Crash) return true;
          throw error;
        },
      );
      crash.dieAfter(null);
      const reply = await topUp(key);
      expect(reply.status, `after ${points} points: ${reply.body}`).toBe(201);
      const payment = JSON.parse(reply.body) as Payment;
      const { orderRef } = await told.payment(payment.sid);
      const moved = await cents(async () => {
        sandbox.pay(orderRef ?? '');
        await check(payment.sid);
      });
      expect(moved, `after ${points} points`).toBe(2500n);
      if (!died) return;
    }
    throw new Error('a top-up has an end');
  }, 60_000);
});
