import type { DatabaseFacts } from '../store/inspection.ts';
import { error, must, warning, type Check, type Finding } from './check.ts';

/** What is judged of the database, with the few settings that must fit it. */
export interface DatabaseCheckFacts extends DatabaseFacts {
  readonly poolMax: number;
  readonly stripeAccountId: string | null;
  /** Null: not asked (at a start it would take minutes on a big ledger). */
  readonly brokenPromises: readonly string[] | null;
}

const base = { needs: 'database', isForStart: true } as const;
const VERSION_MIN = 150_000;
/** Besides the pool: two kept for webhooks and health, eleven for jobs. */
const CONNECTIONS_BESIDE_POOL = 13;
const CONNECTIONS_SPARE = 10;
const CLOCK_APART_MAX_MS = 2_000;
const QUEUE_MINUTES_MAX = 15;

export const DATABASE_CHECKS: readonly Check<DatabaseCheckFacts>[] = [
  {
    ...base,
    id: 13,
    title: 'the storage is a PostgreSQL that is maintained',
    why: 'The ledger relies on row locks and constraints of PostgreSQL 15 or newer.',
    remedy: 'Upgrade the server that DATABASE_URL names, or leave it unset for the embedded one.',
    judge: ({ versionNumber }) => must(versionNumber >= VERSION_MIN, 'PostgreSQL is older than 15.'),
  },
  {
    ...base,
    id: 14,
    title: 'an acknowledged commit survives a crash',
    why: 'With any of these off, a power cut can lose money that customers were told they have.',
    remedy:
      'Set fsync, full_page_writes and synchronous_commit to on, data_sync_retry to off, and enable data checksums (pg_checksums).',
    judge: judgeDurability,
  },
  {
    ...base,
    id: 15,
    title: 'the database is a primary that can be written',
    why: 'A replica answers reads and refuses every payment.',
    remedy: 'Point DATABASE_URL at the primary.',
    judge: ({ isReplica, isReadOnly }) => [
      ...must(!isReplica, 'The database is a replica.'),
      ...must(!isReadOnly, 'The database begins transactions read-only.'),
    ],
  },
  {
    ...base,
    id: 17,
    title: 'the application cannot rewrite history',
    why: 'Not even a bug or a stolen connection may change or delete a ledger or audit row.',
    remedy:
      'Connect as a user that is a member of hero_onboarding_app and owns nothing; give the owner’s address to HERO_ONBOARDING_MIGRATION_DATABASE_URL alone.',
    judge: judgeRights,
  },
  {
    ...base,
    id: 18,
    title: 'every trigger and constraint of the schema is there and at work',
    why: 'They hold the rules of the ledger even when the code is wrong.',
    remedy: 'Find out who removed or disabled them, run "ledger check", then restore them from the migrations.',
    judge: ({ guardsAbsent }) => guardsAbsent.map((name) => error(`${name} is absent or disabled.`)),
  },
  {
    ...base,
    id: 19,
    title: 'the schema is the one of this version',
    why: 'An older or newer schema means that this program and the data disagree.',
    remedy: 'Run "hero-onboarding migrate"; if the schema is newer, start the newer version.',
    judge: ({ migrationsMissing }) =>
      migrationsMissing === null
        ? [error('The database was used by another version of this program.')]
        : must(migrationsMissing.length === 0, 'The schema is older than this program.'),
  },
  {
    ...base,
    id: 20,
    title: 'a stuck session is ended by the database',
    why: 'One that waits for ever holds its locks for ever, and with them a wallet.',
    remedy:
      'Remove statement_timeout, lock_timeout and idle_in_transaction_session_timeout from the options of DATABASE_URL and from a pooler in between.',
    judge: ({ settings }) =>
      ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'].flatMap((name) =>
        must(Number(settings[name] ?? 0) > 0, `${name} is not in force.`),
      ),
  },
  {
    ...base,
    id: 21,
    title: 'the database has connections enough',
    why: 'A server that is refused a connection refuses its callers.',
    remedy: 'Raise max_connections, or lower HERO_ONBOARDING_DATABASE_POOL_MAX; count every server process.',
    judge: ({ poolMax, connectionsMax }) =>
      must(
        poolMax + CONNECTIONS_BESIDE_POOL <= connectionsMax - CONNECTIONS_SPARE,
        'One server process may want more connections than max_connections leaves.',
      ),
  },
  {
    ...base,
    id: 22,
    title: 'the clocks agree within two seconds',
    why: 'Signatures, holds and sessions end by the clock; two clocks end them at two times. Two minutes apart, no plan renews.',
    remedy: 'Keep both machines’ clocks by NTP.',
    judge: ({ clockAheadMs }) =>
      must(Math.abs(clockAheadMs) <= CLOCK_APART_MAX_MS, 'The database’s clock is more than 2 s apart from ours.'),
  },
  {
    ...base,
    id: 34,
    isForStart: false,
    title: 'the ledger is sound',
    why: 'A broken rule means that money was made, lost or counted twice.',
    remedy: 'Run "hero-onboarding ledger check": it prints the rows. Stop taking payments until they are explained.',
    judge: ({ brokenPromises }) => (brokenPromises ?? []).map((id) => error(`The ledger rule ${id} is broken.`)),
  },
  {
    ...base,
    id: 36,
    title: 'all money is in a currency whose cents are known',
    why: 'Counting yen or dinars as cents multiplies or divides by a hundred or a thousand.',
    remedy: 'This version keeps USD alone; restore the database from before another currency was written.',
    judge: ({ currencies }) =>
      must(
        currencies.every((currency) => currency === 'USD'),
        'There are rows in a currency other than USD.',
      ),
  },
  {
    ...base,
    id: 37,
    isForStart: false,
    title: 'webhooks and jobs are worked off',
    why: 'A webhook that waits is a customer who has paid and sees nothing.',
    remedy:
      'See whether the server runs, then its log; GET /v1/webhook-events?state=quarantined shows what waits for a person.',
    judge: judgeQueues,
  },
  {
    ...base,
    id: 41,
    title: 'the database holds no test payments and no other account',
    why: 'Test money in a live ledger can be spent; payments of another provider account cannot be checked any more.',
    remedy: 'Go live on a new database, and set STRIPE_ACCOUNT_ID to the account that the payments belong to.',
    judge: judgeContents,
  },
  {
    ...base,
    id: 51,
    title: 'no sandbox has moved its clock on this database',
    why: 'What was written lies in the future: plans would not renew and credit would not end for as long, and ids are of a time to come.',
    remedy: 'Go live on a new database. There is no way back: the clock of a sandbox goes forwards only.',
    judge: ({ sandboxAheadMs }) =>
      must(sandboxAheadMs === 0n, 'A sandbox has moved its clock on this database: its rows are of the future.'),
  },
];

