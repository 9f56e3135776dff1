import { afterEach, describe, expect, it, vi } from 'vitest';
import { startJobs, type RunningJobs } from '../../src/jobs/start.ts';
import { checkLedgerNightly, msToNight, TICKS } from '../../src/jobs/ticks.ts';
import type { House } from '../../src/operations/house.ts';
import { systemPorts } from '../../src/ports/system.ts';
import { openWorkerPool } from '../../src/store/postgres.ts';
import { testHouse } from '../support/house.ts';
import { RecordedLog } from '../support/ports.ts';
import { paymentStory, type PaymentStory } from '../support/payment-story.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

interface Worked {
  readonly told: PaymentStory;
  readonly house: House;
  readonly log: RecordedLog;
  readonly jobs: RunningJobs;
}

/** A house in real time, with workers of the real queue. */
async function worked(options: { readonly isWorking?: boolean } = {}): Promise<Worked> {
  const told = await paymentStory();
  ends.push(() => told.close());
  const log = new RecordedLog();
  const ports = systemPorts({ log });
  const house = testHouse({ db: told.house.db, ports, providers: [told.bank.asProvider(ports)] });
  const openPool = () => openWorkerPool({ url: told.database.url, ports });
  const jobs =
    options.isWorking === false ? { stop: () => Promise.resolve() } : await startJobs(house, { openPool, ticks: [] });
  ends.push(() => jobs.stop());
  return { told, house, log, jobs };
}

const pending = (told: PaymentStory) =>
  told.database.owner.query<{ task_identifier: string }>({
    name: 'test.jobs',
    text: 'select task_identifier from graphile_worker.jobs',
  });

