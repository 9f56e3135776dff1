import type { House } from '../src/operations/house.ts';
import { idsFrom } from '../src/ports/ids.ts';
import type { Ports } from '../src/ports/ports.ts';
import { systemClock } from '../src/ports/system.ts';
import type { Db } from '../src/store/db.ts';
import { openDatabase } from '../src/store/postgres.ts';
import { testHouse } from '../test/support/house.ts';
import { processMicros, serverMicros } from './processor.ts';
import type { BenchServer } from './server.ts';
import { spreadOf } from './spread.ts';

/** What something took: as a whole, and the processors for each of the things done. */
export interface Took {
  readonly ms: number;
  readonly nodeMicros: number | null;
  readonly serverMicros: number | null;
}

export interface Bench<T> {
  readonly url: string;
  /** Houses on it that work at once, each over connections of its own. */
  readonly processes: number;
  /** What time it is for them. */
  readonly nowMs: number;
  readonly work: (house: House) => Promise<T>;
  /** Throws unless everything is as it should be; answers how many things were done. */
  readonly check: (results: readonly T[], db: Db) => Promise<number>;
}

/** Lets houses work in this process, and tells what it took. */
export async function timeHouses<T>(server: BenchServer, bench: Bench<T>): Promise<Took> {
  const { url, processes, nowMs, work, check } = bench;
  const clock = { ...systemClock, now: () => new Date(nowMs) };
  const ports: Ports = { ...server.ports, clock, ids: idsFrom(clock, server.ports.random) };
  const open = () => openDatabase({ url, ports: { ...ports, clock: systemClock } });
  const first = open();
  const databases = [first, ...Array.from({ length: processes - 1 }, open)];
  try {
    const houses = databases.map((db) => testHouse({ db, ports }));
    const before = { ms: performance.now(), node: processMicros(process.pid), server: serverMicros(server.pid()) };
    const results = await Promise.all(houses.map(work));
    const after = { ms: performance.now(), node: processMicros(process.pid), server: serverMicros(server.pid()) };
    const done = await check(results, first);
    const each = (from: number | null, to: number | null) => (from === null || to === null ? null : (to - from) / done);
    return {
      ms: after.ms - before.ms,
      nodeMicros: each(before.node, after.node),
      serverMicros: each(before.server, after.server),
    };
  } finally {
    for (const db of databases) await db.close();
  }
}

/** A median with its extremes. */
export function shown(values: readonly (number | null)[]): string {
  const spread = spreadOf(values);
  if (spread === null) return '–';
  const [median, min, max] = [spread.median, spread.min, spread.max].map(Math.round);
  return `${median} (${min} to ${max})`;
}
