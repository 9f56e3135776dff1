import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { micros } from '../../src/domain/money.ts';
import { resumeCorrections } from '../../src/operations/correction/run.ts';
import { execute } from '../../src/operations/execute.ts';
import type { House } from '../../src/operations/house.ts';
import { makeKey } from '../../src/operations/key/new-key.ts';
import type { Actor, Operation } from '../../src/operations/operation.ts';
import { outageCreate } from '../../src/operations/outage/create.ts';
import { resumeOutages } from '../../src/operations/outage/settle.ts';
import { billAll } from '../../src/operations/usage/bill-wallet.ts';
import { usageRecord } from '../../src/operations/usage/record.ts';
import { runningCorrections } from '../../src/store/correction.ts';
import { checkLedger } from '../../src/store/ledger-check.ts';
import type { Db } from '../../src/store/db.ts';
import { insertNode } from '../../src/store/node.ts';
import { listOutages } from '../../src/store/outage.ts';
import { oldestUnbilled } from '../../src/store/unbilled.ts';
import { readWalletBySid, type WalletRow } from '../../src/store/wallet.ts';
import { DAY_MS, DOLLAR, OPERATOR } from '../plan/plan-story.ts';
import { oneIn } from '../support/crash-every.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { gone } from '../support/gone.ts';
import { testHouse } from '../support/house.ts';
import { fund, openWallets } from '../support/ledger.ts';
import { testPorts, type TestPorts } from '../support/ports.ts';

let database: TestDatabase;
/** Their ports are a test's. */
type TestHouse = House & { readonly ports: TestPorts };
let healthy: TestHouse;
let other: TestHouse;
beforeAll(async () => {
  database = await testDatabase();
  const open = (db: Db, seed: number): TestHouse => {
    const ports = testPorts({ seed });
    return { ...testHouse({ db, ports }), ports };
  };
  healthy = open(database.db, 71);
  other = open(database.open(), 72);
});
afterAll(async () => {
  expect((await checkLedger(database.db)).results.filter(({ rows }) => rows.length > 0)).toEqual([]);
  await healthy.lanes.close();
  await other.lanes.close();
  await database.close();
});

/** A refusal is as bad as a crash. */
async function call(
  house: House,
  operation: Operation,
  input: object,
  { actor = OPERATOR, key = null }: { readonly actor?: Actor; readonly key?: string | null } = {},
): Promise<void> {
  const requestId = house.ports.ids.requestId();
  const reply = await execute(house, operation, { actor, input, idempotencyKey: key, requestId });
  if (reply.status >= 300) throw new Error(reply.body);
}

let nodes = 0;
async function freshNode(): Promise<{ readonly sid: string; readonly actor: Actor }> {
  nodes += 1;
  const { clock, ids } = healthy.ports;
  const limits = { recordMax: micros(10n ** 9n), hourMax: micros(10n ** 12n) };
  const made = { sid: ids.sid(), name: `node-${nodes}`, userSids: null, createdAt: clock.now(), ...limits };
  const row = await insertNode(database.db, { ...made, ...makeKey(healthy, 'node') });
  if (!row) throw new Error('no node');
  return { sid: row.sid, actor: { kind: 'node', id: `node:${row.sid}`, node: row } };
}

async function freshWallet(dollars: bigint): Promise<WalletRow> {
  const [wallet] = await openWallets(database.db, healthy.ports, 1);
  if (!wallet) throw new Error('no wallet');
  if (dollars > 0n) await fund(database.db, healthy.ports, wallet, dollars * DOLLAR);
  return wallet;
}

const ago = (ms: number): string => new Date(healthy.ports.clock.now().getTime() - ms).toISOString();

