import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock, systemPorts } from '../../src/ports/system.ts';
import { DatabaseUnavailable } from '../../src/store/database-unavailable.ts';
import { statement } from '../../src/store/db.ts';
import { openDatabase, openWorkerPool } from '../../src/store/postgres.ts';
import type { Database } from '../../src/store/postgres.ts';
import { testDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';
import { faultProxy } from '../support/fault-proxy.ts';
import { RecordedLog } from '../support/ports.ts';

const ONE = statement('test.one', 'select 1 as one');
const PID = statement('test.pid', 'select pg_backend_pid() as pid');
const KILL = statement('test.kill', 'select pg_terminate_backend($1)');
const IS_THERE = statement('test.is-there', 'select 1 from pg_stat_activity where pid = $1');
const SLOW = statement('test.slow', 'select pg_sleep($1)');

let database: TestDatabase;
const opened: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

function open(options: Parameters<TestDatabase['open']>[0]): Database {
  const db = database.open(options);
  opened.push(db);
  return db;
}

async function timed<T>(work: Promise<T>): Promise<{ readonly ms: number; readonly error: unknown }> {
  const started = performance.now();
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return { ms: performance.now() - started, error };
}

async function untilGone(pid: unknown): Promise<void> {
  while ((await database.owner.query(IS_THERE, [pid])).length > 0);
}

describe('G06 a pool that is exhausted', () => {
  it('turns 1,000 requests away within 2 s, keeps a bounded queue, and its reserved connections still answer', async () => {
    const db = open({ poolMax: 4, waitingMax: 50 });
    const release = Promise.withResolvers<void>();
    const holders = Array.from({ length: 4 }, () => db.transaction('hold', () => release.promise));
    const requests = Array.from({ length: 1_000 }, () => timed(db.query(ONE)));
    // Requests ask on the same tick: all have asked when the first 950 have been turned away.
    await requests[999];
    expect(db.connections().waiting).toBe(50);
    const webhook = await timed(db.reserved.transaction('webhook', (tx) => tx.query(ONE)));
    expect(webhook).toMatchObject({ error: null });
    expect(webhook.ms).toBeLessThan(1_000);
    const answers = await Promise.all(requests);
    for (const { ms, error } of answers) {
      expect(error).toBeInstanceOf(DatabaseUnavailable);
      expect(ms).toBeLessThan(2_000);
    }
    release.resolve();
    await Promise.all(holders);
    expect(await db.query(ONE)).toEqual([{ one: 1 }]);
  });
});

describe('G07 a transaction that sits idle', () => {
  it('is ended by the server, and runs again', async () => {
    const db = open({ limits: { idleInTransactionMs: 100 } });
    let runs = 0;
    const answer = await db.transaction('test', async (tx) => {
      runs += 1;
      const [row] = await tx.query(PID);
      if (runs === 1) await untilGone(row?.['pid']);
      return await tx.query(ONE);
    });
    expect([runs, answer]).toEqual([2, [{ one: 1 }]]);
  });

  it('G05 whose session an administrator ends (57P01) runs again', async () => {
    const db = open({});
    let runs = 0;
    await db.transaction('test', async (tx) => {
      runs += 1;
      const [row] = await tx.query(PID);
      if (runs === 1) await database.owner.query(KILL, [row?.['pid']]);
      await tx.query(ONE);
    });
    expect(runs).toBe(2);
  });

  it('G05 a statement that takes too long is ended by the server, and said to be unavailable', async () => {
    const db = open({ limits: { statementMs: 100, retryWithinMs: 150 } });
    const slow = db.transaction('test', (tx) => tx.query(SLOW, [30]));
    await expect(slow).rejects.toMatchObject({ name: 'DatabaseUnavailable', outcome: 'not_done' });
    await expect(db.query(SLOW, [30])).rejects.toBeInstanceOf(DatabaseUnavailable);
  });

  it('G05 a row that stays locked is waited for no longer than the limit, and said to be unavailable', async () => {
    const db = open({ limits: { lockMs: 100, retryWithinMs: 150 } });
    const lock = statement('test.lock-table', 'lock table hold in access exclusive mode');
    await database.owner.transaction('test', async (tx) => {
      await tx.query(lock);
      const blocked = db.transaction('test', (other) => other.query(statement('test.read', 'select 1 from hold')));
      await expect(blocked).rejects.toBeInstanceOf(DatabaseUnavailable);
    });
  });
});

describe('G04 a database that is away', () => {
  it('at the start is no error; a request is told so within 2 s, and is answered once it is there', async () => {
    const proxy = await faultProxy(database.url);
    opened.push(proxy);
    proxy.set('reset');
    const db = open({ url: proxy.url });
    const refused = await timed(db.query(ONE));
    expect(refused.error).toBeInstanceOf(DatabaseUnavailable);
    expect(refused.ms).toBeLessThan(2_000);
    expect((await timed(db.transaction('test', (tx) => tx.query(ONE)))).error).toBeInstanceOf(DatabaseUnavailable);
    proxy.set('none');
    expect(await db.query(ONE)).toEqual([{ one: 1 }]);
  });

  it('without a socket or a port to ask is unavailable at once', async () => {
    const ports = systemPorts({ logLevel: 'silent' });
    for (const url of [
      'postgresql://nobody@127.0.0.1:1/none',
      'postgresql://nobody@localhost/none?host=%2Fno%2Fsuch%2Ffolder',
      'postgresql://nobody@no-such-host.invalid/none',
    ]) {
      const db = openDatabase({ url, ports });
      await expect(db.query(ONE)).rejects.toBeInstanceOf(DatabaseUnavailable);
      await db.close();
    }
  });

  it('G16 whose packets vanish costs a request no more than its limits', async () => {
    const proxy = await faultProxy(database.url);
    opened.push(proxy);
    const db = open({ url: proxy.url, limits: { answerMs: 300, connectMs: 300, retryWithinMs: 0 } });
    await db.query(ONE);
    proxy.set('swallow');
    const swallowed = await timed(db.query(ONE));
    expect(swallowed.error).toMatchObject({ name: 'DatabaseUnavailable', outcome: 'unknown' });
    const again = await timed(db.query(ONE));
    expect(again.error).toMatchObject({ name: 'DatabaseUnavailable', outcome: 'not_done' });
    expect(swallowed.ms + again.ms).toBeLessThan(2_000);
  });

  it('G05 that has no connection left for us (53300) is unavailable', async () => {
    await database.owner.query(
      statement('test.crowd', 'create role crowded login connection limit 0 in role hero_onboarding_app'),
    );
    const url = new URL(database.url);
    url.username = 'crowded';
    const db = open({ url: url.href });
    await expect(db.query(ONE)).rejects.toBeInstanceOf(DatabaseUnavailable);
    await database.owner.query(statement('test.uncrowd', 'drop role crowded'));
  });

  it('loses idle connections without ending the process: they are logged and replaced', async () => {
    const log = new RecordedLog();
    const db = open({ ports: { ...systemPorts(), log } });
    const [row] = await db.query(PID);
    await database.owner.query(KILL, [row?.['pid']]);
    const isLogged = (): boolean => log.lines.some(({ message }) => message === 'a database connection was lost');
    while (!isLogged()) await systemClock.sleep(1);
    expect((await db.query(PID))[0]?.['pid']).not.toBe(row?.['pid']);
  });
});

describe('closing', () => {
  it('waits for what is under way, refuses what comes after, and leaves no connection', async () => {
    const db = open({});
    const [row] = await db.query(PID);
    const underWay = db.transaction('test', (tx) => tx.query(SLOW, [0.2]));
    const closed = db.close();
    await expect(underWay).resolves.toHaveLength(1);
    await closed;
    await expect(db.query(ONE)).rejects.toBeInstanceOf(DatabaseUnavailable);
    await untilGone(row?.['pid']);
  });

  it('the pool of the job runner runs as the application and keeps the types of the driver', async () => {
    const pool = openWorkerPool({ url: database.url, ports: systemPorts({ logLevel: 'silent' }) });
    const { rows } = await pool.query('select current_user as role, 1::int8 as id');
    expect(rows).toEqual([{ role: 'hero_onboarding_app', id: '1' }]);
    await pool.end();
  });
});
