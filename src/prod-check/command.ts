import { existsSync } from 'node:fs';
import process from 'node:process';
import { contradictions, modeOf, readConfig, type Config } from '../config.ts';
import { ConfigError, readValues, type Environment } from '../config/read.ts';
import type { Values } from '../config/settings.ts';
import type { Ports } from '../ports/ports.ts';
import { systemLog, systemPorts } from '../ports/system.ts';
import { openStore } from '../serve/store.ts';
import { inspectDatabase } from '../store/inspection.ts';
import { checkLedger } from '../store/ledger-check.ts';
import { clusterFolderOf, prepareFolder } from '../store/embedded/cluster-folder.ts';
import { CONFIGURATION_CHECKS } from './configuration-checks.ts';
import { DATABASE_CHECKS, type DatabaseCheckFacts } from './database-checks.ts';
import { readMachine } from './machine.ts';
import { MACHINE_CHECKS } from './machine-checks.ts';
import { NETWORK_CHECKS, probeWebhook } from './network-checks.ts';
import { isReady, judgeAll, readable, reportJson, reportText, type CheckResult } from './report.ts';

/** Runs every check, prints the report, and answers the exit code: 0 only when nothing is wrong and everything was looked at. */
export async function checkProdConfig(env: Environment, { asJson }: { readonly asJson: boolean }): Promise<number> {
  // Nothing may be printed beside the report, not even by a library.
  const ports = systemPorts({ log: systemLog('silent') });
  const results = await runChecks(env, ports);
  process.stdout.write(asJson ? reportJson(results) : reportText(results));
  return isReady(results) ? 0 : 1;
}

export async function runChecks(env: Environment, ports: Ports): Promise<readonly CheckResult[]> {
  const read = valuesOrProblems(env);
  if ('problems' in read) return [readable(read.problems)];
  const { values } = read;
  const database = await databaseFacts(values, ports);
  const results = [
    readable(contradictions(values)),
    ...judgeAll(CONFIGURATION_CHECKS, { values, mode: modeOf(values), env }),
    ...judgeAll(MACHINE_CHECKS, readMachine(values.dataDir)),
    ...judgeAll(DATABASE_CHECKS, database.facts),
    ...judgeAll(NETWORK_CHECKS, { webhook: await webhookFacts(values, ports) }),
  ];
  if (database.problem !== null) results.push(databaseProblem(database.problem));
  return results.toSorted((one, other) => one.id - other.id);
}

function valuesOrProblems(env: Environment): { values: Values } | { problems: readonly string[] } {
  try {
    return { values: readValues(env, { showValues: false }) };
  } catch (error) {
    if (error instanceof ConfigError) return { problems: error.problems };
    throw error;
  }
}

const databaseProblem = (reason: string): CheckResult => ({
  id: 0,
  title: 'the database can be looked at',
  remedy: 'See that it runs and that the address is right; for the embedded one run "hero-onboarding migrate" once.',
  findings: [{ level: 'error', reason }],
});

interface DatabaseOutcome {
  readonly facts: DatabaseCheckFacts | null;
  readonly problem: string | null;
}

/** Opens the database as a server would, but changes nothing: no migration, no new cluster. */
async function databaseFacts(values: Values, ports: Ports): Promise<DatabaseOutcome> {
  if (values.databaseUrl === null && !existsSync(clusterFolderOf(prepareFolder(values.dataDir)))) {
    return { facts: null, problem: 'There is no database yet.' };
  }
  try {
    const store = await openStore(configFor(values), ports, { joinsRunning: true, leavesSchema: true });
    try {
      const facts = await inspectDatabase(store.db, () => ports.clock.now());
      const report = facts.migrationsMissing?.length === 0 ? await checkLedger(store.db) : null;
      const broken = report?.results.filter(({ rows }) => rows.length > 0).map(({ id }) => id) ?? null;
      const { databasePoolMax: poolMax, stripeAccountId } = values;
      return { facts: { ...facts, poolMax, stripeAccountId, brokenPromises: broken }, problem: null };
    } finally {
      await store.close();
    }
  } catch {
    // What the driver says may hold an address; the server's own start says it in full.
    return { facts: null, problem: 'The database cannot be reached, or does not hold our tables.' };
  }
}

/** A configuration that contradicts itself elsewhere still says where its database is. */
function configFor(values: Values): Config {
  const { databaseUrl, migrationDatabaseUrl, dataDir, postgresBinaries, databasePoolMax } = values;
  return { ...readConfig({}), databaseUrl, migrationDatabaseUrl, dataDir, postgresBinaries, databasePoolMax };
}

async function webhookFacts(values: Values, ports: Ports) {
  const { stripeSecretKey, clickpesaApiKey, btcpayUrl, publicUrl } = values;
  const configured = { stripe: stripeSecretKey, clickpesa: clickpesaApiKey, btcpay: btcpayUrl };
  const provider = Object.entries(configured).find(([, value]) => value !== null)?.[0];
  if (provider === undefined || publicUrl === null) return null;
  return await probeWebhook(ports, `${publicUrl}/webhooks/${provider}`);
}
