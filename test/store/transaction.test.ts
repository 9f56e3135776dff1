import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Ports } from '../../src/ports/ports.ts';
import { systemClock, systemPorts } from '../../src/ports/system.ts';
import { DatabaseUnavailable } from '../../src/store/database-unavailable.ts';
import { statement } from '../../src/store/db.ts';
import type { Tx } from '../../src/store/db.ts';
import { testDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';
import { faultProxy } from '../support/fault-proxy.ts';
import { Crash, ScriptedCrash } from '../support/ports.ts';

const ADD = statement('work.add', 'insert into work (id) values ($1) on conflict do nothing returning id');
const STEP = statement('work.step', 'select fail_while_told($1)');
const COUNT = statement('work.count', 'select count(*)::int as n from work');

let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
  await makeFaults();
});
afterAll(() => database.close());

/** `fail_while_told(place)` raises the told error at the told place, as often as told; a sequence is not rolled back. */
async function makeFaults(): Promise<void> {
  for (const [index, text] of [
    'create table work (id text primary key)',
    'grant all on work to hero_onboarding_app',
    'create table fault (code text, place text, times int)',
    'grant select on fault to hero_onboarding_app',
    'create sequence fault_count',
    'grant all on sequence fault_count to hero_onboarding_app',
    `create function fail_while_told(at text) returns void language plpgsql as $$
     declare told fault;
     begin
       select * into told from fault where place = at;
       if found and nextval('fault_count') <= told.times then
         raise exception 'told to fail' using errcode = told.code;
       end if;
     end $$`,
    `create function fail_at_commit() returns trigger language plpgsql as $$
     begin perform fail_while_told('commit'); return null; end $$`,
    `create constraint trigger work__fails_at_commit after insert on work
     deferrable initially deferred for each row execute function fail_at_commit()`,
  ].entries()) {
    await database.owner.query(statement(`test.setup-${index}`, text));
  }
}

async function tell(code: string, place: string, times: number): Promise<void> {
  await database.owner.query(statement('test.forget', 'delete from fault'));
  await database.owner.query(statement('test.tell', 'insert into fault values ($1, $2, $3)'), [code, place, times]);
  await database.owner.query(statement('test.rewind', `select setval('fault_count', 1, false)`));
}

beforeEach(async () => {
  await database.owner.query(statement('test.no-fault', 'delete from fault'));
  await database.owner.query(statement('test.no-work', 'delete from work'));
});

const countWork = async (): Promise<unknown> => (await database.owner.query(COUNT))[0]?.['n'];

/** Real, but for waits between attempts, which take no time. */
const hasty: Ports = {
  ...systemPorts({ logLevel: 'silent' }),
  clock: { ...systemClock, sleep: () => Promise.resolve() },
};