describe('the job queue', () => {
  it('applies a delivered webhook by itself, quietly', async () => {
    const { told, house, log } = await worked();
    const payment = await told.paid();
    await told.deliver(told.bank.webhook('checkout.session.completed', told.bank.orderOf(payment.sid)), house);
    await vi.waitFor(async () => expect(await told.cents()).toBe(2500n), { timeout: 10_000, interval: 20 });
    await vi.waitFor(async () => expect(await pending(told)).toEqual([]), { timeout: 5_000, interval: 20 });
    expect(log.lines.filter((line) => line.level === 'info').map((line) => line.message)).toEqual(['payment credited']);
    expect(log.lines.filter((line) => line.level === 'warn' || line.level === 'error')).toEqual([]);
  });

  it('H07 a job is there exactly when its transaction committed, and once however often it was added', async () => {
    const { told, house } = await worked({ isWorking: false });
    const sid = told.ports.ids.sid();
    const rolledBack = house.db.transaction('test.enqueue', async (tx) => {
      await house.jobs.enqueue(tx, 'payment.check', { sid });
      throw new Error('rolled back');
    });
    await expect(rolledBack).rejects.toThrow('rolled back');
    expect(await pending(told)).toEqual([]);
    for (let time = 0; time < 3; time += 1) {
      await house.db.transaction('test.enqueue', (tx) => house.jobs.enqueue(tx, 'payment.check', { sid }));
    }
    expect(await pending(told)).toEqual([{ task_identifier: 'payment.check' }]);
  });

  it('H01 a job for later is due by the clock of the database, however wrong ours is', async () => {
    const { told, house } = await worked({ isWorking: false });
    const sid = told.ports.ids.sid();
    await house.db.transaction('test.enqueue', (tx) =>
      house.jobs.enqueue(tx, 'webhook.apply', { sid }, { delayMs: 90_000 }),
    );
    const [job] = await told.database.owner.query<{ seconds: bigint }>({
      name: 'test.due',
      text: 'select extract(epoch from run_at - created_at)::int8 as seconds from graphile_worker.jobs',
    });
    expect(job).toEqual({ seconds: 90n });
  });

  it('stops within its bound and leaves what was not begun to the next process', async () => {
    const { told, house, jobs } = await worked();
    await jobs.stop();
    const payment = await told.paid();
    await told.deliver(told.bank.webhook('checkout.session.completed', told.bank.orderOf(payment.sid)), house);
    expect(await pending(told)).toEqual([{ task_identifier: 'webhook.apply' }]);
    const openPool = () => openWorkerPool({ url: told.database.url, ports: house.ports });
    const next = await startJobs(house, { openPool, ticks: [] });
    ends.push(() => next.stop());
    await vi.waitFor(async () => expect(await told.cents()).toBe(2500n), { timeout: 10_000, interval: 20 });
  });

  it('B13 an event that failed is tried again by the queue itself, after its back-off', async () => {
    const { told, house } = await worked();
    const payment = await told.paid();
    told.bank.fault = 'broken';
    await told.deliver(told.bank.webhook('checkout.session.completed', told.bank.orderOf(payment.sid)), house);
    await vi.waitFor(async () => expect(await told.inbox()).toMatchObject([{ state: 'pending', attempts: 1 }]), 5_000);
    told.bank.fault = 'none';
    await vi.waitFor(async () => expect(await told.cents()).toBe(2500n), { timeout: 10_000, interval: 50 });
    expect(await told.inbox()).toMatchObject([{ state: 'applied', attempts: 2 }]);
  });

  it('takes up its work again after the database threw all connections away', async () => {
    const { told, house } = await worked();
    const payment = await told.paid();
    await told.database.owner.query({
      name: 'test.terminate',
      text: 'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    });
    const webhook = told.bank.webhook('checkout.session.completed', told.bank.orderOf(payment.sid));
    // Our pool may still hold a dead connection: then the provider hears 5xx, and delivers again.
    await vi.waitFor(async () => expect(await told.deliver(webhook, house)).toMatchObject({ status: 200 }));
    await vi.waitFor(async () => expect(await told.cents()).toBe(2500n), { timeout: 15_000, interval: 50 });
  });
});

describe('what runs by the clock', () => {
  it('each tick runs, survives its own failure and comes again', async () => {
    const told = await paymentStory();
    ends.push(() => told.close());
    const openPool = () => openWorkerPool({ url: told.database.url, ports: systemPorts({ logLevel: 'silent' }) });
    let runs = 0;
    const faulty = {
      name: 'test.tick',
      waitMs: () => 1_000,
      run: () => {
        runs += 1;
        return runs === 1 ? Promise.reject(new Error('the first time fails')) : Promise.resolve();
      },
    };
    const jobs = await startJobs(told.house, { openPool, ticks: [faulty] });
    await vi.waitFor(async () => {
      await told.ports.clock.advance(1_000);
      expect(runs).toBeGreaterThanOrEqual(3);
    });
    expect(told.ports.log.lines.filter((line) => line.message === 'a tick failed and will come again')).toHaveLength(1);
    await jobs.stop();
    const after = runs;
    await told.ports.clock.advance(10_000);
    expect(runs).toBe(after);
  });

  it('every tick of the house runs on an empty database', async () => {
    const told = await paymentStory();
    ends.push(() => told.close());
    for (const tick of TICKS) {
      await tick.run(told.house);
      expect(tick.waitMs(told.ports.clock.now())).toBeGreaterThan(0);
    }
    expect(told.ports.log.lines.filter((line) => line.level === 'warn' || line.level === 'error')).toEqual([]);
  });

  it('the nightly check says so when the ledger is not sound', async () => {
    const told = await paymentStory();
    ends.push(() => told.close({ isBroken: true }));
    await told.database.owner.query({ name: 'test.break', text: 'update account set balance = balance + 1' });
    await checkLedgerNightly(told.house);
    expect(told.ports.log.lines.at(-1)).toMatchObject({ level: 'error' });
  });

  it('the night comes at 03:00 UTC', () => {
    const wait = (at: string): number => msToNight(new Date(at)) / 3_600_000;
    expect(wait('2026-03-01T02:00:00Z')).toBe(1);
    expect(wait('2026-03-01T03:00:00Z')).toBe(24);
    expect(wait('2026-03-01T04:30:00Z')).toBe(22.5);
  });
});
