import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deliveryGet } from '../../src/operations/delivery/get.ts';
import { deliveryList } from '../../src/operations/delivery/list.ts';
import { deliveryReplay } from '../../src/operations/delivery/replay.ts';
import { sendDueDeliveries } from '../../src/operations/delivery/send-due.ts';
import { endpointCreate } from '../../src/operations/endpoint/create.ts';
import { endpointList } from '../../src/operations/endpoint/list.ts';
import { endpointRemove } from '../../src/operations/endpoint/remove.ts';
import { resealSecrets } from '../../src/operations/endpoint/reseal.ts';
import { endpointRotate } from '../../src/operations/endpoint/rotate.ts';
import { endpointTest } from '../../src/operations/endpoint/test.ts';
import { endpointUpdate } from '../../src/operations/endpoint/update.ts';
import { emit } from '../../src/operations/event/emit.ts';
import { eventList } from '../../src/operations/event/list.ts';
import type { Actor, Operation } from '../../src/operations/operation.ts';
import type { House } from '../../src/operations/house.ts';
import type { EventType } from '../../src/domain/event/types.ts';
import { openWallets } from '../support/ledger.ts';
import { OPERATOR, paymentStory, userActor, type PaymentStory } from '../support/payment-story.ts';
import { openReceiver, type Received, type Receiver } from '../support/receiver.ts';

let story: PaymentStory;
let receiver: Receiver;
beforeAll(async () => {
  [story, receiver] = await Promise.all([paymentStory(), openReceiver()]);
});
afterAll(async () => {
  await receiver.close();
  await story.close();
});

interface Answer {
  readonly status: number;
  readonly json: Record<string, unknown>;
}
async function ask(operation: Operation, input: unknown, actor: Actor = story.actor): Promise<Answer> {
  const { status, body } = await story.run(operation, input, { actor });
  return { status, json: JSON.parse(body) as Record<string, unknown> };
}

/** A user of one's own, so that the events of one test are not those of another. */
async function newUser() {
  const [wallet] = await openWallets(story.house.db, story.ports, 1);
  if (!wallet) throw new Error('a wallet was opened');
  const tell = (type: EventType, number = 1, house: House = story.house) =>
    house.db.transaction('test.emit', (tx) =>
      emit(tx, house, {
        type,
        of: { wallet: wallet.id, walletSid: wallet.sid, userSid: wallet.userSid },
        facts: { number },
      }),
    );
  return { wallet, actor: userActor(wallet), tell };
}
type User = Awaited<ReturnType<typeof newUser>>;

let paths = 0;
async function endpointOf(user: Pick<User, 'actor'>, more: Record<string, unknown> = {}) {
  const path = `/hook-${(paths += 1)}`;
  const { status, json } = await ask(
    endpointCreate,
    { url: `${receiver.url}${path}`, description: 'Mine', ...more },
    user.actor,
  );
  if (status !== 201) throw new Error(`no endpoint: ${JSON.stringify(json)}`);
  return { path, sid: String(json['sid']), secret: String(json['secret']) };
}

/** By the independent library, at the story's time. */
function verify(secret: string, { headers, body }: Received): unknown {
  const sent = {
    'webhook-id': String(headers['webhook-id']),
    'webhook-timestamp': String(headers['webhook-timestamp']),
    'webhook-signature': String(headers['webhook-signature']),
  };
  const ageSeconds = story.ports.clock.now().getTime() / 1_000 - Number(sent['webhook-timestamp']);
  expect(Math.abs(ageSeconds)).toBeLessThan(1);
  const again = new Webhook(secret).sign(sent['webhook-id'], new Date(Number(sent['webhook-timestamp']) * 1_000), body);
  expect(sent['webhook-signature'].split(' ')).toContain(again);
  return JSON.parse(body);
}
const stateOf = async (sid: string) => {
  const { json } = await ask(endpointList, { limit: 200 }, OPERATOR);
  return (json['items'] as { sid: string }[]).find((one) => one.sid === sid);
};
const deliveriesOf = async (sid: string) => {
  const { json } = await ask(deliveryList, { sid }, OPERATOR);
  return json['items'] as Record<string, unknown>[];
};

