import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { runChecks } from '../../src/prod-check/command.ts';
import { systemLog, systemPorts } from '../../src/ports/system.ts';
import { openStore } from '../../src/serve/store.ts';
import { pingDatabase } from '../../src/store/ping.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';

const ports = systemPorts({ log: systemLog('silent') });
const LOGIN = `test_login_${process.pid}`;
const run = (database: TestDatabase, text: string) => database.owner.query({ name: `test.${text.slice(0, 20)}`, text });

/** The database as production has it: one user owns the tables, another one serves requests. */
describe('a database with an owner and a separate user for requests', () => {
  let database: TestDatabase;
  let requestUrl: string;
  beforeAll(async () => {
    database = await testDatabase({ isEmpty: true });
    await run(database, `create role ${LOGIN} login`);
    const url = new URL(database.url);
    url.username = LOGIN;
    requestUrl = url.href;
  });
  afterAll(async () => {
    await run(database, `drop owned by ${LOGIN}`);
    await run(database, `drop role ${LOGIN}`);
    await database.close();
  });
  const configOf = (migrationUrl: string | null) => ({
    ...readConfig({ DATABASE_URL: requestUrl }),
    migrationDatabaseUrl: migrationUrl,
  });

  it('without the owner’s address an empty database cannot be used, and the start says so', async () => {
    await expect(openStore(configOf(null), ports)).rejects.toThrow(/hero_onboarding_app|permission denied/);
  });

  it('with it the schema is made by the owner, and requests run as the application’s role', async () => {
    await run(
      database,
      `do $$ begin create role hero_onboarding_app nologin; exception when duplicate_object then null; end $$`,
    );
    await run(database, `grant hero_onboarding_app to ${LOGIN}`);
    const store = await openStore(configOf(database.url), ports);
    const [row] = await store.db.query<{ session: string; present: string }>({
      name: 'test.who',
      text: 'select session_user::text as session, current_user::text as present',
    });
    expect(row).toEqual({ session: LOGIN, present: 'hero_onboarding_app' });
    await store.close();
  });

  it('an up-to-date schema needs no owner: a later start makes do without', async () => {
    const store = await openStore(configOf(null), ports);
    await pingDatabase(store.db.reserved);
    await store.close();
  });

  it('L11 check 17 has nothing to say about it', async () => {
    const results = await runChecks({ DATABASE_URL: requestUrl }, ports);
    expect(results.find(({ id }) => id === 17)?.findings).toEqual([]);
  });
});

it('a database that does not exist, or a refused user, is a sentence and not a stack', async () => {
  const database = await testDatabase({ isEmpty: true });
  const url = new URL(database.url);
  url.pathname = '/no_such_database';
  await expect(openStore(readConfig({ DATABASE_URL: url.href }), ports)).rejects.toThrow(
    'The database that DATABASE_URL names does not exist.',
  );
  url.username = 'no_such_user';
  await expect(openStore(readConfig({ DATABASE_URL: url.href }), ports)).rejects.toThrow(
    'PostgreSQL refused the user or the password of DATABASE_URL.',
  );
  await database.close();
});
