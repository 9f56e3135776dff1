import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/ports/system.ts';
import { faultProxy, type FaultProxy } from '../support/fault-proxy.ts';
import { testHouse } from '../support/house.ts';
import { paymentStory, type PaymentStory } from '../support/payment-story.ts';
import { testPorts } from '../support/ports.ts';

const open: (PaymentStory | FaultProxy)[] = [];
afterEach(async () => {
  for (const made of open.splice(0)) await made.close();
});

/** A process whose connection to the database breaks, once, around the commit of one transaction. */
async function behindBadWire(told: PaymentStory, transaction: string, fault: 'lose_answer_of_commit' | 'lose_commit') {
  const proxy = await faultProxy(told.database.url);
  open.push(proxy);
  const ports = testPorts({ seed: 7, now: told.ports.clock.now() });
  const db = told.database.open({ url: proxy.url, ports: { ...ports, clock: systemClock } });
  const house = testHouse({ db, ports, providers: [told.bank.asProvider(ports)] });
  let isArmed = true;
  ports.crash.on((label) => {
    if (!isArmed || label !== `commit:before:${transaction}`) return;
    isArmed = false;
    proxy.set(fault);
  });
  return { house, wasHit: () => !isArmed };
}

describe('G03 a commit whose answer was lost is neither a refusal nor a second payment', () => {
  const cases = ['lose_answer_of_commit', 'lose_commit'] as const;
  const transactions = ['payment.intent', 'payment.create', 'webhook.receive', 'payment.settle'];

  it.each(transactions.flatMap((transaction) => cases.map((fault) => [transaction, fault] as const)))(
    '%s, %s: the top-up is opened and credited once',
    async (transaction, fault) => {
      const told = await paymentStory();
      open.unshift(told);
      const { house, wasHit } = await behindBadWire(told, transaction, fault);
      const reply = await told.topUp('25.00', 'the-key', house);
      expect(reply.status).toBe(201);
      const { sid } = JSON.parse(reply.body) as { sid: string };
      expect(await told.topUp('25.00', 'the-key', house)).toMatchObject({
        status: 201,
        body: reply.body,
        replayed: true,
      });
      expect(told.bank.orders.size).toBe(1);
      const webhook = told.bank.webhook('checkout.session.completed', told.bank.pay(sid));
      expect(await told.deliver(webhook, house)).toMatchObject({ status: 200 });
      await told.drain(house);
      expect(wasHit()).toBe(true);
      expect(await told.inbox()).toMatchObject([{ state: 'applied' }]);
      expect(await told.events()).toHaveLength(1);
      expect(await told.cents()).toBe(2500n);
    },
  );
});