describe('an endpoint of a user', () => {
  it('is told of a credited payment, signed, with the event’s sid as its id', async () => {
    const endpoint = await endpointOf({ actor: story.actor }, { types: ['payment.credited'] });
    const payment = await story.paid('25.00');
    const [order] = [...story.bank.orders.values()];
    if (!order) throw new Error('there is an order');
    await story.deliver(story.bank.webhook('checkout.session.completed', order));
    await story.drain();
    expect(await sendDueDeliveries(story.house)).toBe(1);
    expect(await sendDueDeliveries(story.house)).toBe(0);
    const [got, ...more] = receiver.at(endpoint.path);
    if (!got) throw new Error('nothing came');
    expect(more).toEqual([]);
    expect(verify(endpoint.secret, got)).toMatchObject({
      type: 'payment.credited',
      data: { payment_sid: payment.sid },
    });
    const { json } = await ask(eventList, { type: 'payment.credited' });
    expect(json['items']).toMatchObject([{ sid: got.headers['webhook-id'], body: got.body }]);
    expect(got.headers).toMatchObject({ 'content-type': 'application/json', 'user-agent': 'hero-onboarding' });
  });

  it('is told of the own events only, of the types that were asked for; an operator’s of all', async () => {
    const [mine, other] = [await newUser(), await newUser()];
    const all = await endpointOf(mine);
    const some = await endpointOf(mine, { types: ['wallet.empty'] });
    const operators = await endpointOf({ actor: OPERATOR }, { types: ['wallet.empty', 'wallet.low_balance'] });
    await mine.tell('wallet.low_balance');
    await mine.tell('wallet.empty');
    await other.tell('wallet.empty');
    await sendDueDeliveries(story.house);
    const told = (path: string) => receiver.at(path).length;
    expect([told(all.path), told(some.path), told(operators.path)]).toEqual([2, 1, 3]);
    await ask(endpointRemove, { sid: operators.sid }, OPERATOR);
  });

  it('I12 has a secret that is told once, and kept sealed', async () => {
    const user = await newUser();
    const { sid, secret } = await endpointOf(user);
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    await ask(endpointTest, { sid }, user.actor);
    await ask(endpointUpdate, { sid, description: 'Other' }, user.actor);
    const answers = [
      await ask(endpointList, {}, user.actor),
      await ask(deliveryList, { sid }, user.actor),
      await ask(eventList, {}, user.actor),
    ];
    const text = `select (select json_agg(endpoint) from endpoint)::text || (select json_agg(event) from event)::text
                    || (select json_agg(audit) from audit)::text as everything`;
    const [row] = await story.database.owner.query<{ everything: string }>({ name: 'test.everything', text });
    const told = JSON.stringify([answers, story.ports.log.lines, row?.everything]);
    expect(told).toContain(sid);
    expect(told).not.toContain(secret.slice('whsec_'.length, -4));
  });

  it('is nobody else’s: 404, as if it did not exist', async () => {
    const [mine, other] = [await newUser(), await newUser()];
    const { sid } = await endpointOf(mine);
    const { json: sent } = await ask(endpointTest, { sid }, mine.actor);
    const delivery = { sid: String(sent['sid']) };
    const nothing = { sid: '01JD9ZQ4T2V6M0F8K3A5B7C9D1' };
    for (const operation of [endpointUpdate, endpointRotate, endpointTest, endpointRemove, deliveryList]) {
      const [foreign, absent] = [
        await ask(operation, { sid }, other.actor),
        await ask(operation, nothing, other.actor),
      ];
      expect([foreign.status, foreign.json['detail']]).toEqual([404, absent.json['detail']]);
    }
    for (const operation of [deliveryGet, deliveryReplay]) {
      expect((await ask(operation, delivery, other.actor)).status).toBe(404);
      expect((await ask(operation, delivery, mine.actor)).status).toBeLessThan(300);
      expect((await ask(operation, delivery, OPERATOR)).status).toBeLessThan(300);
    }
    expect((await ask(endpointList, {}, other.actor)).json['items']).toEqual([]);
  });

  it('is refused at an address that may not be reached, without a key to seal with, and past the fifth', async () => {
    const user = await newUser();
    const input = { url: 'https://10.0.0.1/', description: 'x' };
    const inner = await ask(endpointCreate, input, user.actor);
    expect([inner.status, inner.json['errors']]).toEqual([
      400,
      [{ pointer: '#/url', detail: 'must name a host of the public internet' }],
    ]);
    const keyless = { ...story.house, settings: { ...story.house.settings, encryptionKeys: [] } };
    const call = { actor: user.actor, house: keyless };
    const url = `${receiver.url}/x`;
    expect((await story.run(endpointCreate, { ...input, url }, call)).status).toBe(503);
    const { sid } = await endpointOf(user);
    expect((await ask(endpointUpdate, { sid, url: 'https://10.0.0.1/' }, user.actor)).status).toBe(400);
    expect((await story.run(endpointRotate, { sid }, call)).status).toBe(503);
    for (let count = 2; count <= 5; count += 1) await endpointOf(user);
    expect((await ask(endpointCreate, { ...input, url }, user.actor)).status).toBe(409);
    await ask(endpointRemove, { sid }, user.actor);
    expect((await ask(endpointCreate, { ...input, url }, user.actor)).status).toBe(201);
  });
});

