import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { readDatabaseClock } from './database-clock.ts';
import { statement, type Tx } from './db.ts';
import { missingMigrations, MIGRATIONS_FOLDER, SchemaMismatch } from './migrate.ts';

/** What `--check-prod-config` wants to know of a database, as PostgreSQL itself tells it. */
export interface DatabaseFacts {
  readonly versionNumber: number;
  /** `show <name>` of those settings that decide whether an acknowledged commit survives, and those that end a stuck session. */
  readonly settings: Readonly<Record<string, string>>;
  readonly isReplica: boolean;
  readonly isReadOnly: boolean;
  /** Server clock minus ours; half the time the question took is already taken off. */
  readonly clockAheadMs: number;
  readonly connectionsMax: number;
  /** Tables and the right the present role has on them but must not have, as `table: UPDATE`. */
  readonly rightsTooMany: readonly string[];
  readonly isTableOwner: boolean;
  readonly isSuperuser: boolean;
  /** Whether the user who connected, before becoming the role, is a superuser. */
  readonly isLoginSuperuser: boolean;
  /** Triggers and constraints of the migrations that are absent, disabled or not validated. */
  readonly guardsAbsent: readonly string[];
  /** Migrations that are not applied; null: the database is newer than this program, or an applied file was changed. */
  readonly migrationsMissing: readonly string[] | null;
  readonly currencies: readonly string[];
  /** Of Stripe: what other providers call an account is in their keys. */
  readonly providerAccounts: readonly string[];
  readonly testPayments: bigint;
  /** How far a sandbox has moved its clock on this database. */
  readonly sandboxAheadMs: bigint;
  readonly oldestWebhookMinutes: number;
  readonly oldestJobMinutes: number;
  readonly quarantined: bigint;
}

export const SETTINGS_ASKED = [
  'fsync',
  'full_page_writes',
  'synchronous_commit',
  'data_sync_retry',
  'data_checksums',
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
] as const;

const settingsStatement = statement(
  'inspection.settings',
  'select name, setting from pg_settings where name = any($1::text[])',
);

const serverStatement = statement(
  'inspection.server',
  `select current_setting('server_version_num')::int as version,
          pg_is_in_recovery() as is_replica,
          current_setting('default_transaction_read_only') = 'on' as is_read_only,
          current_setting('max_connections')::int as connections_max,
          (select rolsuper from pg_roles where rolname = current_user) as is_superuser,
          (select rolsuper from pg_roles where rolname = session_user) as is_login_superuser`,
);

/** Rights that would let a bug, or a stolen connection, rewrite history. */
const rightsStatement = statement(
  'inspection.rights',
  `select c.relname || ': ' || p.name as has
   from pg_class c cross join unnest(array['UPDATE', 'DELETE', 'TRUNCATE']) as p(name)
   where c.relnamespace = 'public'::regnamespace and c.relname = any($1::text[])
     and has_table_privilege(current_user, c.oid, p.name)
   order by 1`,
);

const ownerStatement = statement(
  'inspection.owner',
  `select exists (
     select from pg_class
     where relnamespace = 'public'::regnamespace and relname = any($1::text[]) and relowner = current_user::regrole
   ) as is_owner`,
);

/** Guards that are there and at work: triggers for every kind of session, constraints that hold for every row. */
const guardsStatement = statement(
  'inspection.guards',
  `select tgname as name from pg_trigger where not tgisinternal and tgenabled in ('O', 'A')
   union
   select conname from pg_constraint where convalidated`,
);

const contentsStatement = statement(
  'inspection.contents',
  `select
     coalesce((select array_agg(distinct currency::text) from (
       select currency from account union select currency from payment union select currency from wallet) as used), '{}') as currencies,
     coalesce((select array_agg(distinct provider_account) from payment where provider = 'stripe'), '{}') as provider_accounts,
     (select count(*) from payment where not is_live) as test_payments,
     (select ahead_ms from sandbox_clock) as sandbox_ahead_ms,
     (select count(*) from inbox where state = 'quarantined') as quarantined,
     coalesce((select extract(epoch from now() - min(received_at)) / 60 from inbox where state in ('received', 'pending')), 0)::float8
       as oldest_webhook_minutes,
     coalesce((select extract(epoch from now() - min(run_at)) / 60 from graphile_worker.jobs where locked_at is null and attempts < max_attempts), 0)::float8
       as oldest_job_minutes`,
);

