import { systemPorts } from '../../../src/ports/system.ts';
import { openDatabase, openSession } from '../../../src/store/postgres.ts';
import { startSimulationCluster } from '../cluster.ts';
import { judgeYears, type Verdict } from './verdict.ts';
import { FULL_YEARS, liveYears, SHORT_YEARS, type Years, type YearsOptions } from './years.ts';

/** Years on a PostgreSQL of their own, which is removed at the end. */
export async function runYears(asked: Partial<Omit<YearsOptions, 'url'>> & { readonly isFull: boolean }) {
  const cluster = await startSimulationCluster();
  const ports = systemPorts({ logLevel: 'silent' });
  try {
    const session = await openSession({ url: cluster.postgresUrl, ports, role: null });
    await session.query(`create database years template ${cluster.template}`);
    await session.close();
    const address = new URL(cluster.postgresUrl);
    address.pathname = '/years';
    const { isFull, ...own } = asked;
    return await liveAndJudge({ ...(isFull ? FULL_YEARS : SHORT_YEARS), ...own, url: address.href });
  } finally {
    await cluster.stop();
  }
}

/** Lives years, judges them, and says in a few lines what happened. */
export async function liveAndJudge(options: YearsOptions): Promise<{ verdict: Verdict; text: string }> {
  const owner = openDatabase({ url: options.url, ports: systemPorts({ logLevel: 'silent' }), role: null });
  try {
    const startedMs = performance.now();
    const years = await liveYears(options);
    const seconds = (performance.now() - startedMs) / 1_000;
    const verdict = await judgeYears(years, owner);
    return { verdict, text: toText(options, years, verdict, seconds) };
  } finally {
    await owner.close();
  }
}

function toText(options: YearsOptions, years: Years, verdict: Verdict, seconds: number): string {
  const { subscriptions, periods, changes, ends, pastDue } = verdict;
  const said = (counts: Iterable<readonly [string, number]>): string =>
    [...counts].map(([what, count]) => `${count} ${what}`).join(', ');
  return [
    `years: ${years.residents.length} users, ${options.days} days in ${seconds.toFixed(1)} s`,
    `  ${subscriptions} plans bought, ${periods} paid periods, ${changes} of them after a change within one; ${ends} ended, ${pastDue} past due at the end`,
    `  ${said(years.deeds)}`,
    `  days: ${said(Object.entries(years.days))}, ${years.lateDays} without anybody looking`,
  ].join('\n');
}
