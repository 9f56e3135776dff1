import { processEnvironment, type Config } from '../config.ts';
import type { Ports } from '../ports/ports.ts';
import { StartRefused } from '../serve/start-refused.ts';
import type { Tx } from '../store/db.ts';
import { inspectDatabase } from '../store/inspection.ts';
import { readSandboxClock } from '../store/sandbox-clock.ts';
import type { Check } from './check.ts';
import { CONFIGURATION_CHECKS } from './configuration-checks.ts';
import { DATABASE_CHECKS } from './database-checks.ts';
import { MACHINE_CHECKS } from './machine-checks.ts';
import { readMachine } from './machine.ts';
import { judgeAll, type CheckResult } from './report.ts';

/** Before anything is opened. Throws {@link StartRefused} with every error of the settings and the machine. */
export function refuseUnsafeSettings(config: Config): void {
  const isDerived = config.origins.get('publicUrl') === 'derived';
  const values = { ...config, publicUrl: isDerived ? null : config.publicUrl };
  refuseErrors([
    ...judgeAll(forStart(CONFIGURATION_CHECKS), { values, mode: config.mode, env: processEnvironment() }),
    ...judgeAll(forStart(MACHINE_CHECKS), readMachine(config.dataDir)),
  ]);
}

/** After the database was opened and before anybody is served. */
export async function refuseUnsafeDatabase(config: Config, ports: Ports, db: Tx): Promise<void> {
  const facts = await inspectDatabase(db, () => ports.clock.now());
  const { databasePoolMax: poolMax, stripeAccountId } = config;
  refuseErrors(judgeAll(forStart(DATABASE_CHECKS), { ...facts, poolMax, stripeAccountId, brokenPromises: null }));
}

/** With test keys as well: a provider's clock cannot be moved, and ours must not be where a sandbox has left it. */
export async function refuseMovedClock(db: Tx): Promise<void> {
  const { aheadMs } = await readSandboxClock(db);
  if (aheadMs === 0) return;
  throw new StartRefused(
    'A sandbox has moved its clock on this database: its rows are of the future. Use a new database, or HERO_ONBOARDING_MODE=sandbox.',
  );
}

const forStart = <F>(checks: readonly Check<F>[]): readonly Check<F>[] => checks.filter((check) => check.isForStart);

function refuseErrors(results: readonly CheckResult[]): void {
  const reasons = results.flatMap(({ id, findings }) =>
    (findings ?? []).filter(({ level }) => level === 'error').map(({ reason }) => `  check ${id}: ${reason}`),
  );
  if (reasons.length === 0) return;
  throw new StartRefused(
    `Production does not start like this:\n${reasons.join('\n')}\nRun hero-onboarding --check-prod-config for what to do about each.`,
  );
}
