import { afterEach, expect, it, vi } from 'vitest';
import { startJobs } from '../../src/jobs/start.ts';
import type { Db } from '../../src/store/db.ts';
import { systemPorts } from '../../src/ports/system.ts';
import { openWorkerPool } from '../../src/store/postgres.ts';
import { faultProxy } from '../support/fault-proxy.ts';
import { testHouse } from '../support/house.ts';
import { RecordedLog } from '../support/ports.ts';
import { paymentStory } from '../support/payment-story.ts';

const ends: (() => Promise<void>)[] = [];
const unheard: unknown[] = [];
const hear = (reason: unknown): void => void unheard.push(reason);
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
  process.off('unhandledRejection', hear);
});

it('a connection that is lost as a job ends is heard, and the workers go on', async () => {
  process.on('unhandledRejection', hear);
  const told = await paymentStory();
  ends.push(() => told.close());
  const log = new RecordedLog();
  const ports = systemPorts({ log });
  const proxy = await faultProxy(told.database.url);
  ends.push(() => proxy.close());
  let hasBroken = false;
  // The queue's connections break between the last statement of the first job and the queue's note that it ended.
  const db: Db = {
    ...told.house.db,
    query: async (statement, values) => {
      const rows = await told.house.db.query(statement, values);
      if (!hasBroken && statement.name === 'inbox.read') {
        hasBroken = true;
        proxy.set('reset');
      }
      return rows as never;
    },
  };
  const house = testHouse({ db, ports, providers: [told.bank.asProvider(ports)] });
  const openPool = () => openWorkerPool({ url: proxy.url, ports });
  const jobs = await startJobs(house, { openPool, ticks: [] });
  ends.push(() => jobs.stop());
  const absent = told.ports.ids.sid();
  await told.house.db.transaction('test.enqueue', (tx) => house.jobs.enqueue(tx, 'webhook.apply', { sid: absent }));
  const isTold = (): boolean => log.lines.some(({ message }) => message.startsWith('Failed to complete jobs'));
  await vi.waitFor(() => expect(isTold() || unheard.length > 0).toBe(true), { timeout: 10_000, interval: 20 });
  proxy.set('none');
  const payment = await told.paid();
  await told.deliver(told.bank.webhook('checkout.session.completed', told.bank.orderOf(payment.sid)), house);
  await vi.waitFor(async () => expect(await told.cents()).toBe(2500n), { timeout: 15_000, interval: 50 });
  expect(unheard).toEqual([]);
});

it('workers whose connections have gone deaf without a word are replaced', async () => {
  const told = await paymentStory();
  ends.push(() => told.close());
  const log = new RecordedLog();
  const ports = systemPorts({ log });
  const proxy = await faultProxy(told.database.url);
  ends.push(() => proxy.close());
  const house = testHouse({ db: told.house.db, ports, providers: [told.bank.asProvider(ports)] });
  const openPool = () => openWorkerPool({ url: proxy.url, ports });
  const jobs = await startJobs(house, { openPool, ticks: [], stalledAfterMs: 2_500 });
  ends.push(() => jobs.stop());
  const payment = await told.paid();
  proxy.set('swallow');
  await told.deliver(told.bank.webhook('checkout.session.completed', told.bank.orderOf(payment.sid)), house);
  const isReplaced = (): boolean => log.lines.some(({ message }) => message.startsWith('the job workers ended'));
  await vi.waitFor(() => expect(isReplaced()).toBe(true), { timeout: 10_000, interval: 50 });
  proxy.set('none');
  await vi.waitFor(async () => expect(await told.cents()).toBe(2500n), { timeout: 10_000, interval: 50 });
});
