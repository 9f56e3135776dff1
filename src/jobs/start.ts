import { Logger, run, type Runner, type RunnerOptions, type TaskList } from 'graphile-worker';
import type { House } from '../operations/house.ts';
import type { Log } from '../ports/ports.ts';
import { JOBS } from './tasks.ts';
import { keepTicking, TICKS, type Tick } from './ticks.ts';

export interface JobsOptions {
  /** Connections of its own, of `openWorkerPool`: the queue keeps one to listen, and one for each job. Closed by whoever made it. */
  readonly pool: NonNullable<RunnerOptions['pgPool']>;
  /** Jobs at once. Each waits for a provider most of its time. */
  readonly concurrency?: number;
  /** What runs by the clock; by default everything. */
  readonly ticks?: readonly Tick[];
}

export interface RunningJobs {
  /** Takes no more jobs, finishes those that run, ends the ticks. Bounded: what does not end is taken up by the next process. */
  stop(): Promise<void>;
}

const CONCURRENCY = 3;
/** The queue is told of new jobs; this is how late it notices one whose time has come. */
const POLL_MS = 1_000;
const RESTART_AFTER_MS = 2_000;
const STOP_WITHIN_MS = 10_000;

/**
 * Starts the queue's workers and the ticks of one process.
 *
 * A worker that ends by itself (a database that went away for long) is started again for as long as the house runs.
 * The queue's tables must be there: migrations make them.
 */
export async function startJobs(house: House, options: JobsOptions): Promise<RunningJobs> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const first = await startWorkers(house, options);
  const workers = superviseWorkers(house, options, first, signal);
  const ticks = (options.ticks ?? TICKS).map((tick) => keepTicking(house, tick, signal));
  return {
    stop: async () => {
      stopping.abort();
      const late = new AbortController();
      await Promise.race([Promise.all([workers, ...ticks]), house.ports.clock.sleep(STOP_WITHIN_MS, late.signal)]);
      late.abort();
    },
  };
}

/**
 * Without a delay the runner writes the end of a job down and does not look whether that worked: a connection lost at that
 * moment is a rejection nobody hears. With one, even of 0 ms, it ends itself and is started again.
 */
const ENDS_ARE_HEARD = { completeJobBatchDelay: 0, failJobBatchDelay: 0 };

function startWorkers(house: House, options: JobsOptions): Promise<Runner> {
  return run({
    pgPool: options.pool,
    taskList: taskList(house),
    concurrency: options.concurrency ?? CONCURRENCY,
    pollInterval: POLL_MS,
    noHandleSignals: true,
    parsedCronItems: [],
    logger: bridgedLogger(house.ports.log),
    preset: { worker: ENDS_ARE_HEARD },
  });
}

async function superviseWorkers(house: House, options: JobsOptions, first: Runner, signal: AbortSignal): Promise<void> {
  let runner: Runner | null = first;
  while (!signal.aborted) {
    try {
      runner ??= await startWorkers(house, options);
      await endOf(runner, signal);
    } catch (error) {
      house.ports.log.warn({ error }, 'the job workers ended and will be started again');
    }
    if (signal.aborted) break;
    runner = null;
    await house.ports.clock.sleep(RESTART_AFTER_MS, signal);
  }
}

/** Until the workers end by themselves, or the signal has them stopped. */
async function endOf(runner: Runner, signal: AbortSignal): Promise<void> {
  const stop = (): void => {
    runner.stop().catch(() => undefined);
  };
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    await runner.promise;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function taskList(house: House): TaskList {
  return Object.fromEntries(
    Object.entries(JOBS).map(([name, job]) => [name, (payload: unknown) => job(house, payload)]),
  );
}

/** The queue tells of every job; here only what went wrong is worth a line. */
function bridgedLogger(log: Log): Logger {
  return new Logger((scope) => (level, message, meta) => {
    const facts = { ...scope, ...meta };
    if (level === 'error') log.error(facts, message);
    else if (level === 'warning') log.warn(facts, message);
    else log.debug(facts, message);
  });
}
