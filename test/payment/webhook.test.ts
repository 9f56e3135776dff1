import { afterEach, describe, expect, it } from 'vitest';
import type { WebhookEvent } from '../../src/operations/webhook-event/webhook-event.ts';
import { webhookEventList } from '../../src/operations/webhook-event/list.ts';
import { receiveWebhook } from '../../src/operations/webhook-event/receive.ts';
import { webhookEventReplay } from '../../src/operations/webhook-event/replay.ts';
import { listAudit } from '../../src/store/audit.ts';
import { insertPayment } from '../../src/store/payment.ts';
import { testHouse } from '../support/house.ts';
import { PaperBank } from '../support/paper-bank.ts';
import { OPERATOR, paymentStory, type PaymentStory } from '../support/payment-story.ts';

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

/** The last webhook as it stands. */
async function last(told: PaymentStory) {
  const row = (await told.inbox()).at(-1);
  if (!row) throw new Error('no webhook was stored');
  return row;
}

describe('a verified webhook is stored, then applied', () => {
  it('a paid order credits the wallet, with one payment event and one audit row for the move', async () => {
    const told = await story();
    const payment = await told.paid('25.00');
    const reply = await told.deliver(told.bank.webhook(DONE, told.bank.orderOf(payment.sid)));
    expect(reply).toEqual({ status: 200, body: '{"received":true,"duplicate":false}' });
    expect(await told.cents()).toBe(0n);
    await told.drain();
    expect(await told.cents()).toBe(2500n);
    expect(await last(told)).toMatchObject({
      state: 'applied',
      reason: null,
      paymentSid: payment.sid,
      nextAttemptAt: null,
    });
    expect(await told.events()).toMatchObject([
      { kind: 'top_up', externalRef: told.bank.orderOf(payment.sid).paymentRef, amount: 25_000_000n, currency: 'USD' },
    ]);
    const audit = await listAudit(told.database.owner, { before: null, subject: payment.sid, limit: 10 });
    expect(audit.map((row) => [row.actor, row.before?.['state'], row.after?.['state']])).toEqual([
      ['system:webhook', 'open', 'credited'],
      [`user:${told.wallet.userSid}`, 'created', 'open'],
    ]);
    expect(told.ports.log.lines.filter((line) => line.message === 'payment credited')).toHaveLength(1);
  });

  it('a webhook with a wrong signature, or for a provider that is not configured, leaves no row', async () => {
    const told = await story();
    const payment = await told.paid();
    const { body } = told.bank.webhook(DONE, told.bank.orderOf(payment.sid));
    const forged = { body, headers: new Map([['paper-signature', ['0'.repeat(64)]]]) };
    expect(await told.deliver(forged)).toMatchObject({ status: 400 });
    expect(await receiveWebhook(told.house, 'clickpesa', forged)).toMatchObject({ status: 503 });
    expect(await told.inbox()).toEqual([]);
  });

  it('A06 B01 the same event delivered fifty times answers 200 each time and credits once', async () => {
    const told = await story();
    const payment = await told.paid();
    const webhook = told.bank.webhook(DONE, told.bank.orderOf(payment.sid));
    const replies = [];
    for (let time = 0; time < 50; time += 1) {
      replies.push(await told.deliver(webhook));
      if (time % 10 === 0) await told.drain();
    }
    await told.drain();
    expect(replies.map((reply) => reply.status)).toEqual(Array.from({ length: 50 }, () => 200));
    expect(replies.filter((reply) => reply.body.includes('"duplicate":true'))).toHaveLength(49);
    expect(await told.inbox()).toHaveLength(1);
    expect(await told.cents()).toBe(2500n);
    expect(await told.events()).toHaveLength(1);
  });

  it('A16 an event of no interest is stored as ignored and asks nobody', async () => {
    const told = await story();
    const webhook = told.bank.webhook('customer.created', null);
    expect(await told.deliver(webhook)).toMatchObject({ status: 200 });
    expect(await last(told)).toMatchObject({ state: 'ignored', reason: 'event_type', nextAttemptAt: null });
    expect(await told.deliver(webhook)).toMatchObject({ status: 200 });
    expect(await told.inbox()).toHaveLength(1);
  });

  it('B12 the answer 200 comes after the commit: when it fails nothing is stored and nothing is answered', async () => {
    const told = await story();
    const payment = await told.paid();
    const webhook = told.bank.webhook(DONE, told.bank.orderOf(payment.sid));
    const crashing = told.anotherProcess();
    crashing.ports.crash.on((label) => {
      if (label === 'commit:before:webhook.receive') throw new Error('the commit failed');
    });
    await expect(told.deliver(webhook, crashing.house)).rejects.toThrow('the commit failed');
    expect(await told.inbox()).toEqual([]);
    // The provider got no 200, so it delivers again.
    expect(await told.deliver(webhook)).toMatchObject({ status: 200 });
    await told.drain();
    expect(await told.cents()).toBe(2500n);
  });

  it('B11 a process that dies after storing an event leaves it to the next one, unseen by nobody', async () => {
    const told = await story();
    const payment = await told.paid();
    const dying = told.anotherProcess();
    await told.deliver(told.bank.webhook(DONE, told.bank.orderOf(payment.sid)), dying.house);
    for (const label of ['sql:after:payment.lock', 'sql:after:ledger.write_entries', 'commit:before:payment.settle']) {
      dying.ports.crash.on((reached) => {
        if (reached === label) throw new Error(`died at ${label}`);
      });
      dying.ports.crash.dieAfter(null);
      await told.drain(dying.house).catch(() => undefined);
      expect(await told.cents()).toBe(0n);
      expect((await last(told)).state).not.toBe('applied');
    }
    await told.ports.clock.advance(3_600_000);
    await told.drain();
    expect(await told.cents()).toBe(2500n);
    expect(await last(told)).toMatchObject({ state: 'applied' });
  });
});

