import { error, type Check, type Finding } from './check.ts';

export interface CheckResult {
  readonly id: number;
  readonly title: string;
  readonly remedy: string;
  /** Null: could not be looked at; the reason stands with another check. */
  readonly findings: readonly Finding[] | null;
}

/** Judges one kind of facts. Facts that are null could not be had. */
export function judgeAll<F>(checks: readonly Check<F>[], facts: F | null): CheckResult[] {
  return checks.map(({ id, title, remedy, judge }) => ({
    id,
    title,
    remedy,
    findings: facts === null ? null : judge(facts),
  }));
}

/** What stands before all checks: settings that cannot be read, or contradict one another. */
export const READABLE = {
  id: 0,
  title: 'the settings can be read and fit together',
  why: 'A server with such settings does not start at all.',
  remedy: 'Correct the settings named; docs/reference/configuration.md says what each may be.',
} as const;

export const readable = (problems: readonly string[]): CheckResult => ({
  ...READABLE,
  findings: problems.map((problem) => error(problem)),
});

type Level = 'ok' | 'warning' | 'error' | 'not_checked';

function levelOf({ findings }: CheckResult): Level {
  if (findings === null) return 'not_checked';
  if (findings.some(({ level }) => level === 'error')) return 'error';
  return findings.length > 0 ? 'warning' : 'ok';
}

/** What could not be looked at is not fit either: silence is not consent. */
export const isReady = (results: readonly CheckResult[]): boolean =>
  results.every((result) => ['ok', 'warning'].includes(levelOf(result)));

const count = (results: readonly CheckResult[], level: Level): number =>
  results.filter((result) => levelOf(result) === level).length;

export function reportJson(results: readonly CheckResult[]): string {
  const checks = results.map((result) => ({
    id: result.id,
    title: result.title,
    level: levelOf(result),
    reasons: (result.findings ?? []).map(({ reason }) => reason),
  }));
  const totals = { is_ready: isReady(results), errors: count(results, 'error'), warnings: count(results, 'warning') };
  return `${JSON.stringify({ ...totals, not_checked: count(results, 'not_checked'), checks }, null, 2)}\n`;
}

const WORDS: Readonly<Record<Level, string>> = {
  ok: 'ok',
  warning: 'WARNING',
  error: 'ERROR',
  not_checked: 'not checked',
};

export function reportText(results: readonly CheckResult[]): string {
  const lines = results.flatMap((result) => {
    const level = levelOf(result);
    const head = `${WORDS[level].padEnd(12)}${String(result.id).padStart(2)}  ${result.title}`;
    const reasons = (result.findings ?? []).map(({ reason }) => `${' '.repeat(16)}${reason}`);
    return reasons.length === 0 ? [head] : [head, ...reasons, `${' '.repeat(16)}→ ${result.remedy}`];
  });
  const errors = count(results, 'error');
  const left = count(results, 'not_checked');
  const verdict = isReady(results)
    ? 'This configuration is ready for production.'
    : `This configuration is NOT ready for production: ${errors} errors, ${left} not checked.`;
  return `${lines.join('\n')}\n\n${verdict}\n`;
}
