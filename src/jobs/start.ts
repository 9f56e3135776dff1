import { EventEmitter } from 'node:events';
import { Logger, run, type Runner, type RunnerOptions, type WorkerEvents } from 'graphile-worker';
import type { House, JobName } from '../operations/house.ts';
import type { Clock, Log } from '../ports/ports.ts';
import { LANES, WORKERS } from './lanes.ts';
import { refuseImpossiblePaces } from './pace.ts';
import { JOBS } from './tasks.ts';
import type { Tick } from '../operations/tick.ts';
import { COMPARE_TICK, FOLLOW_TICK, keepTicking } from './ticks.ts';

type WorkerPool = NonNullable<RunnerOptions['pgPool']>;

export interface JobsOptions {
  /** Makes connections of their own for the workers, by `openWorkerPool`: {@link WORKER_CONNECTIONS} of them. Closed with them. */
  readonly openPool: () => WorkerPool;
  /** By default {@link STALLED_AFTER_MS}. */
  readonly stalledAfterMs?: number;
  /** What runs by the clock; by default all that the house does. */
  readonly ticks?: readonly Tick[];
}

export interface RunningJobs {
  /** Takes no more jobs, finishes those that run, ends the ticks. Bounded: what does not end is taken up by the next process. */
  stop(): Promise<void>;
}

/** Each lane keeps one to listen, and one for each job that runs. */
export const WORKER_CONNECTIONS = LANES.reduce((sum, lane) => sum + 1 + WORKERS[lane], 0);
/** The queue is told of new jobs; this is how late it notices one whose time has come. */
const POLL_MS = 1_000;
const RESTART_AFTER_MS = 2_000;
const STOP_WITHIN_MS = 10_000;
/** Idle workers ask for a job each second: ones that have not been heard for so long hang on something and are replaced. */
const STALLED_AFTER_MS = 20_000;
const LOOK_AT_PULSE_MS = 2_000;

/**
 * Starts the queue's workers and the ticks of one process.
 *
 * A worker that ends by itself (a database that went away for long) is started again for as long as the house runs.
 * The queue's tables must be there: migrations make them.
 */
export async function startJobs(house: House, options: JobsOptions): Promise<RunningJobs> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const ticksHere = options.ticks ?? house.ticks;
  refuseImpossiblePaces(ticksHere, house.ports.clock.now());
  const first = await startWorkers(house, options);
  const workers = superviseWorkers(house, options, first, signal);
  const follows = house.movableClock === null ? [] : [FOLLOW_TICK];
  const ticks = [COMPARE_TICK, ...follows, ...ticksHere].map((tick) => keepTicking(house, tick, signal));
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

/** What is heard of the workers of one runner. */
class Pulse {
  readonly events: WorkerEvents = new EventEmitter();
  readonly #clock: Clock;
  readonly #stalledAfterMs: number;
  #heardMs: number;
  #jobs = 0;

  constructor(clock: Clock, stalledAfterMs: number) {
    this.#clock = clock;
    this.#stalledAfterMs = stalledAfterMs;
    this.#heardMs = clock.monotonicMs();
    const hear = (): void => {
      this.#heardMs = clock.monotonicMs();
    };
    this.events.on('worker:getJob:empty', hear);
    this.events.on('job:start', () => {
      this.#jobs += 1;
      hear();
    });
    this.events.on('job:complete', () => {
      this.#jobs -= 1;
      hear();
    });
  }

  /** Silent although none of them works on a job: a long job is no reason to give its worker up. */
  get isStalled(): boolean {
    return this.#jobs <= 0 && this.#clock.monotonicMs() - this.#heardMs > this.#stalledAfterMs;
  }
}

/** One lane: a kind of job, and those who work on it. */
interface Lane {
  readonly runner: Runner;
  readonly pulse: Pulse;
}

/** All lanes of a process, on connections that they share. */
interface Workers {
  readonly lanes: readonly Lane[];
  readonly pool: WorkerPool;
}

async function startWorkers(house: House, options: JobsOptions): Promise<Workers> {
  const pool = options.openPool();
  const lanes: Lane[] = [];
  try {
    for (const name of LANES) lanes.push(await startLane(house, name, { pool, options }));
    return { lanes, pool };
  } catch (error) {
    for (const { runner } of lanes) runner.stop().catch(() => undefined);
    await pool.end();
    throw error;
  }
}

async function startLane(
  house: House,
  name: JobName,
  { pool, options }: { readonly pool: WorkerPool; readonly options: JobsOptions },
): Promise<Lane> {
  const pulse = new Pulse(house.ports.clock, options.stalledAfterMs ?? STALLED_AFTER_MS);
  const runner = await run({
    events: pulse.events,
    pgPool: pool,
    taskList: { [name]: (payload: unknown) => JOBS[name](house, payload) },
    concurrency: WORKERS[name],
    pollInterval: POLL_MS,
    noHandleSignals: true,
    parsedCronItems: [],
    logger: bridgedLogger(house.ports.log),
    preset: { worker: ENDS_ARE_HEARD },
  });
  return { runner, pulse };
}

async function superviseWorkers(
  house: House,
  options: JobsOptions,
  first: Workers,
  signal: AbortSignal,
): Promise<void> {
  let workers: Workers | null = first;
  while (!signal.aborted) {
    try {
      workers ??= await startWorkers(house, options);
      await endOf(workers, house.ports.clock, signal);
    } catch (error) {
      house.ports.log.warn({ error }, 'the job workers ended and will be started again');
    }
    if (signal.aborted) break;
    workers = null;
    await house.ports.clock.sleep(RESTART_AFTER_MS, signal);
  }
}

/**
 * Until the workers of a lane end by themselves, or the signal has all of them stopped. Throws when some hang, be it while they work or
 * while they end: what they leave behind, locked jobs and all, the sweeps take up.
 */
async function endOf({ lanes, pool }: Workers, clock: Clock, signal: AbortSignal): Promise<void> {
  const stop = (): void => {
    for (const { runner } of lanes) runner.stop().catch(() => undefined);
  };
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  const isOver = new AbortController();
  const ends = lanes.map(({ runner }) => runner.promise);
  try {
    const stalls = lanes.map(({ pulse }) => stallOf(pulse, clock, isOver.signal));
    await Promise.race([...ends, ...stalls]);
    stop();
    // The others finish what they have begun.
    await Promise.race([Promise.all(ends), ...stalls]);
  } catch (error) {
    stop();
    throw error;
  } finally {
    isOver.abort();
    signal.removeEventListener('abort', stop);
    const closed = pool.end().catch(() => undefined);
    // Otherwise not waited for: a connection that hangs would keep the next workers from starting.
    if (signal.aborted) await closed;
  }
}

async function stallOf(pulse: Pulse, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    if (pulse.isStalled) throw new Error('the job workers have fallen silent');
    await clock.sleep(LOOK_AT_PULSE_MS, signal);
  }
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