describe('authentic is not valid', () => {
  it.each([
    ['A14 mode_mismatch', { livemode: true }, false, 'mode_mismatch'],
    ['A14 mode_mismatch in production', { livemode: false }, true, 'mode_mismatch'],
    ['A15 account_mismatch', { account: 'acct_other' }, false, 'account_mismatch'],
  ])('%s: the event is stored, quarantined and moves nothing', async (_, change, isLive, reason) => {
    const told = await story({ bank: new PaperBank({ account: { id: 'acct_house', isLive } }) });
    const payment = await told.paid();
    expect(await told.deliver(told.bank.webhook(DONE, told.bank.orderOf(payment.sid), change))).toMatchObject({
      status: 200,
    });
    await told.drain();
    expect(await last(told)).toMatchObject({ state: 'quarantined', reason });
    expect(await told.cents()).toBe(0n);
    expect((await told.payment(payment.sid)).state).toBe('open');
    expect(
      told.ports.log.lines.filter((line) => line.level === 'warn' && line.facts['reason'] === reason),
    ).toHaveLength(1);
  });

  it('A15 an event that names our own account is ours', async () => {
    const told = await story();
    const payment = await told.paid();
    await told.deliver(told.bank.webhook(DONE, told.bank.orderOf(payment.sid), { account: 'acct_house' }));
    await told.drain();
    expect(await told.cents()).toBe(2500n);
  });

  it('A04 an event that points at another provider’s payment is quarantined and moves nothing', async () => {
    const told = await story();
    const sid = told.ports.ids.sid();
    const createdAt = told.ports.clock.now();
    await told.house.db.transaction('test.foreign_payment', (tx) =>
      insertPayment(tx, {
        sid,
        wallet: told.wallet.id,
        userSid: told.wallet.userSid,
        provider: 'clickpesa',
        providerAccount: 'acct_house',
        isLive: false,
        amount: 2_000_000_000n,
        currency: 'USD',
        idem: '00000000-0000-0000-0000-000000000010',
        fingerprint: '00000000-0000-0000-0000-000000000020',
        createdAt,
        expiresAt: createdAt,
        nextCheckAt: null,
      }),
    );
    const small = told.bank.add({ paymentSid: sid, userSid: told.wallet.userSid, amount: 1_000_000n });
    told.bank.pay(sid);
    await told.deliver(told.bank.webhook(DONE, small));
    await told.drain();
    expect(await last(told)).toMatchObject({ state: 'quarantined', reason: 'provider_mismatch', paymentSid: sid });
    expect(await told.cents()).toBe(0n);
    expect((await told.payment(sid)).state).toBe('created');
  });

  it('A genuine one-dollar payment under another order’s number does not complete that order', async () => {
    const told = await story();
    const payment = await told.opened('900.00');
    const cheap = told.bank.add({ orderRef: 'cs_cheap', state: 'paid', paymentRef: 'pi_cheap', currency: 'USD' });
    await told.deliver(told.bank.webhook(DONE, cheap, { payment_sid: payment.sid }));
    await told.drain();
    expect(await last(told)).toMatchObject({ state: 'quarantined', reason: 'order_mismatch' });
    expect(await told.payment(payment.sid)).toMatchObject({ state: 'open', problem: null });
    expect(await told.cents()).toBe(0n);
  });

  it('D08 an order whose user or number was edited at the provider is quarantined; only our row decides', async () => {
    const told = await story();
    for (const [edit, reason] of [
      [{ userSid: '01JD9ZQ4T2V6M0F8K3A5B7C9D1' }, 'user_mismatch'],
      [{ paymentSid: '01JD9ZQ4T2V6M0F8K3A5B7C9D2' }, 'order_mismatch'],
    ] as const) {
      const payment = await told.paid();
      const order = told.bank.orderOf(payment.sid);
      const webhook = told.bank.webhook(DONE, order);
      Object.assign(order, edit);
      await told.deliver(webhook);
      await told.drain();
      expect(await last(told)).toMatchObject({ state: 'quarantined', reason });
      expect((await told.payment(payment.sid)).state).toBe('quarantined');
      expect((await told.payment(payment.sid)).problem).toContain(reason);
    }
    expect(await told.cents()).toBe(0n);
  });

  it.each([
    ['20.00', 20_000_000n, 2000n, 'underpaid'],
    ['30.00', 30_000_000n, 3000n, 'overpaid'],
  ])('D07 %s paid of 25.00 ordered credits what was paid and says so', async (_, amount, cents, word) => {
    const told = await story();
    const payment = await told.opened('25.00');
    told.bank.pay(payment.sid, { amount });
    await told.deliver(told.bank.webhook(DONE, told.bank.orderOf(payment.sid)));
    await told.drain();
    expect(await told.cents()).toBe(cents);
    const row = await told.payment(payment.sid);
    expect(row).toMatchObject({ state: 'credited', credited: amount, amount: 25_000_000n });
    expect(row.problem).toContain(word);
    expect(await told.events()).toMatchObject([{ amount }]);
  });

  it('D07 another currency is quarantined and credits nothing', async () => {
    const told = await story();
    const payment = await told.opened('25.00');
    told.bank.pay(payment.sid, { currency: 'EUR' });
    await told.deliver(told.bank.webhook(DONE, told.bank.orderOf(payment.sid)));
    await told.drain();
    expect(await last(told)).toMatchObject({ state: 'quarantined', reason: 'currency_mismatch' });
    expect(await told.payment(payment.sid)).toMatchObject({ state: 'quarantined', nextCheckAt: null });
    expect(await told.cents()).toBe(0n);
  });

  it('B15 the same payment number in two accounts is two payments; in one account it credits one order only', async () => {
    const told = await story();
    const [first, second] = [await told.paid('10.00'), await told.paid('20.00')];
    const elsewhere = new PaperBank({ account: { id: 'acct_second', isLive: false } });
    const other = { ...told.anotherProcess() };
    const house = testHouse({ db: other.house.db, ports: other.ports, providers: [elsewhere.asProvider(other.ports)] });
    const third = JSON.parse((await told.topUp('40.00', 'third', house)).body) as { sid: string };
    elsewhere.pay(third.sid);
    for (const order of [...told.bank.orders.values(), ...elsewhere.orders.values()]) order.paymentRef = 'pi_same';
    await told.deliver(told.bank.webhook(DONE, told.bank.orderOf(first.sid)));
    await told.drain();
    await told.deliver(told.bank.webhook(DONE, told.bank.orderOf(second.sid)));
    await told.drain();
    await told.deliver(elsewhere.webhook(DONE, elsewhere.orderOf(third.sid), { id: 'evt_elsewhere' }), house);
    await told.drain(house);
    expect(await told.cents()).toBe(5000n);
    expect((await told.payment(second.sid)).problem).toContain('payment_ref_reused');
    const moved = (await told.events()).map((event) => [event.providerAccount, event.externalRef, event.amount]);
    expect(moved).toHaveLength(2);
    expect(moved).toContainEqual(['acct_second', 'pi_same', 40_000_000n]);
    expect(moved).toContainEqual(['acct_house', 'pi_same', 10_000_000n]);
  });
});

