import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { micros } from '../../src/domain/money.ts';
import { isRefusal } from '../../src/domain/refusal.ts';
import type { House } from '../../src/operations/house.ts';
import { makeKey } from '../../src/operations/key/new-key.ts';
import { aggregateUsage } from '../../src/operations/usage/aggregate-usage.ts';
import { pushUsage } from '../../src/operations/usage/push-usage.ts';
import { usageQueue } from '../../src/operations/usage/queue.ts';
import { execute } from '../../src/operations/execute.ts';
import { systemPorts } from '../../src/ports/system.ts';
import type { Ports } from '../../src/ports/ports.ts';
import { checkLedger } from '../../src/store/ledger-check.ts';
import { insertNode, type NodeRow } from '../../src/store/node.ts';
import { countWaiting } from '../../src/store/usage-queue.ts';
import { readWalletBySid, type WalletRow } from '../../src/store/wallet.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { hasty, otoml, testForge, type TestForge } from '../support/forge.ts';
import { testHouse } from '../support/house.ts';
import { fund, openWallets } from '../support/ledger.ts';
import { Crash, testPorts } from '../support/ports.ts';

/**
 * The process dies at every place where it waits: before and after each statement, each commit and each call to the Forge. The places
 * are counted in one undisturbed run; then each of them is a run with a node, a wallet and a repository of its own.
 */
let database: TestDatabase;
let healthy: House;
beforeAll(async () => {
  database = await testDatabase();
  healthy = testHouse({ db: database.db, ports: testPorts({ seed: 5 }) });
});
afterAll(async () => {
  const { results } = await checkLedger(database.owner);
  expect(results.filter(({ rows }) => rows.length > 0)).toEqual([]);
  await healthy.lanes.close();
  await database.close();
});

interface Scene {
  readonly forge: TestForge;
  readonly node: NodeRow;
  readonly wallet: WalletRow;
  readonly records: readonly Record<string, unknown>[];
}

async function scene(): Promise<Scene> {
  const { clock, ids } = healthy.ports;
  const limits = { recordMax: micros(10n ** 9n), hourMax: micros(10n ** 12n) };
  const made = {
    sid: ids.sid(),
    name: `node-${ids.sid().toLowerCase()}`,
    userSids: null,
    createdAt: clock.now(),
    ...limits,
  };
  const node = await insertNode(database.db, { ...made, ...makeKey(healthy, 'node') });
  const [wallet] = await openWallets(database.db, healthy.ports, 1);
  if (!node || !wallet) throw new Error('no node, or no wallet');
  await fund(database.db, healthy.ports, wallet, 100_000_000n);
  const records = [1, 2, 3].map((hour) => ({
    idempotency_key: `${wallet.sid}-${hour}`,
    user_sid: wallet.userSid,
    applies_to: 'hero_os_hourly',
    resource_kind: 'small',
    quantity: '10',
    occurred_at: `2026-03-01T0${Math.ceil(hour / 2)}:00:00.000Z`,
  }));
  return { forge: await testForge(), node, wallet, records };
}

const pathOf = ({ node }: Scene, hour: number): string => `nodes/${node.name}/usage_2026-03-01-0${hour}.otoml`;
const houseOf = (told: Scene, ports: Ports, db = database.open({ ports })): House => {
  const house = hasty(testHouse({ db, ports }));
  return { ...house, usageRepository: told.forge.repository(house.ports) };
};

let processes = 0;
/** A process of its own that dies at its k-th await and every later one; null lives. Answers the places it came by. */
async function die(told: Scene, act: (house: House) => Promise<unknown>, points: number | null): Promise<string[]> {
  processes += 1;
  const ports = testPorts({ seed: 1_000 + processes });
  const db = database.open({ ports });
  ports.crash.dieAfter(points);
  const house = houseOf(told, ports, db);
  try {
    await act(house);
  } catch (error) {
    // A lane tells its callers of the crash in its own words.
    if (points === null || !isOfCrash(error)) throw error;
  }
  // A batch that failed is split, and its halves die too: nothing of this process may be alive when the next one begins.
  await house.lanes.close();
  const reached = [...ports.crash.reached];
  ports.crash.dieAfter(null);
  await db.close();
  return reached;
}
const isOfCrash = (error: unknown): boolean =>
  error instanceof Crash || (error instanceof Error && isOfCrash(error.cause));

interface Flow {
  readonly prepare: (told: Scene) => Promise<void>;
  readonly act: (house: House, told: Scene) => Promise<unknown>;
  readonly verify: (told: Scene) => Promise<void>;
  /** Places that the flow must come by, so that the sweep is known to be one. */
  readonly passes: readonly string[];
}

async function sweep({ prepare, act, verify, passes }: Flow): Promise<void> {
  const run = async (points: number | null): Promise<string[]> => {
    const told = await scene();
    try {
      await prepare(told);
      const reached = await die(told, (house) => act(house, told), points);
      // A seed of its own for each: ids that repeat would be another fault than a crash.
      await act(houseOf(told, testPorts({ seed: 10_000 + processes }), database.db), told);
      await verify(told);
      return reached;
    } finally {
      await told.forge.close();
    }
  };
  const places = await run(null);
  for (const place of passes) expect(places).toContain(place);
  for (let points = 0; points < places.length; points += 1) await run(points);
}

