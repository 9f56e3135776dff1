/** `npm run simulate`: lives seeds until their time is over or a promise is broken, and tells what happened. */
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { writeHints } from './canary-hints.ts';
import { lineOf, runCanaries, type CanaryVerdict } from './canaries.ts';
import { startSimulationCluster, type SimulationCluster } from './cluster.ts';
import { commandOf, HELP, readCommandLine, type Options } from './command-line.ts';
import { addToCorpus, readCorpus } from './corpus.ts';
import { MARKS, RARE_AFTER_SEEDS, RARE_MARKS } from './marks.ts';
import { MUTANTS } from './mutants.ts';
import type { SeedOptions, SeedReport } from './run-seed.ts';
import { shrink } from './shrink.ts';
import { commitHere, machineHere, Tally } from './tally.ts';
import { Worker } from './workers.ts';

/** Every so many seeds one is lived twice. */
const TWICE_EVERY = 15;
/** Every so many seeds one is a life of renting, with half as many operations: the ticks of its weeks are the other half. */
const RENTING_EVERY = 4;
/** Of a bounded full run planted bugs have so much, and a quarter of them is asked for on however slow a machine. */
const CANARY_SHARE = 0.6;
const CANARIES_MIN_SHARE = 0.25;
/** After so many failing seeds there is enough to mend. */
const FAILURES_MAX = 3;
/** However slow the machine, a run of all there is lives so many: enough for every mark. */
const SEEDS_OF_A_FULL_RUN_MIN = 36;
const CANARY_OPERATIONS = 250;
const PROGRESS_EVERY_MS = 15_000;
const SHRINK_AT_LEAST_MS = 20_000;

interface Failure {
  readonly options: SeedOptions;
  readonly report: SeedReport | null;
  readonly why: readonly string[];
}

class Run {
  readonly options: Options;
  readonly tally = new Tally();
  readonly failures: Failure[] = [];
  readonly #cluster: SimulationCluster;
  readonly #workers: Worker[];
  #isEnding = false;

  constructor(options: Options, cluster: SimulationCluster) {
    this.options = options;
    this.#cluster = cluster;
    this.#workers = Array.from({ length: options.workers }, (_, index) => new Worker(index, options.mutant));
  }

  /** Seeds recorded earlier, each with what it was shrunk to. */
  async liveCorpus(): Promise<void> {
    const entries = readCorpus();
    say(`living ${entries.length} seeds of the corpus again`);
    const waiting = entries.map(({ seed, ops, renting, skipped, without }) => ({
      ...this.#optionsOf(seed, ops, renting === true),
      skipped: new Set(skipped),
      without: new Set(without),
    }));
    await this.#eachWorker(() => waiting.shift());
  }