describe('events that find no home', () => {
  it('B05 an order that was never ours waits ten minutes, then is quarantined as unknown_order', async () => {
    const told = await story();
    const foreign = told.bank.add({ state: 'paid', paymentRef: 'pi_x', paymentSid: null });
    expect(await told.deliver(told.bank.webhook(DONE, foreign))).toMatchObject({ status: 200 });
    await told.drain();
    expect(await last(told)).toMatchObject({ state: 'pending', reason: 'unknown_order' });
    for (let second = 0; second < 20; second += 1) {
      await told.ports.clock.advance(60_000);
      await told.drain();
    }
    expect(await last(told)).toMatchObject({ state: 'quarantined', reason: 'unknown_order', nextAttemptAt: null });
    expect(await told.cents()).toBe(0n);
  });

  it('B13 a poison event is tried ten times ever more seldom, is dead then, and the others flow', async () => {
    const told = await story();
    const [poison, good] = [await told.paid(), await told.paid()];
    const order = told.bank.orderOf(poison.sid);
    const webhook = told.bank.webhook(DONE, order);
    Object.defineProperty(order, 'state', { get: () => 'a word nobody knows', configurable: true });
    await told.deliver(webhook);
    await told.deliver(told.bank.webhook(DONE, told.bank.orderOf(good.sid)));
    await told.drain();
    expect((await told.payment(good.sid)).state).toBe('credited');
    const waits: number[] = [];
    for (let tries = 1; tries < 10; tries += 1) {
      const [row] = await told.inbox();
      expect(row).toMatchObject({ state: 'pending', reason: 'internal', attempts: tries });
      const wait = (row?.nextAttemptAt?.getTime() ?? 0) - told.ports.clock.now().getTime();
      waits.push(wait / 1_000);
      await told.ports.clock.advance(wait);
      await told.drain();
    }
    expect(waits).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 512]);
    const [dead] = await told.inbox();
    expect(dead).toMatchObject({ state: 'dead', attempts: 10, nextAttemptAt: null });
    expect(told.ports.log.lines.filter((line) => line.level === 'error')).toHaveLength(1);
    // The operator has the cause repaired and presses replay.
    Object.defineProperty(order, 'state', { value: 'paid' });
    const replayed = await told.run(webhookEventReplay, { sid: dead?.sid }, { actor: OPERATOR });
    expect(JSON.parse(replayed.body)).toMatchObject({ state: 'applied', reason: null });
    expect(await told.cents()).toBe(5000n);
  });
});

