import { afterEach, expect, it } from 'vitest';
import { buildHttp } from '../../src/http/app.ts';
import { paymentStory, type PaymentStory } from '../support/payment-story.ts';

const DONE = 'checkout.session.completed';

let told: PaymentStory | null = null;
afterEach(async () => {
  await told?.close();
  told = null;
});

it('G06 a webhook is stored while requests hold every other connection', async () => {
  told = await paymentStory();
  const db = told.database.open({ poolMax: 1 });
  const { bank } = told;
  const app = buildHttp(
    { ...told.house, db },
    { adminSecrets: [], ping: () => Promise.resolve(), reserved: db.reserved },
  );
  const payment = await told.paid('25.00');
  const { body, headers } = bank.webhook(DONE, bank.orderOf(payment.sid));
  const release = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const holder = db.transaction('test.hold', async () => {
    begun.resolve();
    await release.promise;
  });
  await begun.promise;
  const answer = await app.request(`/webhooks/${bank.name}`, {
    method: 'POST',
    headers: [...headers].flatMap(([name, values]) => values.map((value): [string, string] => [name, value])),
    body: new Uint8Array(body),
  });
  expect([answer.status, await answer.json()]).toEqual([200, { received: true, duplicate: false }]);
  // Without connections of their own, webhooks would have waited for this one and been turned away.
  expect(db.connections()).toMatchObject({ open: 1, idle: 0 });
  release.resolve();
  await holder;
  await told.drain();
  expect(await told.cents()).toBe(2500n);
});
