import type { Config } from '../config.ts';
import type { Ports } from '../ports/ports.ts';
import type { Database } from '../store/postgres.ts';
import { classify } from '../store/database-errors.ts';
import { DatabaseAway, StartRefused } from './start-refused.ts';

/** The opened database and how to reach it again for what needs connections of its own. */
export interface OpenedStore {
  readonly db: Database;
  /** Where requests and jobs connect. */
  readonly url: string;
  /** A sentence part for people: never an address with a password. */
  readonly description: string;
  /** Safe to: be called again. Throws {@link DatabaseAway} when nothing answers, and a sentence for everything else. */
  bringUpToDate(): Promise<void>;
  close(): Promise<void>;
}

export interface OpenOptions {
  /** Use the embedded database beside the server that owns it, instead of refusing: for commands that only read. */
  readonly joinsRunning?: boolean;
  /** Open whatever is there, or nothing: neither connect, nor migrate, nor refuse an old schema. */
  readonly leavesSchema?: boolean;
}

/**
 * Starts the embedded PostgreSQL or takes the one of DATABASE_URL, brings its schema up to date, and opens the pool.
 *
 * Throws {@link StartRefused}, or the store's own sentence, when any of it is impossible; nothing is left running then.
 */
export async function openStore(config: Config, ports: Ports, options: OpenOptions = {}): Promise<OpenedStore> {
  const located = await locate(config, ports, options);
  try {
    const { openDatabase } = await import('../store/postgres.ts');
    const inDate = (): Promise<void> => (located.isJoined ? Promise.resolve() : bringUpToDate(config, ports, located));
    if (options.leavesSchema !== true) await inDate();
    const db = openDatabase({
      url: located.url,
      ports,
      poolMax: config.databasePoolMax,
    });
    return {
      db,
      url: located.url,
      description: located.description,
      bringUpToDate: inDate,
      close: async () => {
        await db.close();
        await located.stop();
      },
    };
  } catch (error) {
    await located.stop();
    throw error;
  }
}

interface Located {
  readonly url: string;
  readonly description: string;
  /** Another process owns the database and has brought it up to date. */
  readonly isJoined: boolean;
  stop(): Promise<void>;
}

const nothing = (): Promise<void> => Promise.resolve();

async function locate(config: Config, ports: Ports, { joinsRunning = false }: OpenOptions): Promise<Located> {
  if (config.databaseUrl !== null) {
    return { url: config.databaseUrl, description: 'PostgreSQL of DATABASE_URL', isJoined: false, stop: nothing };
  }
  const { startEmbedded } = await import('../store/embedded/embedded.ts');
  try {
    const embedded = await startEmbedded({ dataDir: config.dataDir, ports, binFolder: config.postgresBinaries });
    const description = `embedded PostgreSQL in ${embedded.dataDir}`;
    return { url: embedded.url, description, isJoined: false, stop: () => embedded.stop() };
  } catch (error) {
    if (!joinsRunning || !(error instanceof Error) || error.name !== 'FolderInUse') throw error;
    return await locateRunning(config, error);
  }
}

/** The socket folder stands in the running server's own file. */
async function locateRunning(config: Config, inUse: Error): Promise<Located> {
  const { clusterFolderOf, prepareFolder, readPostmasterFile } = await import('../store/embedded/cluster-folder.ts');
  const folder = prepareFolder(config.dataDir);
  const running = readPostmasterFile(clusterFolderOf(folder));
  if (running === null) throw inUse;
  const socket = encodeURIComponent(running.socketFolder);
  const url = `postgresql://hero_onboarding@localhost:${running.port}/hero_onboarding?host=${socket}`;
  return { url, description: `embedded PostgreSQL in ${folder}, beside its server`, isJoined: true, stop: nothing };
}

/** Without an owner's address an up-to-date database is left alone: the application's user may not even look for more. */
async function bringUpToDate(config: Config, ports: Ports, { url }: Located): Promise<void> {
  const startedMs = ports.clock.monotonicMs();
  const { migrate } = await import('../store/migrate.ts');
  try {
    if (config.databaseUrl !== null && config.migrationDatabaseUrl === null && (await isUpToDate(url, ports))) return;
    await migrate({ url: config.migrationDatabaseUrl ?? url, ports });
  } catch (error) {
    throw asSentence(
      error,
      config.migrationDatabaseUrl === null ? 'DATABASE_URL' : 'HERO_ONBOARDING_MIGRATION_DATABASE_URL',
    );
  }
  ports.log.debug({ ms: Math.round(ports.clock.monotonicMs() - startedMs) }, 'the schema is up to date');
}

async function isUpToDate(url: string, ports: Ports): Promise<boolean> {
  const [{ openSession }, { missingMigrations, SchemaMismatch }] = await Promise.all([
    import('../store/postgres.ts'),
    import('../store/migrate.ts'),
  ]);
  const session = await openSession({ url, ports, role: null });
  try {
    return (await missingMigrations((text) => session.query(text))).length === 0;
  } catch (error) {
    // A database without our tables cannot be asked; migrating it says what is wrong, if anything is.
    if (error instanceof SchemaMismatch) throw error;
    return false;
  } finally {
    await session.close();
  }
}

function asSentence(error: unknown, setting: string): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (error instanceof Error && classify(error, new Set()) === 'lost') {
    return new DatabaseAway(
      `No PostgreSQL answers where ${setting} points (${code || error.message}). Is it running, and is the address right?`,
      { cause: error },
    );
  }
  if (code === '28P01' || code === '28000') {
    return new StartRefused(`PostgreSQL refused the user or the password of ${setting}.`, { cause: error });
  }
  if (code === '3D000') return new StartRefused(`The database that ${setting} names does not exist.`, { cause: error });
  return error;
}
