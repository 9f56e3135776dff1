import { existsSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Ports } from '../../ports/ports.ts';
import { openSession } from '../postgres.ts';
import { findBinaries } from './binaries.ts';
import type { Binaries } from './binaries.ts';
import { clusterFolderOf, logFileOf, makePrivate, makeSocketFolder, prepareFolder } from './cluster-folder.ts';
import { lockFolder } from './folder-lock.ts';
import { Postmaster } from './postmaster.ts';
import { runToEnd } from './run-program.ts';
import { serverUser } from './server-user.ts';
import type { ServerUser } from './server-user.ts';

/** Owns the database; everything but migrations runs as the application's role instead. */
const OWNER = 'hero_onboarding';
const DATABASE = 'hero_onboarding';

export interface EmbeddedOptions {
  readonly dataDir: string;
  readonly ports: Ports;
  /** A folder with initdb and postgres to use instead of the package's (the setting PG_BIN). */
  readonly binFolder?: string | null;
  /** Also listen on this port of 127.0.0.1; for tests that want a URL with a port. Anybody on the machine may connect. */
  readonly tcpPort?: number;
  /** More `name=value` for the server. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface EmbeddedDatabase {
  /** The owner's address. */
  readonly url: string;
  /** Where the data really is: not under a folder that the server's user cannot enter. */
  readonly dataDir: string;
  /** Whether the server was found running, left behind by one of us that was killed. */
  readonly adopted: boolean;
  /** Changes when the server died and was started again. */
  pid(): number;
  /** Ends the server in good order and frees the folder. */
  stop(): Promise<void>;
}

/**
 * Starts the PostgreSQL of a data folder, or takes over the one that a killed process left running, and keeps it
 * running. First makes the folder, the cluster and the database where they are missing.
 *
 * Throws `FolderInUse` when another process has the folder; otherwise a sentence with the end of PostgreSQL's log.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const { ports } = options;
  const folder = prepareFolder(options.dataDir);
  if (folder !== path.resolve(options.dataDir)) {
    ports.log.info({ dataDir: options.dataDir, folder }, 'the data is kept where its server may enter');
  }
  const lock = lockFolder(folder, ports.clock.now());
  try {
    const clusterFolder = clusterFolderOf(folder);
    const user = serverUser(clusterFolder);
    const binaries = findBinaries(options.binFolder ?? null, user);
    if (!existsSync(clusterFolder)) await makeCluster(binaries, clusterFolder, user, ports);
    const postmaster = new Postmaster({
      ...options,
      program: binaries.postgres,
      clusterFolder,
      logFile: logFileOf(folder),
      socketFolder: () => makeSocketFolder(folder, user),
      user,
      owner: OWNER,
    });
    const adopted = await postmaster.adoptOrStart();
    await makeDatabase(postmaster.url('postgres'), ports);
    postmaster.keepRunning();
    return {
      url: postmaster.url(DATABASE),
      dataDir: folder,
      adopted,
      pid: () => postmaster.pid,
      stop: async () => {
        await postmaster.stop();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Made aside and renamed when it is whole: a half-made cluster is never taken for one. */
async function makeCluster(
  binaries: Binaries,
  clusterFolder: string,
  user: ServerUser | null,
  ports: Ports,
): Promise<void> {
  const startedMs = ports.clock.monotonicMs();
  const half = `${clusterFolder}.new`;
  rmSync(half, { recursive: true, force: true });
  makePrivate(half, user);
  const settings = ['--encoding=UTF8', '--locale=C', '--data-checksums', '--auth=trust', `--username=${OWNER}`];
  await runToEnd(binaries.initdb, ['-D', half, ...settings], user);
  renameSync(half, clusterFolder);
  const ms = Math.round(ports.clock.monotonicMs() - startedMs);
  ports.log.info({ clusterFolder, ms }, 'made a new PostgreSQL cluster');
}

async function makeDatabase(url: string, ports: Ports): Promise<void> {
  const session = await openSession({ url, ports, role: null });
  try {
    const found = await session.query('select 1 from pg_database where datname = $1', [DATABASE]);
    if (found.length === 0) await session.query(`create database ${DATABASE}`);
  } finally {
    await session.close();
  }
}