describe('G05 an error of the server in a transaction', () => {
  const conflicts = ['40001', '40P01', '55P03', '57014'];
  const losses = ['57P01', '53300', '53100', '08006', '08000', '25006'];
  const places = ['first', 'middle', 'last', 'commit'];
  const cases = [...conflicts, ...losses].flatMap((code) => places.map((place) => [code, place] as const));

  const threeSteps = async (tx: Tx): Promise<void> => {
    await tx.query(STEP, ['first']);
    await tx.query(ADD, ['a']);
    await tx.query(STEP, ['middle']);
    await tx.query(ADD, ['b']);
    await tx.query(STEP, ['last']);
  };

  it.each(cases)('%s at the %s statement: the whole transaction runs again and happens once', async (code, place) => {
    const db = database.open({ ports: hasty });
    await tell(code, place, 2);
    let runs = 0;
    await db.transaction('test', async (tx) => {
      runs += 1;
      await threeSteps(tx);
    });
    // Both rows fire the trigger at commit, but the first one ends it.
    expect(runs).toBe(3);
    expect(await countWork()).toBe(2);
    await db.close();
  });

  it.each(cases)('%s always at the %s statement: after five runs it is unavailable', async (code, place) => {
    const db = database.open({ ports: hasty });
    await tell(code, place, 1_000);
    let runs = 0;
    const failed = db.transaction('test', async (tx) => {
      runs += 1;
      await threeSteps(tx);
    });
    const isUnknown = place === 'commit' && losses.includes(code);
    await expect(failed).rejects.toMatchObject({
      name: 'DatabaseUnavailable',
      outcome: isUnknown ? 'unknown' : 'not_done',
    });
    expect(runs).toBe(5);
    expect(await countWork()).toBe(0);
    await db.close();
  });

  it('a duplicate of a key declared retriable runs the body again; of another key it is thrown', async () => {
    const db = database.open({ ports: hasty, retriableKeys: ['work_pkey'] });
    const insert = statement('work.insert', 'insert into work (id) values ($1)');
    await db.query(insert, ['a']);
    let runs = 0;
    const answer = await db.transaction('test', async (tx) => {
      runs += 1;
      if (runs === 1) await tx.query(insert, ['a']);
      return 'found';
    });
    expect(answer).toBe('found');
    const plain = database.db.transaction('test', (tx) => tx.query(insert, ['a']));
    await expect(plain).rejects.toMatchObject({ code: '23505' });
    await db.close();
  });

  it('no new run begins after the time to retry in is over', async () => {
    const db = database.open({ limits: { retryWithinMs: 0 } });
    await tell('40001', 'first', 1_000);
    let runs = 0;
    const failed = db.transaction('test', async (tx) => {
      runs += 1;
      await threeSteps(tx);
    });
    await expect(failed).rejects.toBeInstanceOf(DatabaseUnavailable);
    expect(runs).toBeLessThan(5);
    await db.close();
  });

  it('two transactions that deadlock both happen', async () => {
    await database.db.query(ADD, ['x']);
    await database.db.query(ADD, ['y']);
    const touch = statement('work.lock', 'select id from work where id = $1 for update');
    let arrived = 0;
    const both = Promise.withResolvers<void>();
    const lockBoth = (first: string, second: string): Promise<void> =>
      database.db.transaction('test', async (tx) => {
        await tx.query(touch, [first]);
        arrived += 1;
        if (arrived === 2) both.resolve();
        await both.promise;
        await tx.query(touch, [second]);
      });
    await Promise.all([lockBoth('x', 'y'), lockBoth('y', 'x')]);
    expect(arrived).toBe(3);
  });
});

describe('G03 a commit without an answer', () => {
  const addOnce =
    (runs: string[]) =>
    async (tx: Tx): Promise<string> => {
      const rows = await tx.query(ADD, ['work']);
      runs.push(rows.length === 1 ? 'did it' : 'found it done');
      return 'done';
    };

  it('that the server had carried out: the body runs again and finds its work', async () => {
    const proxy = await faultProxy(database.url);
    const db = database.open({ url: proxy.url });
    const runs: string[] = [];
    proxy.set('lose_answer_of_commit');
    expect(await db.transaction('test', addOnce(runs))).toBe('done');
    expect(runs).toEqual(['did it', 'found it done']);
    expect(await countWork()).toBe(1);
    await db.close();
    await proxy.close();
  });

  it('that never reached the server: the body runs again and does its work', async () => {
    const proxy = await faultProxy(database.url);
    const db = database.open({ url: proxy.url });
    const runs: string[] = [];
    proxy.set('lose_commit');
    expect(await db.transaction('test', addOnce(runs))).toBe('done');
    expect(runs).toEqual(['did it', 'did it']);
    expect(await countWork()).toBe(1);
    await db.close();
    await proxy.close();
  });

  it('and a database that stays away: the outcome is said to be unknown, not refused', async () => {
    const proxy = await faultProxy(database.url);
    const crash = new ScriptedCrash();
    const db = database.open({ url: proxy.url, ports: { ...hasty, crash } });
    crash.on((label) => {
      if (label === 'commit:before:test') proxy.set('lose_answer_of_commit');
    });
    const failed = db.transaction('test', async (tx) => {
      await tx.query(ADD, ['work']);
      if (crash.reached.includes('commit:before:test')) proxy.set('reset');
    });
    await expect(failed).rejects.toMatchObject({ name: 'DatabaseUnavailable', outcome: 'unknown' });
    expect(await countWork()).toBe(1);
    await db.close();
    await proxy.close();
  });
});

