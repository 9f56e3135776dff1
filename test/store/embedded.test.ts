import { chmodSync, chownSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemPorts } from '../../src/ports/system.ts';
import { isOpenToAll } from '../../src/store/embedded/binaries.ts';
import { startEmbedded } from '../../src/store/embedded/embedded.ts';
import type { EmbeddedDatabase, EmbeddedOptions } from '../../src/store/embedded/embedded.ts';
import { FolderInUse } from '../../src/store/embedded/folder-lock.ts';
import { isAlive } from '../../src/store/embedded/processes.ts';
import { openSession } from '../../src/store/postgres.ts';
import { chosenServer, clusterFolder, removeCluster } from '../support/cluster.ts';
import { startProcess } from './server-process.ts';
import type { ServerProcess } from './server-process.ts';

const ports = systemPorts({ logLevel: 'silent' });
const isRoot = process.getuid?.() === 0;
const NOBODY = { uid: 65_534, gid: 65_534 };
const PROGRAM = 'embedded-process.ts';

let folder: string;
let options: Omit<EmbeddedOptions, 'ports'>;
let processes: ServerProcess[];
let made = 0;

beforeEach(async () => {
  folder = clusterFolder(`embedded-${(made += 1)}`);
  // Not durable on disk: what dies here are processes, never the machine.
  options = { dataDir: folder, ...(await chosenServer()), settings: { fsync: 'off' } };
  processes = [];
});

afterEach(async () => {
  for (const one of processes) if (isAlive(one.pid)) await one.end('SIGKILL');
  removeCluster(folder);
});

async function start(user: { uid: number; gid: number } | null = null): Promise<ServerProcess> {
  const server = await startProcess(PROGRAM, options, user ?? {});
  processes.push(server);
  return server;
}

async function ask(url: unknown, text: string): Promise<Record<string, unknown>[]> {
  const session = await openSession({ url: String(url), ports, role: null });
  try {
    return await session.query(text);
  } finally {
    await session.close();
  }
}

const untilDead = async (pid: number): Promise<void> => {
  while (isAlive(pid)) await ports.clock.sleep(10);
};

