import { systemPorts } from '../../../src/ports/system.ts';
import { openDatabase, openSession } from '../../../src/store/postgres.ts';
import { startSimulationCluster } from '../cluster.ts';
import { FULL_MONTH, liveMonth, SHORT_MONTH, type Month, type MonthOptions } from './month.ts';
import { judgeMonth, type Verdict } from './verdict.ts';

/** A month on a PostgreSQL of its own, which is removed at the end. */
export async function runMonth(asked: { readonly seed: number; readonly isFull: boolean }) {
  const cluster = await startSimulationCluster();
  const ports = systemPorts({ logLevel: 'silent' });
  try {
    const session = await openSession({ url: cluster.postgresUrl, ports, role: null });
    await session.query(`create database month template ${cluster.template}`);
    await session.close();
    const address = new URL(cluster.postgresUrl);
    address.pathname = '/month';
    return await liveAndJudge({ ...(asked.isFull ? FULL_MONTH : SHORT_MONTH), seed: asked.seed, url: address.href });
  } finally {
    await cluster.stop();
  }
}

/** Lives a month, judges it, and says in a line or two what happened. */
export async function liveAndJudge(options: MonthOptions): Promise<{ verdict: Verdict; text: string }> {
  const owner = openDatabase({ url: options.url, ports: systemPorts({ logLevel: 'silent' }), role: null });
  try {
    const startedMs = performance.now();
    const month = await liveMonth(options);
    const seconds = (performance.now() - startedMs) / 1_000;
    const verdict = await judgeMonth(month, owner);
    return { verdict, text: toText(month, verdict, seconds) };
  } finally {
    await owner.close();
  }
}

function toText({ residents, nodes, tally, hours }: Month, verdict: Verdict, seconds: number): string {
  const { calls, sent, repeated, fromTheFuture, failedCalls, lostAnswers } = tally;
  return [
    `month: ${residents.length} users, ${nodes.length} nodes, ${verdict.records} records (${verdict.unbilled} unbilled) on ${verdict.days} days of wallets`,
    `  ${calls} reports with ${sent} records in ${seconds.toFixed(1)} s: ${Math.round(sent / seconds)} records a second`,
    `  ${repeated} repetitions, ${fromTheFuture} from the future, ${failedCalls} reports failed, ${lostAnswers} answers lost`,
    `  hours: ${Object.entries(hours)
      .map(([hour, count]) => `${count} ${hour}`)
      .join(', ')}`,
  ].join('\n');
}
