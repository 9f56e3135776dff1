import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import type { LaneLimits } from '../src/store/posting-lanes.ts';
import type { ContestantMessage, ContestantOrder, ContestantResult } from './contestant.ts';
import { addTransferFunction, runPgbench } from './pgbench.ts';
import { machineMicros, serverMicros } from './processor.ts';
import type { WalletChoice } from './records.ts';
import { inSession, type BenchServer } from './server.ts';

/** What is measured for some seconds, in turn with the others. */
export interface Contestant {
  readonly name: string;
  readonly kind: 'engine' | 'naive' | 'pgbench';
  readonly wallets: WalletChoice;
  /** In all processes together. */
  readonly inFlight: number;
  readonly processes: 1 | 2;
  /** A database that lives through all rounds; absent: a fresh one for each slot, with 10,000 wallets and no debit yet. */
  readonly database?: string;
}

export interface SlotTimes {
  readonly warmUpMs: number;
  readonly measureMs: number;
}

export interface SlotResult {
  readonly recordsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of all PostgreSQL processes, a record; null where the system does not tell. */
  readonly serverMicros: number | null;
  readonly nodeMicros: number | null;
  /** How much of the machine's processors other programs took meanwhile: 1 is one whole processor. */
  readonly others: number | null;
  /** Checkpoints that were finished within the slot: pages written whole again after one make everything slower. */
  readonly checkpoints: number;
}

export interface SlotOptions {
  readonly server: BenchServer;
  readonly contestant: Contestant;
  readonly times: SlotTimes;
  readonly limits: LaneLimits;
  readonly pgbench: string | null;
  readonly databaseName: string;
}

/** Null: the contestant cannot run here. */
export async function runSlot(options: SlotOptions): Promise<SlotResult | null> {
  const { contestant, server, databaseName } = options;
  if (contestant.kind === 'pgbench' && options.pgbench === null) return null;
  const url =
    contestant.database === undefined ? await server.freshDatabase(databaseName) : server.urlOf(contestant.database);
  return contestant.kind === 'pgbench' && options.pgbench !== null
    ? await pgbenchSlot(options, url, options.pgbench)
    : await processSlot(options, url);
}

async function pgbenchSlot({ server, times }: SlotOptions, url: string, program: string): Promise<SlotResult> {
  await addTransferFunction(url, server.ports);
  await runPgbench(program, url, Math.max(1, Math.round(times.warmUpMs / 1000)));
  const watch = await startWatch(server);
  const result = await runPgbench(program, url, Math.max(1, Math.round(times.measureMs / 1000)));
  return { ...(await watch.stop(result.records, null)), ...rates([result]) };
}

async function processSlot({ server, contestant, times, limits }: SlotOptions, url: string): Promise<SlotResult> {
  if (contestant.kind === 'pgbench') throw new TypeError('pgbench is not one of our processes');
  const { kind, wallets, processes } = contestant;
  const inFlight = Math.ceil(contestant.inFlight / processes);
  const order: ContestantOrder = { kind, url, wallets, inFlight, ...times, limits };
  const children = Array.from({ length: processes }, () => new Child(order));
  try {
    await Promise.all(children.map((child) => child.warm));
    const watch = await startWatch(server);
    for (const child of children) child.measure();
    const results = await Promise.all(children.map((child) => child.result));
    const records = results.reduce((sum, result) => sum + result.records, 0);
    const nodeMicros = results.reduce((sum, result) => sum + result.nodeMicros, 0);
    const watched = await watch.stop(records, nodeMicros);
    await Promise.all(children.map((child) => child.ended));
    return { ...watched, ...rates(results) };
  } finally {
    for (const child of children) child.kill();
  }
}

/** The later of two processes' percentiles: a caller may be with either. */
function rates(results: readonly Pick<ContestantResult, 'records' | 'seconds' | 'p50Ms' | 'p99Ms'>[]) {
  return {
    recordsPerSecond: results.reduce((sum, { records, seconds }) => sum + records / seconds, 0),
    p50Ms: Math.max(...results.map((result) => result.p50Ms)),
    p99Ms: Math.max(...results.map((result) => result.p99Ms)),
  };
}

/** For connecting, and for the last records to come back. */
const GRACE_MS = 40_000;

class Child {
  readonly warm: Promise<void>;
  readonly result: Promise<ContestantResult>;
  readonly ended: Promise<void>;
  readonly #process: ChildProcess;
  readonly #alarm: NodeJS.Timeout;

  constructor(order: ContestantOrder) {
    this.#process = fork(path.join(import.meta.dirname, 'contestant.ts'));
    this.#alarm = setTimeout(() => this.kill(), order.warmUpMs + order.measureMs + GRACE_MS);
    this.ended = new Promise((resolve, reject) => {
      this.#process.once('exit', (code) => {
        clearTimeout(this.#alarm);
        if (code === 0) resolve();
        else reject(new Error(`a ${order.kind} process of the benchmark failed or took too long`));
      });
    });
    const first = <T>(read: (message: ContestantMessage) => T | undefined): Promise<T> =>
      new Promise((resolve, reject) => {
        this.#process.on('message', (message: ContestantMessage) => {
          const found = read(message);
          if (found !== undefined) resolve(found);
        });
        this.ended.then(() => reject(new Error('a process of the benchmark ended early')), reject);
      });
    this.warm = first((message) => ('warm' in message ? true : undefined)).then(() => undefined);
    this.result = first((message) => ('result' in message ? message.result : undefined));
    // Each is awaited later; until then a failure of one must not end the program.
    for (const promise of [this.ended, this.warm, this.result]) promise.catch(() => undefined);
    this.#process.send(order);
  }

  measure(): void {
    this.#process.send({ go: true });
  }

  kill(): void {
    clearTimeout(this.#alarm);
    this.#process.kill('SIGKILL');
  }
}

type Watched = Pick<SlotResult, 'serverMicros' | 'nodeMicros' | 'others' | 'checkpoints'>;

/** Reads the counters now, and again at `stop`. */
async function startWatch(server: BenchServer) {
  const checkpointsBefore = await countCheckpoints(server);
  const startedMs = performance.now();
  const used = { server: serverMicros(server.pid()), machine: machineMicros() };
  return {
    stop: async (records: number, nodeMicros: number | null): Promise<Watched> => {
      const ofServer = difference(serverMicros(server.pid()), used.server);
      const ofMachine = difference(machineMicros(), used.machine);
      const elapsedMicros = (performance.now() - startedMs) * 1000;
      const checkpoints = (await countCheckpoints(server)) - checkpointsBefore;
      const isKnown = ofMachine !== null && ofServer !== null && nodeMicros !== null;
      return {
        serverMicros: ofServer === null ? null : ofServer / records,
        nodeMicros: nodeMicros === null ? null : nodeMicros / records,
        others: isKnown ? Math.max(0, (ofMachine - ofServer - nodeMicros) / elapsedMicros) : null,
        checkpoints,
      };
    },
  };
}

const difference = (after: number | null, before: number | null): number | null =>
  after === null || before === null ? null : after - before;

async function countCheckpoints(server: BenchServer): Promise<number> {
  return await inSession(server.urlOf('postgres'), server.ports, async (session) => {
    const rows = await session.query('select num_timed + num_requested as count from pg_stat_checkpointer');
    return Number(rows[0]?.['count']);
  });
}