/** Tables that only ever grow. */
export const APPEND_ONLY = [
  'entry',
  'batch_leg',
  'declined_posting',
  'unbilled_outcome',
  'audit',
  'payment_event',
  'idempotency',
] as const;

interface ServerRow extends Record<string, unknown> {
  readonly version: number;
  readonly is_replica: boolean;
  readonly is_read_only: boolean;
  readonly connections_max: number;
  readonly is_superuser: boolean;
  readonly is_login_superuser: boolean;
}

interface ContentsRow extends Record<string, unknown> {
  readonly currencies: string[];
  readonly provider_accounts: string[];
  readonly test_payments: bigint;
  readonly sandbox_ahead_ms: bigint;
  readonly quarantined: bigint;
  readonly oldest_webhook_minutes: number;
  readonly oldest_job_minutes: number;
}

/** Asks everything once. Rejects when the database does not answer or our tables are not there. */
export async function inspectDatabase(tx: Tx, now: () => Date): Promise<DatabaseFacts> {
  const [server] = await tx.query<ServerRow>(serverStatement);
  if (server === undefined) throw new Error('the database did not answer');
  const settings = await tx.query<{ name: string; setting: string }>(settingsStatement, [[...SETTINGS_ASKED]]);
  const rights = await tx.query<{ has: string }>(rightsStatement, [[...APPEND_ONLY]]);
  const [owner] = await tx.query<{ is_owner: boolean }>(ownerStatement, [[...APPEND_ONLY]]);
  const migrations = await missingOrNull(tx);
  const [contents] = migrations?.length === 0 ? await tx.query<ContentsRow>(contentsStatement) : [];
  return {
    versionNumber: server.version,
    settings: Object.fromEntries(settings.map(({ name, setting }) => [name, setting])),
    isReplica: server.is_replica,
    isReadOnly: server.is_read_only,
    clockAheadMs: await clockAhead(tx, now),
    connectionsMax: server.connections_max,
    rightsTooMany: rights.map(({ has }) => has),
    isTableOwner: owner?.is_owner ?? false,
    isSuperuser: server.is_superuser,
    isLoginSuperuser: server.is_login_superuser,
    guardsAbsent: await guardsAbsent(tx),
    migrationsMissing: migrations,
    currencies: contents?.currencies ?? [],
    providerAccounts: contents?.provider_accounts ?? [],
    testPayments: contents?.test_payments ?? 0n,
    sandboxAheadMs: contents?.sandbox_ahead_ms ?? 0n,
    oldestWebhookMinutes: contents?.oldest_webhook_minutes ?? 0,
    oldestJobMinutes: contents?.oldest_job_minutes ?? 0,
    quarantined: contents?.quarantined ?? 0n,
  };
}

async function clockAhead(tx: Tx, now: () => Date): Promise<number> {
  const before = now().getTime();
  const theirs = await readDatabaseClock(tx);
  const after = now().getTime();
  return theirs.getTime() - (before + after) / 2;
}

async function missingOrNull(tx: Tx): Promise<readonly string[] | null> {
  try {
    return await missingMigrations((text) => tx.query(statement('inspection.migrations', text)));
  } catch (error) {
    if (error instanceof SchemaMismatch) return null;
    throw error;
  }
}

async function guardsAbsent(tx: Tx): Promise<string[]> {
  const present = new Set((await tx.query<{ name: string }>(guardsStatement)).map(({ name }) => name));
  return guardsOfMigrations(MIGRATIONS_FOLDER).filter((name) => !present.has(name));
}

/** The names of all triggers and constraints that the migrations make and do not drop again. */
export function guardsOfMigrations(folder: string): string[] {
  const names = new Set<string>();
  for (const file of readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .toSorted()) {
    const text = readFileSync(path.join(folder, file), 'utf8').replaceAll(/--[^\n]*/g, '');
    for (const [, drop, name] of text.matchAll(
      /(drop\s+)?(?:constraint|create\s+trigger|trigger)\s+(?:if\s+exists\s+)?(\w+__\w+)/g,
    )) {
      if (name === undefined) continue;
      if (drop === undefined) names.add(name);
      else names.delete(name);
    }
  }
  return [...names];
}
