import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemPorts } from '../../src/ports/system.ts';
import { statement } from '../../src/store/db.ts';
import type { EmbeddedDatabase } from '../../src/store/embedded/embedded.ts';
import { migrate, MIGRATIONS_FOLDER, missingMigrations, SchemaMismatch } from '../../src/store/migrate.ts';
import { openDatabase, openSession } from '../../src/store/postgres.ts';
import { CRASH_EVERY } from '../support/crash-every.ts';
import { clusterFolder, removeCluster, startTestCluster } from '../support/cluster.ts';
import { testDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';
import { startProcess } from './server-process.ts';

const ports = systemPorts({ logLevel: 'silent' });
const NAMES = readdirSync(MIGRATIONS_FOLDER)
  .filter((name) => name.endsWith('.sql'))
  .toSorted();
const APPLIED = statement('test.applied', 'select name from schema_migration order by name');
const RELATIONS = statement(
  'test.relations',
  `select count(*)::int as n from pg_class where relnamespace = 'public'::regnamespace`,
);

let database: TestDatabase;
let folder: string;

beforeEach(async () => {
  database = await testDatabase({ isEmpty: true });
  folder = mkdtempSync(path.join(tmpdir(), 'migrations-'));
  cpSync(MIGRATIONS_FOLDER, folder, { recursive: true });
});
afterEach(async () => {
  rmSync(folder, { recursive: true });
  await database.close();
});

const applied = async (): Promise<unknown[]> => (await database.owner.query(APPLIED)).map((row) => row['name']);

describe('migrations', () => {
  it('are applied in order, once, and the second start changes nothing', async () => {
    expect(await migrate({ url: database.url, ports })).toEqual(NAMES);
    expect(await migrate({ url: database.url, ports })).toEqual([]);
    expect(await applied()).toEqual(NAMES);
    const query = (text: string): Promise<Record<string, unknown>[]> =>
      database.db.query(statement('test.missing', text));
    expect(await missingMigrations(query)).toEqual([]);
  });

  it('by four servers at once are applied once', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => migrate({ url: database.url, ports })));
    expect(all.map((names) => names.length).toSorted((a, b) => a - b)).toEqual([0, 0, 0, NAMES.length]);
    expect(await applied()).toEqual(NAMES);
  });

  it('leave nothing to do once the last of ours is there, though the process was killed right after it', async () => {
    const last = `migration:after-commit:${NAMES.at(-1)}`;
    const reach = (label: string): Promise<void> =>
      label === last ? Promise.reject(new Error('killed')) : Promise.resolve();
    await expect(migrate({ url: database.url, ports: { ...ports, crash: { reach } } })).rejects.toThrow('killed');
    // All that a server looks at which may not migrate, and what it does next.
    expect(await missingMigrations((text) => database.db.query(statement('test.missing', text)))).toEqual([]);
    expect(await database.db.query(statement('test.jobs', 'select 1 from graphile_worker.jobs'))).toEqual([]);
  });

  it('that are new are applied to what is there', async () => {
    await migrate({ url: database.url, ports });
    const next = `${String(NAMES.length + 1).padStart(4, '0')}-next.sql`;
    writeFileSync(path.join(folder, next), 'create table next (id int);');
    expect(await migrate({ url: database.url, ports, folder })).toEqual([next]);
  });

  it('changed after they were applied are refused', async () => {
    await migrate({ url: database.url, ports });
    writeFileSync(path.join(folder, NAMES[0] ?? ''), 'select 1;');
    const refused = migrate({ url: database.url, ports, folder });
    await expect(refused).rejects.toThrow(`The migration ${NAMES[0]} was changed after it was applied`);
    await expect(refused).rejects.toBeInstanceOf(SchemaMismatch);
  });

  it('G19 of a newer version than ours are refused, and nothing is changed', async () => {
    await migrate({ url: database.url, ports });
    const last = NAMES.at(-1) ?? '';
    rmSync(path.join(folder, last));
    const refused = migrate({ url: database.url, ports, folder });
    await expect(refused).rejects.toThrow(`the migration ${last}, which this program does not know`);
    expect(await applied()).toEqual(NAMES);
  });

  it('with a gap or a wrong name are refused before anything is done', async () => {
    rmSync(path.join(folder, NAMES[1] ?? ''));
    await expect(migrate({ url: database.url, ports, folder })).rejects.toThrow('not the number 2');
    expect((await database.owner.query(RELATIONS))[0]).toEqual({ n: 0 });
  });

  it('that fail leave nothing of themselves behind, and keep what came before', async () => {
    const bad = `${String(NAMES.length + 1).padStart(4, '0')}-bad.sql`;
    writeFileSync(path.join(folder, bad), 'create table half (id int); select 1 / 0;');
    await expect(migrate({ url: database.url, ports, folder })).rejects.toMatchObject({ code: '22012' });
    expect(await applied()).toEqual(NAMES);
    const half = await database.owner.query(statement('test.half', `select to_regclass('half') as half`));
    expect(half).toEqual([{ half: null }]);
  });

  it('G01 killed half-way go on where they were, whatever the place', async () => {
    // A process takes its time: each place in half of the migrations in CI, and in one in fourteen of them in `npm test`.
    for (let index = 0; index < NAMES.length; index += CRASH_EVERY) {
      const place = index % 2 === 0 ? 'before' : 'after';
      const label = `migration:${place}-commit:${NAMES[index]}`;
      const killed = await startProcess('migrate-process.ts', { url: database.url, crashAt: { label, count: 1 } });
      expect(await killed.ended).toEqual({ code: null });
      expect(await applied()).toEqual(NAMES.slice(0, place === 'before' ? index : index + 1));
    }
    await migrate({ url: database.url, ports });
    expect(await applied()).toEqual(NAMES);
  }, 120_000);
});

describe('migrations on a cluster that has not seen us', () => {
  let cluster: EmbeddedDatabase | null = null;
  const clusterAt = clusterFolder('migrate');
  afterAll(async () => {
    await cluster?.stop();
    removeCluster(clusterAt);
  });

  it('of two databases at once make the one role between them, also for an owner who is no superuser', async () => {
    cluster = await startTestCluster(clusterAt);
    const owner = await openSession({ url: cluster.url, ports, role: null });
    await owner.query('create role renter login createrole nosuperuser');
    const urls: string[] = [];
    for (const name of ['first', 'second', 'third']) {
      await owner.query(`create database ${name} owner renter`);
      const url = new URL(cluster.url);
      url.pathname = `/${name}`;
      if (name !== 'third') url.username = 'renter';
      urls.push(url.href);
    }
    await owner.close();
    await Promise.all(urls.slice(0, 2).map((url) => migrate({ url, ports })));
    await Promise.all(urls.map((url) => migrate({ url, ports })));
    for (const url of urls) {
      const db = openDatabase({ url, ports });
      const rows = await db.query(statement('test.add-job', `select id from graphile_worker.add_job('nothing', '{}')`));
      expect(rows).toHaveLength(1);
      await db.close();
    }
  });
});