describe('a transaction', () => {
  it('is rolled back and throws what its body threw, without another run', async () => {
    let runs = 0;
    const failed = database.db.transaction('test', async (tx) => {
      runs += 1;
      await tx.query(ADD, ['a']);
      throw new Error('no');
    });
    await expect(failed).rejects.toThrow('no');
    expect([runs, await countWork()]).toEqual([1, 0]);
  });

  it('whose body swallowed a failed statement does not pass for committed', async () => {
    const failed = database.db.transaction('test', async (tx) => {
      await tx.query(ADD, ['a']);
      await tx.query(statement('test.wrong', 'select 1 / 0')).catch(() => undefined);
    });
    await expect(failed).rejects.toMatchObject({ code: '22012' });
    expect(await countWork()).toBe(0);
  });

  it('that has ended takes no more statements', async () => {
    let late: Tx | null = null;
    await database.db.transaction('test', async (tx) => {
      late = tx;
      await tx.query(COUNT);
    });
    await expect((late as Tx | null)?.query(COUNT)).rejects.toThrow('after transaction test had ended');
  });

  it('waits for statements that its body did not wait for', async () => {
    await database.db.transaction('test', async (tx) => {
      void tx.query(ADD, ['a']);
      void tx.query(ADD, ['b']);
    });
    expect(await countWork()).toBe(2);
  });

  it('G06 cannot take a second connection inside: that is how a pool deadlocks', async () => {
    const nested = database.db.transaction('outer', async () => {
      await database.db.query(COUNT);
    });
    await expect(nested).rejects.toThrow('inside transaction outer');
    const twice = database.db.transaction('outer', () => database.db.transaction('inner', async () => undefined));
    await expect(twice).rejects.toThrow('inside transaction outer');
    const reserved = database.db.transaction('outer', () => database.db.reserved.query(COUNT));
    await expect(reserved).rejects.toThrow('inside transaction outer');
  });

  it('carries int8 as bigint, both ways and in arrays', async () => {
    const both = statement('test.int8', 'select $1::int8 as one, $2::int8[] as many, $3::int8 as none');
    const values = [9_223_372_036_854_775_807n, [-9_223_372_036_854_775_808n, 0n, null], null];
    const [row] = await database.db.query(both, values);
    expect(row).toEqual({ one: values[0], many: values[1], none: null });
  });
});

describe('a crash point', () => {
  it('is reached around each statement and around the commit', async () => {
    const crash = new ScriptedCrash();
    const db = database.open({ ports: { ...hasty, crash } });
    await db.transaction('test', (tx) => tx.query(ADD, ['a']));
    expect(crash.reached).toEqual([
      'sql:before:work.add',
      'sql:after:work.add',
      'commit:before:test',
      'commit:after:test',
    ]);
    await db.close();
  });

  it('that throws ends everything there, like a dead process', async () => {
    const crash = new ScriptedCrash();
    const db = database.open({ ports: { ...hasty, crash } });
    const outcomes: unknown[] = [];
    for (const survived of [0, 1, 2, 3, 4]) {
      crash.dieAfter(survived);
      const ended = await db
        .transaction('test', (tx) => tx.query(ADD, [`${survived}`]))
        .catch((error: unknown) => error);
      outcomes.push([ended instanceof Crash, await countWork()]);
    }
    // Only a crash after the commit leaves the work behind; the last run was not crashed.
    expect(outcomes).toEqual([
      [true, 0],
      [true, 0],
      [true, 0],
      [true, 1],
      [false, 2],
    ]);
    await db.close();
  });
});
