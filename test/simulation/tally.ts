import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import process from 'node:process';
import { FAULTS, type Fault } from './faults.ts';
import type { SeedReport } from './run-seed.ts';

/** What the seeds of a run did, added up. */
export class Tally {
  seeds = 0;
  twice = 0;
  operations = 0;
  answers = 0;
  steps = 0;
  virtualMs = 0;
  healing = 0;
  readonly faults = new Map<Fault, number>();
  /** How many seeds hit each. */
  readonly marks = new Map<string, number>();
  #startedMs: number | null = null;
  #endedMs: number | null = null;

  /** The seeds begin now; the time before was not theirs. */
  begin(): void {
    this.#startedMs = performance.now();
  }

  add(report: SeedReport, isTwice: boolean): void {
    this.seeds += 1;
    this.twice += isTwice ? 1 : 0;
    const lives = isTwice ? 2 : 1;
    this.operations += lives * report.operations;
    this.answers += lives * report.answers;
    this.steps += lives * report.steps;
    this.virtualMs += lives * report.virtualMs;
    this.healing += report.heals ? 1 : 0;
    for (const [fault, count] of report.faults) this.faults.set(fault, (this.faults.get(fault) ?? 0) + lives * count);
    for (const mark of report.marks) this.marks.set(mark, (this.marks.get(mark) ?? 0) + 1);
  }

  get faultCount(): number {
    return [...this.faults.values()].reduce((sum, count) => sum + count, 0);
  }

  get isRunning(): boolean {
    return this.#startedMs !== null && this.#endedMs === null;
  }

  get seconds(): number {
    const nowMs = this.#endedMs ?? performance.now();
    return (nowMs - (this.#startedMs ?? nowMs)) / 1_000;
  }

  progress(violations: number): string {
    const rate = Math.round(this.operations / Math.max(this.seconds, 0.001));
    return [
      `${Math.round(this.seconds)} s`,
      `${number(this.seeds)} seeds`,
      `${number(this.operations)} operations (${number(rate)}/s)`,
      `${number(this.faultCount)} faults of ${this.faults.size} kinds`,
      `${this.marks.size} marks`,
      `${violations} violations`,
    ].join(' · ');
  }

  /** Stops the clock too: what comes after it is no longer this run's. */
  summary(missed: readonly string[]): string {
    this.#endedMs ??= performance.now();
    const days = this.virtualMs / 86_400_000;
    const lines = [
      `seeds        ${number(this.seeds)} (${number(this.healing)} with healing, ${number(this.twice)} lived twice: the same life)`,
      `operations   ${number(this.operations)}, ${number(this.answers)} answers, ${number(this.steps)} steps`,
      `speed        ${number(Math.round(this.operations / this.seconds))} operations/s over ${Math.round(this.seconds)} s`,
      `lived        ${days < 730 ? `${days.toFixed(1)} days` : `${(days / 365.25).toFixed(1)} years`} of virtual time`,
      `faults       ${number(this.faultCount)} of ${this.faults.size} kinds of ${FAULTS.length}`,
      ...FAULTS.map((fault) => `  ${fault.padEnd(26)}${number(this.faults.get(fault) ?? 0).padStart(9)}`),
      `marks        ${this.marks.size} hit${missed.length === 0 ? '' : `, ${missed.length} missed`}`,
      ...[...this.marks]
        .sort(([a], [b]) => a.localeCompare(b))
        .map(([mark, count]) => `  ${mark.padEnd(60)}${number(count).padStart(7)} seeds`),
      ...missed.map((mark) => `  ${mark.padEnd(60)} MISSED`),
    ];
    return lines.join('\n');
  }

  toJson() {
    const { seeds, twice, operations, answers, steps, virtualMs, seconds } = this;
    const faults = Object.fromEntries(this.faults);
    return {
      seeds,
      twice,
      operations,
      answers,
      steps,
      virtualMs,
      seconds,
      faults,
      marks: Object.fromEntries(this.marks),
    };
  }
}

export const number = (value: number): string => value.toLocaleString('en-US');

/** The commit that is checked out; a plus when the working copy differs from it. */
export function commitHere(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    return (
      git('rev-parse', '--short=12', 'HEAD') + (git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+')
    );
  } catch {
    return 'unknown';
  }
}

export function machineHere(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  return `${cpus().length} × ${model}, Node ${process.versions.node}`;
}
