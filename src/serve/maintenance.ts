import process from 'node:process';
import type { Config } from '../config.ts';
import type { Ports } from '../ports/ports.ts';
import { checkLedger, type LedgerReport } from '../store/ledger-check.ts';
import { openStore } from './store.ts';

interface Start {
  readonly config: Config;
  readonly ports: Ports;
}

/** Brings the schema up to date and ends. Answers the exit code. */
export async function migrateCommand({ config, ports }: Start): Promise<number> {
  const store = await openStore(config, ports);
  await store.close();
  process.stdout.write(`The schema is up to date (${store.description}).\n`);
  return 0;
}

/**
 * Recomputes every promise of the ledger and prints one line for each; the rows that break one stand below it.
 * Answers the exit code: 1 when any is broken. Also runs beside a server on the embedded database.
 */
export async function ledgerCheckCommand({ config, ports }: Start): Promise<number> {
  const store = await openStore(config, ports, { joinsRunning: true });
  try {
    const report = await checkLedger(store.db);
    process.stdout.write(reportText(report));
    return report.isSound ? 0 : 1;
  } finally {
    await store.close();
  }
}

export function reportText(report: LedgerReport): string {
  const lines = report.results.flatMap(({ id, promise, rows }) => [
    `${rows.length === 0 ? 'holds ' : 'BROKEN'} ${id} ${promise}`,
    ...rows.map((row) => `         ${JSON.stringify(row, bigintAsText)}`),
  ]);
  const verdict = report.isSound ? 'The ledger is sound' : 'The ledger is NOT sound';
  return `${lines.join('\n')}\n${verdict}: ${report.entries} entries on ${report.accounts} accounts.\n`;
}

const bigintAsText = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value);
