import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendDueDeliveries } from '../../src/operations/delivery/send-due.ts';
import { endpointCreate } from '../../src/operations/endpoint/create.ts';
import { emit } from '../../src/operations/event/emit.ts';
import { openWallets } from '../support/ledger.ts';
import { paymentStory, userActor, type PaymentStory, type Process } from '../support/payment-story.ts';
import { Crash } from '../support/ports.ts';
import { openReceiver, type Receiver } from '../support/receiver.ts';

/** The process dies at every place where it waits while it sends one event; each place is a run with an endpoint of its own. */
let story: PaymentStory;
let receiver: Receiver;
beforeAll(async () => {
  [story, receiver] = await Promise.all([paymentStory(), openReceiver()]);
});
afterAll(async () => {
  await receiver.close();
  await story.close();
});

/** One event on its way to one endpoint; answers the path it is sent to. */
async function eventOnItsWay(): Promise<string> {
  const [wallet] = await openWallets(story.house.db, story.ports, 1);
  if (!wallet) throw new Error('a wallet was opened');
  const path = `/${wallet.sid}`;
  const input = { url: `${receiver.url}${path}`, description: 'x' };
  const { status, body } = await story.run(endpointCreate, input, { actor: userActor(wallet) });
  if (status !== 201) throw new Error(body);
  const of = { wallet: wallet.id, walletSid: wallet.sid, userSid: wallet.userSid };
  await story.house.db.transaction('test.emit', (tx) => emit(tx, story.house, { type: 'wallet.empty', of, facts: {} }));
  return path;
}

async function dieAt(process: Process, place: number): Promise<void> {
  process.ports.crash.dieAfter(place);
  await sendDueDeliveries(process.house).catch((error: unknown) => {
    if (!(error instanceof Crash)) throw error;
  });
}

describe('G01 a process that dies anywhere while it sends an event', () => {
  it('leaves it to be sent at least once, under one id, and at most once more', async () => {
    await eventOnItsWay();
    const calm = story.anotherProcess();
    await sendDueDeliveries(calm.house);
    const places = calm.ports.crash.reached.length;
    expect(calm.ports.crash.reached).toContain('webhook:after:post');
    let twice = 0;
    for (let place = 0; place < places; place += 1) {
      const path = await eventOnItsWay();
      const dying = story.anotherProcess();
      await dieAt(dying, place);
      expect(dying.ports.crash.reached.length).toBeGreaterThan(place);
      await story.ports.clock.advance(60_000);
      await expect
        .poll(async () => {
          await sendDueDeliveries(story.anotherProcess({ poolMax: 2 }).house);
          return receiver.at(path).length;
        })
        .toBeGreaterThan(0);
      const ids = receiver.at(path).map(({ headers }) => headers['webhook-id']);
      expect(new Set(ids).size).toBe(1);
      expect(ids.length).toBeLessThanOrEqual(2);
      twice += ids.length - 1;
    }
    expect(twice).toBeGreaterThan(0);
    console.info(`G01 delivery: ${places} crash points, each survived; ${twice} sent once more`);
    const pending = { name: 'test.pending', text: `select count(*) as count from delivery where state <> 'delivered'` };
    expect(await story.database.owner.query(pending)).toEqual([{ count: 0n }]);
  });
});

describe('several processes at once', () => {
  it('send each event once', async () => {
    const paths = [];
    for (let count = 0; count < 12; count += 1) paths.push(await eventOnItsWay());
    const processes = [1, 2, 3].map(() => story.anotherProcess({ poolMax: 3 }));
    await Promise.all(processes.map(({ house }) => sendDueDeliveries(house)));
    expect(paths.map((path) => receiver.at(path).length)).toEqual(paths.map(() => 1));
  });
});
