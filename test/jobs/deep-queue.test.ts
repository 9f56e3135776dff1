import process from 'node:process';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { LANES, WORKERS } from '../../src/jobs/lanes.ts';
import { refuseImpossiblePaces } from '../../src/jobs/pace.ts';
import { startJobs, WORKER_CONNECTIONS } from '../../src/jobs/start.ts';
import { JOBS } from '../../src/jobs/tasks.ts';
import { keepTicking, TICKS } from '../../src/jobs/ticks.ts';
import type { JobName } from '../../src/operations/house.ts';
import { systemPorts } from '../../src/ports/system.ts';
import { openWorkerPool } from '../../src/store/postgres.ts';
import { testHouse } from '../support/house.ts';
import { RecordedLog, testPorts } from '../support/ports.ts';
import { paymentStory, type PaymentStory } from '../support/payment-story.ts';

/** CI asks for a million. */
const DEPTH = Number(process.env['QUEUE_DEPTH'] ?? 20_000);
/** Statements have a time limit here as everywhere. */
const FLOOD_BATCH = 50_000;
const WITHIN_MS = 10_000 + DEPTH / 50;

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** Jobs of one kind about things that are not there, as if they had been added long ago. */
async function flood(told: PaymentStory, name: JobName): Promise<void> {
  const { owner } = told.database;
  await owner.query(
    {
      name: 'test.kind',
      text: 'insert into graphile_worker._private_tasks (identifier) values ($1) on conflict do nothing',
    },
    [name],
  );
  for (let done = 0; done < DEPTH; done += FLOOD_BATCH) {
    await owner.query(
      {
        name: 'test.flood',
        text: `insert into graphile_worker._private_jobs (task_id, payload, run_at, max_attempts)
               select tasks.id, json_build_object('sid', lpad(n::text, 26, '0')), now() - interval '1 hour', 25
               from graphile_worker._private_tasks as tasks, generate_series($2::int4 + 1, $3::int4) as n where identifier = $1`,
      },
      [name, done, Math.min(done + FLOOD_BATCH, DEPTH)],
    );
  }
}

async function waiting(told: PaymentStory, name: JobName): Promise<number> {
  const [row] = await told.database.owner.query<{ count: bigint }>(
    {
      name: 'test.waiting',
      text: `select count(*) as count from graphile_worker._private_jobs as jobs
             join graphile_worker._private_tasks as tasks on tasks.id = jobs.task_id where identifier = $1`,
    },
    [name],
  );
  return Number(row?.count);
}

/** A house in real time, whose queue is deep in one kind of job. */
async function flooded(name: JobName) {
  const told = await paymentStory();
  ends.push(() => told.close());
  const ports = systemPorts({ logLevel: 'silent' });
  const house = testHouse({ db: told.house.db, ports, providers: [told.bank.asProvider(ports)] });
  const payment = await told.paid();
  await flood(told, name);
  const openPool = () => openWorkerPool({ url: told.database.url, ports });
  const jobs = await startJobs(house, { openPool, ticks: [] });
  ends.push(() => jobs.stop());
  return { told, house, payment };
}

describe('H12 a deep queue', () => {
  it(`of corrections holds up no event of a provider (${DEPTH})`, async () => {
    const { told, house, payment } = await flooded('correction.run');
    await told.deliver(told.bank.webhook('checkout.session.completed', told.bank.orderOf(payment.sid)), house);
    const startedMs = performance.now();
    await vi.waitFor(async () => expect(await told.cents()).toBe(2500n), { timeout: WITHIN_MS, interval: 20 });
    console.info(`behind ${DEPTH} corrections an event waited ${Math.round(performance.now() - startedMs)} ms`);
    expect(await waiting(told, 'correction.run')).toBeGreaterThan(DEPTH / 10);
  }, 120_000);

  it(`of events holds up no payment that is looked at (${DEPTH})`, async () => {
    const { told, house, payment } = await flooded('webhook.apply');
    await house.db.transaction('test.enqueue', (tx) => house.jobs.enqueue(tx, 'payment.check', { sid: payment.sid }));
    const startedMs = performance.now();
    await vi.waitFor(async () => expect(await told.cents()).toBe(2500n), { timeout: WITHIN_MS, interval: 20 });
    console.info(`behind ${DEPTH} events a payment waited ${Math.round(performance.now() - startedMs)} ms`);
    expect(await waiting(told, 'webhook.apply')).toBeGreaterThan(DEPTH / 10);
  }, 120_000);

  it('has workers for each kind of job, and connections for all of them', () => {
    expect(LANES.toSorted()).toEqual(Object.keys(JOBS).toSorted());
    expect(Object.values(WORKERS).every((workers) => workers >= 1)).toBe(true);
    const ports = systemPorts({ logLevel: 'silent' });
    const pool = openWorkerPool({ url: 'postgres://nobody@127.0.0.1:1/none', ports });
    expect(pool.options.max).toBeGreaterThanOrEqual(WORKER_CONNECTIONS);
  });
});

describe('H12 schedules', () => {
  const tick = (waitMs: () => number) => ({ name: 'test.tick', waitMs, run: () => Promise.resolve() });

  it('of the house are possible at each minute of a day', () => {
    for (const day of ['2026-01-01T00:00:00Z', '2026-03-29T00:30:00Z', '2028-02-29T23:59:59.999Z'])
      expect(() => refuseImpossiblePaces(TICKS, new Date(day))).not.toThrow();
  });

  it.each([Number.NaN, 0, -1, 0.5, 99, 2 ** 31, Number.POSITIVE_INFINITY])(
    'of %d ms keep a process from starting',
    async (ms) => {
      const house = testHouse({ db: {} as never, ports: testPorts(), providers: [] });
      const openPool = () => {
        throw new Error('nothing is opened');
      };
      await expect(startJobs(house, { openPool, ticks: [tick(() => ms)] })).rejects.toThrow('test.tick cannot come');
    },
  );

  it('that are impossible in one hour only are told of, and come rarely in it', async () => {
    const ports = testPorts();
    const log = new RecordedLog();
    const house = testHouse({ db: {} as never, ports: { ...ports, log }, providers: [] });
    let runs = 0;
    const end = new AbortController();
    const run = () => Promise.resolve((runs += 1));
    const ticking = keepTicking(house, { ...tick(() => Number.NaN), run }, end.signal);
    for (let minute = 0; minute < 10; minute += 1) await ports.clock.advance(60_000);
    expect(runs).toBeGreaterThan(5);
    expect(runs).toBeLessThanOrEqual(10);
    expect(log.lines.at(-1)).toMatchObject({ level: 'error', message: 'a tick has an impossible schedule' });
    end.abort();
    await ticking;
  });
});
