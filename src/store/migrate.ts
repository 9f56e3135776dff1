import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { runMigrations } from 'graphile-worker';
import type { Ports } from '../ports/ports.ts';
import { makeAppRole } from './app-role.ts';
import { openSession, openWorkerPool } from './postgres.ts';
import type { Session } from './postgres.ts';
import { handOverWorkerSchema, WORKER_SCHEMA } from './worker-schema.ts';

export interface MigrateOptions {
  /** The owner's address, not the application's. */
  readonly url: string;
  readonly ports: Ports;
  /** By default the project's own. */
  readonly folder?: string;
}

export interface Migration {
  readonly name: string;
  readonly checksum: string;
  readonly text: string;
}

/** What the database holds and what this program brings do not fit; the message says what to do. */
export class SchemaMismatch extends Error {
  override readonly name = 'SchemaMismatch';
}

export const MIGRATIONS_FOLDER = path.join(import.meta.dirname, '..', '..', 'migrations');
const FILE_NAME = /^\d{4}-[a-z0-9-]+\.sql$/;
/** "hero" in ASCII: names our advisory lock among those of other programs. */
const LOCK = 0x6865726f;
/** For another server's migrations to end; longer ones are run by hand before the servers. */
const WAIT_MS = 60_000;

/**
 * Brings the schema up to this program: forward only, one transaction for each file, one migrating server at a time.
 *
 * Safe to: run at every start, from several servers at once, and again after it was killed at any point.
 * Answers the names of what was applied. Throws `SchemaMismatch` before it changes anything.
 */
export async function migrate(options: MigrateOptions): Promise<readonly string[]> {
  const known = readMigrations(options.folder ?? MIGRATIONS_FOLDER);
  const limits = { statementMs: 0, answerMs: 0, idleInTransactionMs: WAIT_MS, lockMs: WAIT_MS };
  const open = (): Promise<Session> => openSession({ ...options, role: null, limits });
  await makeAppRole(open);
  const session = await open();
  try {
    await session.query('select pg_advisory_lock($1)', [LOCK]);
    await session.query(`create table if not exists schema_migration (
      name       text not null,
      checksum   text not null,
      applied_at timestamptz not null,
      constraint schema_migration__pk primary key (name)
    )`);
    await session.query('grant select on schema_migration to hero_onboarding_app');
    checkApplied(known, await session.query(APPLIED));
    // Before our own: a server that finds all of ours finds everything, also beside one that is migrating or was killed at it.
    await migrateWorker(session, options);
    return await applyMissing(session, known, options.ports);
  } finally {
    // The lock goes with the connection.
    await session.close();
  }
}

/** Whether the database has exactly what this program brings; for readiness and `--check-prod-config`. */
export async function missingMigrations(
  query: (text: string) => Promise<Record<string, unknown>[]>,
  folder: string = MIGRATIONS_FOLDER,
): Promise<readonly string[]> {
  const known = readMigrations(folder);
  const applied = checkApplied(known, await query(APPLIED));
  return known.filter(({ name }) => !applied.has(name)).map(({ name }) => name);
}

const APPLIED = 'select name, checksum from schema_migration order by name';

export function readMigrations(folder: string): Migration[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.sql'));
  return names.toSorted().map((name, index) => {
    if (!FILE_NAME.test(name) || Number(name.slice(0, 4)) !== index + 1) {
      throw new SchemaMismatch(
        `The migration ${name} is not the number ${index + 1} of an unbroken row 0001-name.sql, 0002-…`,
      );
    }
    const text = readFileSync(path.join(folder, name), 'utf8');
    return { name, text, checksum: createHash('sha256').update(text).digest('hex') };
  });
}

/** Refuses a database that knows more than we do, or other than we do. Answers the names it has. */
function checkApplied(known: readonly Migration[], rows: readonly Record<string, unknown>[]): ReadonlySet<string> {
  const byName = new Map(known.map((migration) => [migration.name, migration]));
  for (const row of rows) {
    const name = String(row['name']);
    const migration = byName.get(name);
    if (migration === undefined) {
      throw new SchemaMismatch(
        `The database has the migration ${name}, which this program does not know: it was used by a newer version. ` +
          'Start that version or a later one; going back needs a backup from before the upgrade.',
      );
    }
    if (migration.checksum !== row['checksum']) {
      throw new SchemaMismatch(
        `The migration ${name} was changed after it was applied to this database. ` +
          'Restore the file as it was released, and put the change into a new migration.',
      );
    }
  }
  return new Set(rows.map((row) => String(row['name'])));
}

async function applyMissing(session: Session, known: readonly Migration[], ports: Ports): Promise<string[]> {
  const applied = checkApplied(known, await session.query(APPLIED));
  const missing = known.filter(({ name }) => !applied.has(name));
  for (const migration of missing) await applyOne(session, migration, ports);
  return missing.map(({ name }) => name);
}

async function applyOne(session: Session, migration: Migration, { clock, crash, log }: Ports): Promise<void> {
  const { name, checksum, text } = migration;
  const startedMs = clock.monotonicMs();
  await session.query('begin');
  try {
    await session.query(text);
    await session.query('insert into schema_migration (name, checksum, applied_at) values ($1, $2, $3)', [
      name,
      checksum,
      clock.now(),
    ]);
    await crash.reach(`migration:before-commit:${name}`);
    await session.query('commit');
  } catch (error) {
    await session.query('rollback').catch(() => undefined);
    throw error;
  }
  await crash.reach(`migration:after-commit:${name}`);
  log.info({ migration: name, ms: Math.round(clock.monotonicMs() - startedMs) }, 'applied a migration');
}

/** The job runner brings its own tables; they are made here, by the owner, so that the application need not be one. */
async function migrateWorker(session: Session, options: MigrateOptions): Promise<void> {
  const { log } = options.ports;
  const pgPool = openWorkerPool({ ...options, role: null, poolMax: 1, limits: { statementMs: 0, answerMs: 0 } });
  try {
    await runMigrations({ pgPool, schema: WORKER_SCHEMA });
  } finally {
    await pgPool.end();
  }
  const handedOver = await handOverWorkerSchema(session);
  if (handedOver > 0) log.info({ objects: handedOver }, 'handed the job tables over to the application');
}
