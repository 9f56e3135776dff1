import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemPorts } from '../../src/ports/system.ts';
import { DatabaseUnavailable } from '../../src/store/database-unavailable.ts';
import { statement } from '../../src/store/db.ts';
import { startEmbedded } from '../../src/store/embedded/embedded.ts';
import type { EmbeddedDatabase } from '../../src/store/embedded/embedded.ts';
import { isAlive } from '../../src/store/embedded/processes.ts';
import { openDatabase } from '../../src/store/postgres.ts';
import type { Database } from '../../src/store/postgres.ts';
import { chosenServer, clusterFolder, removeCluster } from '../support/cluster.ts';

/** How often the server dies under load, by turns in three ways. */
const DEATHS = 21;
const WRITERS = 8;
const BACK_WITHIN_MS = 5_000;
/** Writes acknowledged between two deaths: enough that each death meets the server at work. */
const WRITES_BETWEEN = 40;

const ports = systemPorts({ logLevel: 'silent' });
const ADD = statement('work.add', 'insert into work (id) values ($1) on conflict do nothing');
const IDS = statement('work.ids', 'select id from work');
const ONE = statement('test.one', 'select 1 as one');
const BACKEND = statement(
  'test.backend',
  `select pid from pg_stat_activity where application_name = 'hero-onboarding'
  and backend_type = 'client backend' and pid <> pg_backend_pid() limit 1`,
);

let folder: string;
let cluster: EmbeddedDatabase;
let db: Database;

beforeEach(async () => {
  folder = clusterFolder('restarts');
  // With fsync and all else as in service.
  cluster = await startEmbedded({ dataDir: folder, ports, ...(await chosenServer()) });
  db = openDatabase({ url: cluster.url, ports, role: null, poolMax: WRITERS });
});

afterEach(async () => {
  await db.close();
  await cluster.stop();
  removeCluster(folder);
});

/** Writes one row after another until told to stop; counts a write only when its commit was acknowledged. */
class Writers {
  readonly acknowledged = new Set<string>();
  refused = 0;
  #isStopped = false;
  readonly #all: Promise<void[]>;

  constructor() {
    this.#all = Promise.all(Array.from({ length: WRITERS }, (_, writer) => this.#write(writer)));
  }

  async #write(writer: number): Promise<void> {
    for (let n = 0; !this.#isStopped; n += 1) {
      const id = `${writer}-${n}`;
      try {
        await db.transaction('test', (tx) => tx.query(ADD, [id]));
        this.acknowledged.add(id);
      } catch (error) {
        if (!(error instanceof DatabaseUnavailable)) throw error;
        this.refused += 1;
        await ports.clock.sleep(10);
      }
    }
  }

  async until(count: number): Promise<void> {
    while (this.acknowledged.size < count) await ports.clock.sleep(5);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#all;
  }
}

/** By turns: the server is killed, it is told to stop, one of its connections is killed (then it ends all others). */
async function die(turn: number): Promise<void> {
  const [row] = await db.reserved.query(BACKEND);
  const [pid, signal] = (
    [
      [cluster.pid(), 'SIGKILL'],
      [cluster.pid(), 'SIGINT'],
      [Number(row?.['pid']), 'SIGKILL'],
    ] as const
  )[turn % 3] ?? [0, 'SIGKILL'];
  expect(pid).toBeGreaterThan(0);
  process.kill(pid, signal);
  while (isAlive(pid)) await ports.clock.sleep(1);
}

async function untilAnswered(): Promise<number> {
  const started = performance.now();
  for (;;) {
    const rows = await db.query(ONE).catch((error: unknown) => {
      if (error instanceof DatabaseUnavailable) return [];
      throw error;
    });
    if (rows.length === 1) return performance.now() - started;
    await ports.clock.sleep(10);
  }
}

describe('G04 PostgreSQL that dies and comes back under use', () => {
  it(
    `${DEATHS} times: the process lives, is back within 5 s each time, and no acknowledged commit is lost`,
    { timeout: 180_000 },
    async () => {
      await db.query(statement('test.table', 'create table work (id text primary key)'));
      const writers = new Writers();
      const backMs: number[] = [];
      const servers = new Set([cluster.pid()]);
      for (let turn = 0; turn < DEATHS; turn += 1) {
        await writers.until(writers.acknowledged.size + WRITES_BETWEEN);
        await die(turn);
        backMs.push(await untilAnswered());
        servers.add(cluster.pid());
      }
      await writers.until(writers.acknowledged.size + WRITES_BETWEEN);
      await writers.stop();
      const kept = new Set((await db.query(IDS)).map((row) => row['id']));
      const lost = [...writers.acknowledged].filter((id) => !kept.has(id));
      const slowest = Math.round(Math.max(...backMs));
      console.log(
        `${writers.acknowledged.size} acknowledged, ${lost.length} lost, ${writers.refused} refused; back after at most ${slowest} ms`,
      );
      expect(lost).toEqual([]);
      expect(servers.size).toBe(1 + (DEATHS / 3) * 2);
      expect(slowest).toBeLessThan(BACK_WITHIN_MS);
    },
  );
});