  async liveSeeds(untilMs: number): Promise<void> {
    const { from, to, operations, isFull, isRenting, isMixed } = this.options;
    const least = isFull ? from + SEEDS_OF_A_FULL_RUN_MIN : from;
    say(`living seeds from ${from}${to === null ? '' : ` to ${to}`} with ${operations} operations each`);
    let next = from;
    await this.#eachWorker(() => {
      const isTimeOver = performance.now() >= untilMs && next >= least;
      if (isTimeOver || (to !== null && next > to) || this.isEnough) return undefined;
      const seed = next++;
      const rents = isRenting || (isMixed && seed % RENTING_EVERY === 0);
      return this.#optionsOf(seed, rents && isMixed ? Math.ceil(operations / 2) : operations, rents);
    });
  }

  /** A bounded full run begins at another bug with each commit: those that it has no time for have their turn at the next ones. */
  async liveCanaries(startedMs: number): Promise<CanaryVerdict[]> {
    const { mutant, records, isFull, seconds } = this.options;
    const isBounded = isFull && seconds !== null;
    const turn = isBounded ? Number.parseInt(commitHere().slice(0, 6), 16) % MUTANTS.length || 0 : 0;
    const mutants = mutant === null ? [...MUTANTS.slice(turn), ...MUTANTS.slice(0, turn)] : [mutant];
    const untilMs = isBounded ? startedMs + seconds * 1_000 * CANARY_SHARE : Number.POSITIVE_INFINITY;
    const least = Math.ceil(mutants.length * CANARIES_MIN_SHARE);
    say(`living seeds with ${mutants.length} planted bugs, one at a time`);
    for (const worker of this.#workers) worker.end();
    const verdicts = await runCanaries({
      mutants,
      isEnough: (begun) => begun >= least && performance.now() >= untilMs,
      workers: this.options.workers,
      isConfirming: this.options.isFull,
      optionsOf: (seed, isRenting) => this.#optionsOf(seed, CANARY_OPERATIONS, isRenting),
      onVerdict: (verdict) => say(lineOf(verdict)),
    });
    if (verdicts.length < mutants.length)
      say(
        `${verdicts.length} of ${mutants.length} had time, from ${mutants[0] ?? ''} on; the others have their turn at other commits`,
      );
    if (records && verdicts.length === mutants.length) writeHints(verdicts);
    return verdicts;
  }

  get isEnough(): boolean {
    return this.failures.length >= FAILURES_MAX;
  }

  /** Tells the first failing seed's smallest form. */
  async shrinkFirst(endMs: number): Promise<void> {
    const [failure] = this.failures;
    const [worker] = this.#workers;
    const { shrinkSeconds, mutant, records } = this.options;
    if (!failure?.report || !worker || shrinkSeconds === 0) return;
    // In a bounded run it has what is left of the time, and a little in any case.
    const leftMs = Math.max(endMs - performance.now(), SHRINK_AT_LEAST_MS);
    const untilMs = performance.now() + Math.min(leftMs, shrinkSeconds * 1_000);
    say(`making seed ${failure.report.seed} smaller`);
    const shrunk = await shrink({
      failed: failure.report,
      options: failure.options,
      live: (options) => worker.run(options),
      isTimeOver: () => performance.now() >= untilMs,
    });
    const { options, operations, faults, lives, isOutOfTime } = shrunk;
    say(
      `  ${operations} operations and ${faults.length} kinds of fault are left after ${lives} lives${isOutOfTime ? ' (time is over)' : ''}: ${faults.join(', ')}`,
    );
    say(`  ${commandOf({ ...options, mutant })}`);
    if (!records) return;
    addToCorpus({
      seed: options.seed,
      ops: options.operations,
      ...(options.isRenting === true && { renting: true }),
      skipped: [...(options.skipped ?? [])],
      without: [...(options.without ?? [])],
      rule: failure.why[0]?.split(' | ')[0] ?? '',
      commit: commitHere(),
      date: new Date().toISOString().slice(0, 10),
      lesson: '',
    });
    say('  it is in corpus.json now; write there what it taught');
  }

  end(): void {
    this.#isEnding = true;
    for (const worker of this.#workers) worker.end();
  }

  #optionsOf(seed: number, operations: number, isRenting = this.options.isRenting): SeedOptions {
    const { skipped, without, traceFile } = this.options;
    const { postgresUrl, template } = this.#cluster;
    return { seed, operations, isRenting, postgresUrl, template, skipped, without, showsTrace: traceFile !== null };
  }

  async #eachWorker(next: () => SeedOptions | undefined): Promise<void> {
    await Promise.all(
      this.#workers.map(async (worker) => {
        for (let options = next(); options !== undefined; options = next()) await this.#live(worker, options);
      }),
    );
  }

  async #live(worker: Worker, options: SeedOptions): Promise<void> {
    const isTwice = options.seed % TWICE_EVERY === 0;
    try {
      const report = await worker.run(options, isTwice);
      this.tally.add(report, isTwice);
      const { traceFile } = this.options;
      if (traceFile !== null) writeFileSync(traceFile, `${report.trace.join('\n')}\n`);
      if (report.violations.length > 0) {
        this.#fail({ options, report, why: report.violations.map(({ rule, detail }) => `${rule} | ${detail}`) });
      }
    } catch (error) {
      this.#fail({ options, report: null, why: [`the run fails | ${String(error)}`] });
    }
  }

  #fail(failure: Failure): void {
    // Killed by us, not by what it lived.
    if (this.#isEnding) return;
    this.failures.push(failure);
    const { options, report, why } = failure;
    say(
      `\nSEED ${options.seed} BREAKS A PROMISE, at commit ${commitHere()}, with ${report?.begunOperations ?? '?'} operations begun`,
    );
    for (const line of why.slice(0, 6)) say(`  ${line.slice(0, 2_000)}`);
    if (why.length > 6) say(`  and ${why.length - 6} more`);
    say(`  ${commandOf({ ...options, mutant: this.options.mutant })}\n`);
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** What a run ends with, besides its figures. */
interface Outcome {
  readonly failures: readonly Failure[];
  /** Marks that a full run must hit and did not. */
  readonly missed: readonly string[];
  readonly canaries: readonly CanaryVerdict[];
}

function complaintsOf({ failures, missed, canaries }: Outcome): string[] {
  const alive = canaries.filter(({ verdict }) => verdict !== 'killed').map(({ mutant }) => mutant);
  return [
    ...(failures.length === 0 ? [] : [`${failures.length} seeds break a promise`]),
    ...(missed.length === 0 ? [] : [`${missed.length} marks are missed`]),
    ...(alive.length === 0 ? [] : [`${alive.length} planted bugs live: ${alive.join(', ')}`]),
  ];
}

async function stages(run: Run, startedMs: number): Promise<Outcome & { readonly summary: string }> {
  const { options, tally, failures } = run;
  const endMs = startedMs + (options.seconds ?? Number.POSITIVE_INFINITY) * 1_000;
  // First the planted bugs, in their share; the seeds have what is left of the time.
  const canaries = options.livesCanaries ? await run.liveCanaries(startedMs) : [];
  tally.begin();
  if (options.livesCorpus) await run.liveCorpus();
  if (options.livesSeeds) await run.liveSeeds(endMs);
  const missed = options.isFull
    ? MARKS.filter((mark) => !tally.marks.has(mark) && (tally.seeds >= RARE_AFTER_SEEDS || !RARE_MARKS.has(mark)))
    : [];
  const summary = tally.seeds === 0 ? '' : tally.summary(missed);
  if (failures.length > 0) await run.shrinkFirst(endMs);
  return { failures, missed, canaries, summary };
}

async function simulate(options: Options): Promise<number> {
  const startedMs = performance.now();
  const cluster = await startSimulationCluster();
  const run = new Run(options, cluster);
  const stop = async (): Promise<void> => {
    run.end();
    await cluster.stop();
  };
  // Ctrl-C may arrive twice, once from the terminal and once from npm: the second must not cut the first short.
  let isStopping = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (isStopping) return;
      isStopping = true;
      say('stopping');
      void stop().finally(() => process.exit(130));
    });
  }
  // The planted bugs tell of themselves, one line each.
  const progress = setInterval(() => {
    if (run.tally.isRunning) say(run.tally.progress(run.failures.length));
  }, PROGRESS_EVERY_MS);
  try {
    const outcome = await stages(run, startedMs);
    tell(options, run.tally, outcome);
    return complaintsOf(outcome).length === 0 ? 0 : 1;
  } finally {
    clearInterval(progress);
    await stop();
  }
}

function tell(options: Options, tally: Tally, outcome: Outcome & { readonly summary: string }): void {
  const { failures, missed, canaries, summary } = outcome;
  const head = { commit: commitHere(), machine: machineHere(), date: new Date().toISOString() };
  const complaints = complaintsOf(outcome);
  say(`\n${head.date} · commit ${head.commit} · ${head.machine}${summary === '' ? '' : `\n${summary}`}`);
  if (canaries.length > 0) say(['planted bugs', ...canaries.map(lineOf)].join('\n'));
  say(complaints.length === 0 ? 'violations   0' : `RED          ${complaints.join('; ')}`);
  if (!options.isJson) return;
  const failed = failures.map(({ options: { seed, operations }, why }) => ({ seed, operations, why }));
  const figures = { ...head, ...tally.toJson(), missed, canaries, failures: failed };
  process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
}

try {
  const options = readCommandLine(process.argv.slice(2), process.env, Math.random());
  if (options === null) process.stdout.write(HELP);
  else process.exit(await simulate(options));
} catch (error) {
  say(error instanceof RangeError || error instanceof TypeError ? error.message : String(error));
  process.exit(2);
}