describe('webhook-event.replay', () => {
  it('B16 on an applied event it answers already_applied twice, moves nothing, and audits each press', async () => {
    const told = await story();
    const payment = await told.paid();
    await told.deliver(told.bank.webhook(DONE, told.bank.orderOf(payment.sid)));
    await told.drain();
    const { sid } = await last(told);
    const presses = await Promise.all([
      told.run(webhookEventReplay, { sid }, { actor: OPERATOR }),
      told.run(webhookEventReplay, { sid }, { actor: OPERATOR }),
    ]);
    for (const press of presses) {
      expect(press.status).toBe(200);
      expect(JSON.parse(press.body)).toMatchObject({ state: 'applied', reason: 'already_applied' });
    }
    expect(await told.cents()).toBe(2500n);
    const audit = await listAudit(told.database.owner, { before: null, subject: sid, limit: 10 });
    expect(audit.map((row) => [row.actor, row.action, row.reason])).toEqual([
      ['admin:adm_1', 'webhook-event.replay', 'already_applied'],
      ['admin:adm_1', 'webhook-event.replay', 'already_applied'],
    ]);
  });

  it('B16 two presses at once on a quarantined event whose cause is gone credit once', async () => {
    const told = await story();
    const payment = await told.opened();
    told.bank.pay(payment.sid, { currency: 'EUR' });
    await told.deliver(told.bank.webhook(DONE, told.bank.orderOf(payment.sid)));
    await told.drain();
    const { sid } = await last(told);
    const stuck = await told.run(webhookEventReplay, { sid }, { actor: OPERATOR });
    expect(JSON.parse(stuck.body)).toMatchObject({ state: 'quarantined', reason: 'currency_mismatch' });
    told.bank.orderOf(payment.sid).currency = 'USD';
    await Promise.all([1, 2].map(() => told.run(webhookEventReplay, { sid }, { actor: OPERATOR })));
    expect(await last(told)).toMatchObject({ state: 'applied' });
    expect(await told.payment(payment.sid)).toMatchObject({ state: 'credited', problem: null });
    expect(await told.cents()).toBe(2500n);
  });

  it('only an operator may list and replay; an unknown sid is not found', async () => {
    const told = await story();
    await told.deliver(told.bank.webhook('customer.created', null));
    const { sid } = await last(told);
    expect(await told.run(webhookEventReplay, { sid })).toMatchObject({ status: 403 });
    expect(await told.run(webhookEventList, {})).toMatchObject({ status: 403 });
    const missing = { sid: '01JD9ZQ4T2V6M0F8K3A5B7C9D1' };
    expect(await told.run(webhookEventReplay, missing, { actor: OPERATOR })).toMatchObject({ status: 404 });
    const listed = await told.run(webhookEventList, { state: 'ignored' }, { actor: OPERATOR });
    expect((JSON.parse(listed.body) as { items: WebhookEvent[] }).items).toMatchObject([{ sid, state: 'ignored' }]);
  });
});
