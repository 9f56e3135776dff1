/**
 * One process that posts records as fast as it can, and says how fast that was. The benchmark starts it for each slot:
 * its processor time is then its own, and nothing of an earlier slot is left in it.
 */
import process from 'node:process';
import { Pool } from 'pg';
import { systemPorts } from '../src/ports/system.ts';
import { openDatabase } from '../src/store/postgres.ts';
import { openPostingLanes, type LaneLimits } from '../src/store/posting-lanes.ts';
import { postOne } from './naive.ts';
import { debit, type WalletChoice } from './records.ts';
import { Latencies } from './spread.ts';

export interface ContestantOrder {
  readonly kind: 'engine' | 'naive';
  readonly url: string;
  readonly wallets: WalletChoice;
  readonly inFlight: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  readonly limits: LaneLimits;
}

export interface ContestantResult {
  readonly records: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of this process, generating the records included. */
  readonly nodeMicros: number;
}

export type ContestantMessage = { readonly warm: true } | { readonly result: ContestantResult };

interface Poster {
  post(): Promise<void>;
  close(): Promise<void>;
}

const POOL_MAX = 10;

function openEngine(order: ContestantOrder): Poster {
  const ports = systemPorts({ logLevel: 'warn' });
  const db = openDatabase({ url: order.url, ports, poolMax: POOL_MAX });
  const queue = openPostingLanes(db, ports, order.limits);
  return {
    post: async () => {
      const outcome = await queue.post(debit(order.wallets, new Date()));
      if (outcome.kind !== 'applied') throw new Error(`a debit came to ${outcome.kind}`);
    },
    close: async () => {
      await queue.close();
      await db.close();
    },
  };
}

function openNaive(order: ContestantOrder): Poster {
  const pool = new Pool({ connectionString: order.url, max: POOL_MAX });
  return { post: () => postOne(pool, debit(order.wallets, new Date())), close: () => pool.end() };
}

async function run(order: ContestantOrder, send: (message: ContestantMessage) => void): Promise<void> {
  const poster = order.kind === 'engine' ? openEngine(order) : openNaive(order);
  const latencies = new Latencies();
  const measuring = { isOver: false };
  const caller = async (): Promise<void> => {
    while (!measuring.isOver) {
      const startedMs = performance.now();
      await poster.post();
      latencies.add(performance.now() - startedMs);
    }
  };
  const callers = Promise.all(Array.from({ length: order.inFlight }, caller));
  const measure = async (): Promise<void> => {
    await pause(order.warmUpMs);
    send({ warm: true });
    await new Promise((resolve) => process.once('message', resolve));
    latencies.clear();
    const startedMs = performance.now();
    const before = process.cpuUsage();
    await pause(order.measureMs);
    const { user, system } = process.cpuUsage(before);
    const records = latencies.count;
    const seconds = (performance.now() - startedMs) / 1000;
    send({ result: { records, seconds, nodeMicros: user + system, ...latencies.percentiles() } });
    measuring.isOver = true;
  };
  await Promise.race([callers, measure()]);
  await callers;
  await poster.close();
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

process.once('message', (order: ContestantOrder) => {
  run(order, (message) => process.send?.(message)).then(
    () => process.disconnect(),
    (error: unknown) => {
      console.error(error);
      process.exitCode = 1;
      process.disconnect();
    },
  );
});
