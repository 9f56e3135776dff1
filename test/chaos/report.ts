import type { ChaosReport } from './chaos.ts';

const LOGGED_MAX = 12;
const LINE_MAX = 160;

/** What a run reached and found, in a dozen lines. */
export function reportText(report: ChaosReport): string {
  const { blows, recovery, logged, violations, seconds } = report;
  const listed = [...blows].map(([blow, count]) => `${count} ${blow}`).join(', ');
  return [
    `${seconds} s: ${report.acknowledged} acknowledged, ${report.refused} refused, ${report.unknown} unknown (${report.unknownDone} of them done), ${report.credits} credits`,
    `harm: ${listed}`,
    `first refusal to next success after a kill: p50 ${recovery.p50} ms, p99 ${recovery.p99} ms, max ${recovery.max} ms (${recovery.count} kills that were felt)`,
    `slowest request ${report.slowestMs} ms`,
    ...[...logged].slice(0, LOGGED_MAX).map(([message, count]) => `  logged ${count} × ${message.slice(0, LINE_MAX)}`),
    violations.length === 0 ? 'every promise was kept' : `${violations.length} VIOLATIONS:\n${violations.join('\n')}`,
  ].join('\n');
}
