import { inject } from 'vitest';
import type { Ports } from '../../src/ports/ports.ts';
import { systemClock, systemPorts } from '../../src/ports/system.ts';
import { openDatabase, openSession } from '../../src/store/postgres.ts';
import type { Database, DatabaseOptions, Session } from '../../src/store/postgres.ts';

export interface TestDatabase {
  /** As the application: over its role. */
  readonly db: Database;
  /** As the owner: may do anything that the guards in the database itself let it. */
  readonly owner: Database;
  /** The owner's address of this database, as DATABASE_URL would hold it. */
  readonly url: string;
  /** One more pool of its own on this database, as another process would have. Closed with it. */
  open(options?: Partial<DatabaseOptions>): Database;
  /** Closes all pools and removes the database. */
  close(): Promise<void>;
}

export interface TestDatabaseOptions {
  /** Crash points and random of these are used; retries always sleep by the real clock. */
  readonly ports?: Ports;
  /** An empty database instead of a migrated one. */
  readonly isEmpty?: boolean;
  /** Another database as it stands, as a dump of it would be. Its connections are ended: the pools open new ones. */
  readonly copyOf?: TestDatabase;
}

let made = 0;

/** A migrated database of one's own, in about 30 ms. Call it as often as needed, and `close` it. */
export async function testDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const name = `test_${process.pid}_${(made += 1)}`;
  await asMaintainer(`create database ${name} template ${await templateOf(options)}`);
  const address = new URL(inject('postgresUrl'));
  address.pathname = `/${name}`;
  const url = address.href;
  const ports = { ...(options.ports ?? systemPorts({ logLevel: 'silent' })), clock: systemClock };
  const pools: Database[] = [];
  const open = (more: Partial<DatabaseOptions> = {}): Database => {
    const pool = openDatabase({ url, ports, ...more });
    pools.push(pool);
    return pool;
  };
  const quiet = systemPorts({ logLevel: 'silent' });
  return {
    db: open(),
    owner: open({ role: null, poolMax: 2, ports: quiet }),
    url,
    open,
    close: async () => {
      await Promise.all(pools.map((pool) => pool.close()));
      await asMaintainer(`drop database ${name} with (force)`);
    },
  };
}

async function templateOf({ isEmpty, copyOf }: TestDatabaseOptions): Promise<string> {
  if (!copyOf) return isEmpty === true ? 'template0' : 'hero_template';
  const name = new URL(copyOf.url).pathname.slice(1);
  // Nobody may be connected to what is copied.
  await asMaintainer(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`);
  return name;
}

let maintainer: Promise<Session> | null = null;

/** Over one session for all of this process, which ends with it: the first database that a session makes takes 80 ms, the next 20. */
async function asMaintainer(command: string): Promise<void> {
  const ports = systemPorts({ logLevel: 'silent' });
  maintainer ??= openSession({ url: inject('postgresUrl'), ports, role: null });
  await (await maintainer).query(command);
}