describe('the embedded PostgreSQL', () => {
  it('starts on no folder at all, keeps its data over a restart, and ends with the server', async () => {
    const first = await startEmbedded({ ...options, ports });
    await ask(first.url, 'create table kept as select 42 as answer');
    await first.stop();
    expect(isAlive(first.pid())).toBe(false);
    const second = await startEmbedded({ ...options, ports });
    expect([first.adopted, second.adopted]).toEqual([false, false]);
    expect(await ask(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
    await second.stop();
  });

  it('has checksums, UTF-8 and the C locale, and is durable unless told otherwise', async () => {
    const { settings: _, ...durable } = options;
    const database = await startEmbedded({ ...durable, ports });
    const [row] = await ask(
      database.url,
      `select current_setting('data_checksums') as checksums, current_setting('fsync') as fsync,
         current_setting('synchronous_commit') as synchronous_commit,
         pg_encoding_to_char(encoding) as encoding, datcollate as locale
       from pg_database where datname = current_database()`,
    );
    expect(row).toEqual({ checksums: 'on', fsync: 'on', synchronous_commit: 'on', encoding: 'UTF8', locale: 'C' });
    await database.stop();
  });

  it('keeps its data and its socket from other users', async () => {
    const database = await startEmbedded({ ...options, ports });
    for (const name of ['postgres', 'run']) {
      const { mode, uid } = statSync(path.join(database.dataDir, name));
      expect((mode & 0o777).toString(8)).toBe('700');
      expect(uid).not.toBe(0);
    }
    await database.stop();
  });

  it('outlives a server that is killed, and the next server takes it over with all it holds', async () => {
    const first = await start();
    await ask(first.said['url'], 'create table kept as select 42 as answer');
    await first.end('SIGKILL');
    const second = await start();
    expect(second.said).toMatchObject({ adopted: true, pid: first.said['pid'] });
    expect(await ask(second.said['url'], 'select answer from kept')).toEqual([{ answer: 42 }]);
    expect(await second.end('SIGTERM')).toEqual({ code: 0 });
    expect(isAlive(Number(second.said['pid']))).toBe(false);
  });

  it('starts again at once after it and its server were killed together', async () => {
    const first = await start();
    await ask(first.said['url'], 'create table kept as select 42 as answer');
    process.kill(Number(first.said['pid']), 'SIGKILL');
    await first.end('SIGKILL');
    const second = await start();
    expect(second.said).toMatchObject({ adopted: false });
    expect(await ask(second.said['url'], 'select answer from kept')).toEqual([{ answer: 42 }]);
  });

  it('is started again when it alone is killed', async () => {
    const database = await startEmbedded({ ...options, ports });
    const before = database.pid();
    process.kill(before, 'SIGKILL');
    await untilDead(before);
    await untilAnswers(database);
    expect(database.pid()).not.toBe(before);
    await database.stop();
  });

  it('starts over a half-made cluster, and over a lock whose number went to another program', async () => {
    mkdirSync(path.join(folder, 'postgres.new', 'base'), { recursive: true });
    chmodSync(folder, 0o755);
    const first = await startEmbedded({ ...options, ports });
    await first.stop();
    const lockFile = path.join(folder, 'postgres', 'postmaster.pid');
    writeFileSync(lockFile, `${process.pid}\n${folder}/postgres\n0\n5432\n${folder}/run\n\n\nready\n`);
    const { uid, gid } = statSync(path.join(folder, 'postgres'));
    chownSync(lockFile, uid, gid);
    const second = await startEmbedded({ ...options, ports });
    expect(second.adopted).toBe(false);
    await second.stop();
  });

  it('runs for root and for a user without rights', async () => {
    // Where no other user can read the program, the present user is the one without rights.
    const user = isRoot && isOpenToAll(import.meta.dirname) ? NOBODY : null;
    mkdirSync(folder, { recursive: true });
    if (user !== null) chownSync(folder, user.uid, user.gid);
    const server = await start(user);
    expect(server.said).toMatchObject({ adopted: false, uid: user?.uid ?? process.getuid?.() });
    expect(await ask(server.said['url'], 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(await server.end('SIGTERM')).toEqual({ code: 0 });
  });

  it('moves out of a folder that its user cannot enter', async () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const database = await startEmbedded({ ...options, dataDir: path.join(folder, 'data'), ports });
    const outside = /^\/var\/lib\/hero-onboarding\/[0-9a-f]{12}$/;
    expect(outside.test(database.dataDir)).toBe(isRoot);
    expect(existsSync(path.join(database.dataDir, 'postgres', 'PG_VERSION'))).toBe(true);
    await database.stop();
    if (isRoot) rmSync(database.dataDir, { recursive: true });
  });

  it('says what PostgreSQL said when it cannot start', async () => {
    const broken = startEmbedded({ ...options, settings: { shared_buffers: 'plenty' }, ports });
    await expect(broken).rejects.toThrow(/did not start[\s\S]*shared_buffers/);
  });

  it('says where it looked when there is no PostgreSQL', async () => {
    const none = startEmbedded({ ...options, binFolder: '/no/such/folder', ports });
    await expect(none).rejects.toThrow('there is no /no/such/folder/initdb');
  });
});

describe('G11 a second server on one folder', () => {
  it('is refused with the process id of the first, which goes on', async () => {
    const first = await start();
    const second = await start();
    expect(second.said['refused']).toContain(`in use by the server with process id ${first.pid}`);
    expect(second.said['refused']).toContain(`kill ${first.pid}`);
    expect(await second.ended).toEqual({ code: 1 });
    expect(await ask(first.said['url'], 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('is refused in the same process too, and may start after the first stopped', async () => {
    const first = await startEmbedded({ ...options, ports });
    await expect(startEmbedded({ ...options, ports })).rejects.toBeInstanceOf(FolderInUse);
    await first.stop();
    const second = await startEmbedded({ ...options, ports });
    await second.stop();
  });

  it('of ten at once exactly one starts, also over the lock of a killed one', async () => {
    const killed = await start();
    await killed.end('SIGKILL');
    const all = await Promise.all(Array.from({ length: 10 }, () => start()));
    expect(all.filter(({ said }) => said['refused'] === undefined)).toHaveLength(1);
  });
});

async function untilAnswers(database: EmbeddedDatabase): Promise<void> {
  for (;;) {
    const rows = await ask(database.url, 'select 1 as one').catch(() => []);
    if (rows.length === 1) return;
    await ports.clock.sleep(20);
  }
}