describe('a rotated secret', () => {
  it('I09 signs beside the new one for a while, then alone no more', async () => {
    const user = await newUser();
    const endpoint = await endpointOf(user);
    const { json } = await ask(endpointRotate, { sid: endpoint.sid, overlap_seconds: 3_600 }, user.actor);
    const fresh = String(json['secret']);
    await user.tell('wallet.empty');
    await sendDueDeliveries(story.house);
    const [during] = receiver.at(endpoint.path);
    if (!during) throw new Error('nothing came');
    for (const secret of [fresh, endpoint.secret]) verify(secret, during);
    await story.ports.clock.advance(3_600_000);
    await user.tell('wallet.empty');
    await sendDueDeliveries(story.house);
    const [, after] = receiver.at(endpoint.path);
    if (!after) throw new Error('nothing came');
    verify(fresh, after);
    expect(String(after.headers['webhook-signature'])).not.toContain(' ');
  });

  it('is opened and sealed anew under a new encryption key, until the old one can go', async () => {
    const user = await newUser();
    const endpoint = await endpointOf(user);
    await ask(endpointRotate, { sid: endpoint.sid }, user.actor);
    const [old = ''] = story.house.settings.encryptionKeys;
    const withKeys = (...encryptionKeys: string[]): House => ({
      ...story.house,
      settings: { ...story.house.settings, encryptionKeys },
    });
    expect(await resealSecrets(withKeys('a new key', old))).toBeGreaterThan(0);
    expect(await resealSecrets(withKeys('a new key', old))).toBe(0);
    await user.tell('wallet.empty');
    await sendDueDeliveries(withKeys('a new key'));
    const [got] = receiver.at(endpoint.path);
    if (!got) throw new Error('nothing came');
    verify(endpoint.secret, got);
    await resealSecrets(withKeys(old, 'a new key'));
  });
});

