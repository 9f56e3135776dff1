import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkLedger } from '../../src/store/ledger-check.ts';
import { statement } from '../../src/store/db.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';

const LOCK = statement('test.lock', 'lock table entry in access exclusive mode');
const SLEEP = statement('test.sleep', 'select pg_sleep($1)');
const WAITING = statement(
  'test.waiting',
  `select 1 from pg_locks where relation = 'entry'::regclass and not granted limit 1`,
);

/** What a request may wait for; the check of a ledger of years takes minutes. */
const LIMITS = { statementMs: 150, answerMs: 250 };
const HELD_SECONDS = 0.8;

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

it('a ledger check that takes longer than any request may still answers', async () => {
  const db = database.open({ limits: LIMITS });
  const locked = Promise.withResolvers<void>();
  const holder = database.owner.transaction('test.hold', async (tx) => {
    await tx.query(LOCK);
    locked.resolve();
    await tx.query(SLEEP, [HELD_SECONDS]);
  });
  await locked.promise;
  const report = checkLedger(db);
  while ((await database.owner.query(WAITING)).length === 0);
  expect((await report).isSound).toBe(true);
  await holder;
});

it('every other statement keeps the limits of its pool', async () => {
  const db = database.open({ limits: LIMITS });
  await expect(db.query(SLEEP, [HELD_SECONDS])).rejects.toThrow('test.sleep failed');
});