const queue = async (house: House, { node, records }: Scene): Promise<void> => {
  const actor = { kind: 'node', id: `node:${node.sid}`, node } as const;
  const reply = await execute(house, usageQueue, {
    actor,
    input: { records },
    idempotencyKey: null,
    requestId: 'req_1',
  });
  // A dead process answers nothing; `execute` never throws.
  if (reply.status !== 200) throw new Crash('the answer never came');
};

describe('G01 a crash at every await', () => {
  it('of a queueing loses no record that was answered, and the retry makes it once', async () => {
    await sweep({
      prepare: async () => undefined,
      act: queue,
      verify: async (told) => {
        const house = houseOf(told, testPorts({ seed: 9 }), database.db);
        await pushUsage(house);
        expect(told.forge.text(pathOf(told, 1))?.match(/idempotency_key/g)).toHaveLength(2);
        expect(told.forge.text(pathOf(told, 2))?.match(/idempotency_key/g)).toHaveLength(1);
      },
      passes: ['sql:after:usage_queue.insert', 'commit:before:usage.queue', 'commit:after:usage.queue'],
    });
  });

  it('of a push leaves the files whole, and the next push completes them in at most one more commit', async () => {
    await sweep({
      prepare: (told) => queue(houseOf(told, testPorts({ seed: 8 }), database.db), told),
      act: pushUsage,
      verify: async (told) => {
        expect(told.forge.text(pathOf(told, 1))?.match(/idempotency_key/g)).toHaveLength(2);
        expect(told.forge.text(pathOf(told, 2))?.match(/idempotency_key/g)).toHaveLength(1);
        expect(told.forge.commits()).toBe(1);
        expect(await countWaiting(database.db)).toBe(0);
      },
      passes: [
        'forge:before:read-file',
        'forge:before:write-files',
        'forge:after:write-files',
        'sql:after:usage_queue.mark_pushed',
      ],
    });
  });

  it('of an aggregation charges each record once, and the next one completes it', { timeout: 60_000 }, async () => {
    await sweep({
      prepare: async (told) => {
        const [one, two, three] = told.records;
        told.forge.put(pathOf(told, 1), otoml([one ?? {}, two ?? {}, { nonsense: 1 }]));
        told.forge.put(pathOf(told, 2), otoml([three ?? {}]));
      },
      act: async (house) => await aggregateUsage(house, { isFull: false }),
      verify: async (told) => {
        const wallet = await readWalletBySid(database.db, told.wallet.sid);
        expect(wallet?.balance).toBe(micros(96_700_000n));
        const again = await aggregateUsage(houseOf(told, testPorts({ seed: 20_000 + processes }), database.db), {
          isFull: false,
        });
        expect(again).toMatchObject([{ outcome: 'unchanged' }]);
        const rows = await database.owner.query<{ rows: bigint }>(
          {
            name: 'test.quarantined',
            text: `select count(*) as rows from usage_quarantine where node = $1 and resolved_at is null`,
          },
          [told.node.id],
        );
        expect(rows).toEqual([{ rows: 1n }]);
      },
      passes: [
        'forge:after:list-nodes',
        'forge:after:read-newest-commit',
        'forge:before:read-file',
        'commit:after:usage.write_file_result',
        'sql:before:usage_folder.write',
        'sql:after:usage_folder.write',
      ],
    });
  });
});

describe('processes at once', () => {
  /** They meet in the database, and wait for one another in real time. */
  const real = (): Ports => systemPorts({ logLevel: 'silent' });

  it('charge each of 1,500 records of an hour once', async () => {
    const told = await scene();
    const { forge, node, records } = told;
    const [one] = records;
    const many = Array.from({ length: 1_500 }, (_, index) => ({
      ...one,
      quantity: '0.1',
      idempotency_key: `${node.sid}-${index}`,
    }));
    forge.put(pathOf(told, 1), otoml(many));
    const answers = await Promise.all([1, 2].map(() => aggregateUsage(houseOf(told, real()), { isFull: false })));
    const folders = answers.flatMap((answer) => (isRefusal(answer) ? [] : answer));
    expect(folders.map(({ outcome }) => outcome)).toEqual(['read', 'read']);
    expect(folders.map(({ applied, repeated }) => applied + repeated)).toEqual([1_500, 1_500]);
    expect(folders.reduce((sum, { applied }) => sum + applied, 0)).toBe(1_500);
    expect((await readWalletBySid(database.db, told.wallet.sid))?.balance).toBe(micros(83_500_000n));
    await forge.close();
  });

  it('read a file of 5 MB', async () => {
    const told = await scene();
    const { forge, node, records } = told;
    const large = { ...records[0], quantity: '0.01', description: '💡'.repeat(255) };
    const text = otoml(
      Array.from({ length: 4_200 }, (_, index) => ({ ...large, idempotency_key: `${node.sid}-${index}` })),
    );
    expect(Buffer.byteLength(text)).toBeGreaterThan(5_000_000);
    forge.put(pathOf(told, 1), text);
    const answer = await aggregateUsage(houseOf(told, real()), { isFull: false });
    expect(answer).toMatchObject([{ outcome: 'read', applied: 4_200 }]);
    expect((await readWalletBySid(database.db, told.wallet.sid))?.balance).toBe(micros(95_380_000n));
    await forge.close();
  });
});