describe('a delivery that fails', () => {
  it('I09 is made again with the same id and text and a new timestamp, and its log says what was answered', async () => {
    const user = await newUser();
    const endpoint = await endpointOf(user);
    receiver.answer(endpoint.path, (response) => {
      const isFirst = receiver.at(endpoint.path).length === 1;
      response.writeHead(isFirst ? 500 : 200).end(isFirst ? 'out\u0000of order' : 'fine');
    });
    await user.tell('wallet.empty');
    await sendDueDeliveries(story.house);
    expect(await deliveriesOf(endpoint.sid)).toMatchObject([{ state: 'pending', attempts: 1, last_status: 500 }]);
    await story.ports.clock.advance(4_999);
    expect(await sendDueDeliveries(story.house)).toBe(0);
    await story.ports.clock.advance(1_001 + 1_000);
    expect(await sendDueDeliveries(story.house)).toBe(1);
    const [first, second] = receiver.at(endpoint.path);
    expect(second).toMatchObject({ body: first?.body, headers: { 'webhook-id': first?.headers['webhook-id'] } });
    expect(second?.headers['webhook-timestamp']).not.toBe(first?.headers['webhook-timestamp']);
    const [delivery] = await deliveriesOf(endpoint.sid);
    const { json } = await ask(deliveryGet, { sid: delivery?.['sid'] }, user.actor);
    expect(json).toMatchObject({
      state: 'delivered',
      attempts: 2,
      next_attempt_at: null,
      log: [
        { number: 2, status: 200, answer: 'fine', error: null },
        { number: 1, status: 500, answer: 'out\ufffdof order', error: null },
      ],
    });
  });

  it('I08 is given up after the tenth attempt, and replayed by hand under the same id', async () => {
    const user = await newUser();
    const endpoint = await endpointOf(user);
    receiver.answer(endpoint.path, (response) => response.writeHead(500).end());
    await user.tell('wallet.empty');
    for (let tries = 1; tries <= 10; tries += 1) {
      await sendDueDeliveries(story.house);
      await story.ports.clock.advance(29 * 3_600_000);
      // Five days without a success switch it off; here it is switched on again each time.
      await ask(endpointUpdate, { sid: endpoint.sid, is_active: true }, user.actor);
    }
    const [failed] = await deliveriesOf(endpoint.sid);
    expect(failed).toMatchObject({ state: 'failed', attempts: 10, next_attempt_at: null });
    receiver.answer(endpoint.path, (response) => response.writeHead(200).end());
    expect((await ask(deliveryReplay, { sid: failed?.['sid'] }, user.actor)).json).toMatchObject({ state: 'pending' });
    await sendDueDeliveries(story.house);
    expect(await deliveriesOf(endpoint.sid)).toMatchObject([{ state: 'delivered', attempts: 11 }]);
    expect(new Set(receiver.at(endpoint.path).map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });

  it('I08 with 410 switches the endpoint off, tells its owner’s others, and what was due waits', async () => {
    const user = await newUser();
    const [endpoint, witness] = [await endpointOf(user), await endpointOf(user, { types: ['endpoint.disabled'] })];
    receiver.answer(endpoint.path, (response) => response.writeHead(410).end());
    await user.tell('wallet.empty');
    await sendDueDeliveries(story.house);
    expect(await stateOf(endpoint.sid)).toMatchObject({ state: 'disabled', reason: 'gone' });
    expect(JSON.parse(receiver.at(witness.path)[0]?.body ?? '{}')).toMatchObject({
      data: { endpoint_sid: endpoint.sid, reason: 'gone' },
    });
    await user.tell('wallet.empty');
    await story.ports.clock.advance(86_400_000);
    await sendDueDeliveries(story.house);
    expect(receiver.at(endpoint.path)).toHaveLength(1);
    expect((await ask(endpointTest, { sid: endpoint.sid }, user.actor)).status).toBe(409);
    receiver.answer(endpoint.path, (response) => response.writeHead(204).end());
    await ask(endpointUpdate, { sid: endpoint.sid, is_active: true }, user.actor);
    await sendDueDeliveries(story.house);
    expect((await deliveriesOf(endpoint.sid)).map(({ state }) => state)).toEqual(['delivered']);
  });

  it('for an endpoint that has too much to do leaves it alone as long as it asks', async () => {
    const user = await newUser();
    const endpoint = await endpointOf(user);
    receiver.answer(endpoint.path, (response) => response.writeHead(429, { 'retry-after': '600' }).end());
    await user.tell('wallet.empty');
    await sendDueDeliveries(story.house);
    receiver.answer(endpoint.path, (response) => response.writeHead(204).end());
    await user.tell('wallet.low_balance');
    await story.ports.clock.advance(599_000);
    await sendDueDeliveries(story.house);
    expect(receiver.at(endpoint.path)).toHaveLength(1);
    await story.ports.clock.advance(1_000);
    await sendDueDeliveries(story.house);
    expect(receiver.at(endpoint.path)).toHaveLength(3);
  });
});

describe('I11 a slow endpoint', () => {
  it('has two deliveries under way at most, and holds nobody else up', async () => {
    const [slow, quick] = [await newUser(), await newUser()];
    const endpoints = { slow: await endpointOf(slow), quick: await endpointOf(quick) };
    const waiting: (() => void)[] = [];
    receiver.answer(endpoints.slow.path, (response) => waiting.push(() => response.writeHead(204).end()));
    for (let number = 1; number <= 6; number += 1) {
      await slow.tell('wallet.empty', number);
      await quick.tell('wallet.empty', number);
    }
    const sent = sendDueDeliveries(story.house);
    await expect.poll(() => receiver.at(endpoints.quick.path).length).toBe(6);
    await expect.poll(() => waiting.length).toBe(2);
    receiver.answer(endpoints.slow.path, (response) => response.writeHead(204).end());
    for (const answer of waiting) answer();
    expect(await sent).toBe(12);
  });

  it('that never answers is given up after 15 seconds', async () => {
    const user = await newUser();
    const endpoint = await endpointOf(user);
    receiver.answer(endpoint.path, () => undefined);
    await user.tell('wallet.empty');
    const sent = sendDueDeliveries(story.house);
    await expect.poll(() => receiver.at(endpoint.path).length).toBe(1);
    await story.ports.clock.advance(15_000);
    expect(await sent).toBe(1);
    expect(await deliveriesOf(endpoint.sid)).toMatchObject([
      { state: 'pending', last_status: null, last_error: 'timeout' },
    ]);
    await ask(endpointRemove, { sid: endpoint.sid }, user.actor);
  });
});