function judgeDurability({ settings }: DatabaseCheckFacts): readonly Finding[] {
  return [
    ...must(settings['fsync'] === 'on', 'fsync is off.'),
    ...must(settings['full_page_writes'] === 'on', 'full_page_writes is off.'),
    ...must(
      ['on', 'remote_apply'].includes(settings['synchronous_commit'] ?? ''),
      'synchronous_commit is weaker than on.',
    ),
    ...must(settings['data_sync_retry'] === 'off', 'data_sync_retry is on.'),
    ...must(settings['data_checksums'] === 'on', 'data checksums are off.'),
  ];
}

function judgeRights(facts: DatabaseCheckFacts): readonly Finding[] {
  return [
    ...facts.rightsTooMany.map((right) => error(`The application’s role has a right it must not have on ${right}.`)),
    ...must(!facts.isTableOwner, 'The application’s role owns the ledger.'),
    ...must(!facts.isSuperuser, 'The application’s role is a superuser.'),
    ...(facts.isLoginSuperuser
      ? [warning('The user that connects is a superuser before it becomes the application’s role.')]
      : []),
  ];
}

function judgeQueues(facts: DatabaseCheckFacts): readonly Finding[] {
  return [
    ...must(facts.oldestWebhookMinutes <= QUEUE_MINUTES_MAX, 'A webhook has waited for more than 15 minutes.'),
    ...must(facts.oldestJobMinutes <= QUEUE_MINUTES_MAX, 'A job has waited for more than 15 minutes.'),
    ...(facts.quarantined > 0n ? [warning('There are quarantined webhooks that nobody has decided on.')] : []),
  ];
}

function judgeContents({ testPayments, providerAccounts, stripeAccountId }: DatabaseCheckFacts): readonly Finding[] {
  return [
    ...must(testPayments === 0n, 'There are payments made with test money.'),
    ...must(
      stripeAccountId === null || providerAccounts.every((account) => account === stripeAccountId),
      'There are payments of a provider account other than STRIPE_ACCOUNT_ID.',
    ),
  ];
}