/** A node was down yesterday. One wallet was charged then and the day before; another owed too much, and has money by now. */
async function prepare() {
  const node = await freshNode();
  const [charged, owing] = [await freshWallet(50n), await freshWallet(0n)];
  const hours = ({ userSid }: WalletRow, key: string, quantity: string, occurredAt: string) => ({
    idempotency_key: key,
    user_sid: userSid,
    applies_to: 'hero_os_hourly',
    resource_kind: 'small',
    quantity,
    occurred_at: occurredAt,
  });
  const records = [
    hours(charged, 'before', '10', ago(2 * DAY_MS)),
    hours(charged, 'during', '20', ago(DAY_MS)),
    hours(owing, 'unpaid', '60', ago(DAY_MS)),
  ];
  await call(healthy, usageRecord, { records }, { actor: node.actor });
  await fund(database.db, healthy.ports, owing, 20n * DOLLAR);
  const down = { node_sid: node.sid, from: ago(1.5 * DAY_MS), until: ago(DAY_MS / 2), reason: 'power' };
  const act = async (house: House): Promise<void> => {
    await call(house, outageCreate, down, { key: node.sid });
    await resumeCorrections(house);
  };
  const late = hours(charged, 'on-its-way', '30', ago(DAY_MS));
  /** Was let in before the outage was told, and is charged only now: what it knows of the node is as old as that. */
  const arrive = (): Promise<void> => call(healthy, usageRecord, { records: [late] }, { actor: node.actor });
  return { charged, owing, act, arrive, sid: node.sid };
}

const ONE = { before: null, state: null, subject: null, limit: 1 };
let processes = 0;
/** A process of its own that dies at its k-th await and every later one; `null` lives. Answers where it came. */
async function runUntilDeath(run: (house: House) => Promise<unknown>, at: number | null): Promise<string[]> {
  processes += 1;
  const ports = testPorts({ seed: 400 + processes, now: healthy.ports.clock.now() });
  const db = database.open({ ports });
  const dying = testHouse({ db, ports });
  ports.crash.dieAfter(at);
  await run(dying).catch(() => null);
  const reached = [...ports.crash.reached];
  ports.crash.dieAfter(null);
  await gone({ database });
  await dying.lanes.close();
  await db.close();
  return reached;
}

/** So many places has a look that finds something, about. */
const LOOK_POINTS = 30;

const balanceOf = async ({ sid }: WalletRow): Promise<bigint> =>
  (await readWalletBySid(database.db, sid))?.balance ?? -1n;

describe('G01 a process that dies anywhere while it takes back what a node charged while it was down', () => {
  it('leaves it taken back once, and nobody billed for what was unpaid, though it is billed at once', async () => {
    const crossing = async (at: number | null): Promise<number> => {
      const { charged, owing, act, arrive, sid } = await prepare();
      const reached = await runUntilDeath(act, at);
      await Promise.all([act(healthy), billAll(other), resumeCorrections(other)]);
      await resumeCorrections(healthy);
      await billAll(healthy);
      // Eleven cents an hour: the ten hours of the day before were charged and stay so.
      await arrive();
      await resumeOutages(healthy);
      expect(await balanceOf(charged)).toBe(45_600_000n);
      healthy.ports.clock.setWallClock(new Date(healthy.ports.clock.now().getTime() + 5 * 60_000));
      // Who looks once more dies as well, each time at another place; then two at once, and both twice.
      await runUntilDeath(resumeOutages, at === null ? null : at % LOOK_POINTS);
      other.ports.clock.setWallClock(healthy.ports.clock.now());
      for (let times = 0; times < 2; times += 1) await Promise.all([healthy, other].map(resumeOutages));
      expect((await listOutages(healthy.db, ONE)).find(({ subjectRef }) => subjectRef === sid)?.state).toBe('done');
      await Promise.all([resumeCorrections(healthy), resumeCorrections(other)]);
      const books = { charged: await balanceOf(charged), owing: await balanceOf(owing) };
      expect(books, `died at ${reached.at(-1)}`).toEqual({ charged: 48_900_000n, owing: 20_000_000n });
      expect(await oldestUnbilled(database.db, owing.id, 10)).toEqual([]);
      return reached.length;
    };
    const points = await crossing(null);
    const every = oneIn(7);
    for (let at = 0; at < points; at += every) await crossing(at);
    console.info(`G01 an outage of a node: ${points} crash points, one in ${every} survived`);
    expect(points).toBeGreaterThan(40);
    expect(await runningCorrections(database.db, 10)).toEqual([]);
  }, 120_000);
});
