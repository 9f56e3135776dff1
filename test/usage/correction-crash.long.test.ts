import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { micros } from '../../src/domain/money.ts';
import { correctionCreate } from '../../src/operations/correction/create.ts';
import { resumeCorrections, runCorrection } from '../../src/operations/correction/run.ts';
import { execute, type Reply } from '../../src/operations/execute.ts';
import type { House } from '../../src/operations/house.ts';
import { recomputeLadders } from '../../src/operations/ladder/recompute.ts';
import { makeKey } from '../../src/operations/key/new-key.ts';
import type { Actor, Operation } from '../../src/operations/operation.ts';
import { billAll } from '../../src/operations/usage/bill-wallet.ts';
import { usageRecord } from '../../src/operations/usage/record.ts';
import { runningCorrections } from '../../src/store/correction.ts';
import { checkLedger } from '../../src/store/ledger-check.ts';
import { insertNode } from '../../src/store/node.ts';
import { readWalletBySid, type WalletRow } from '../../src/store/wallet.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { testHouse } from '../support/house.ts';
import { fund, openWallets } from '../support/ledger.ts';
import { testPorts } from '../support/ports.ts';
import { CRASH_EVERY } from '../support/crash-every.ts';

const OPERATOR = { kind: 'operator', id: 'admin:test', role: 'admin', userSid: null } as const;
const DAY_MS = 86_400_000;

let database: TestDatabase;
let healthy: House;
let node: Actor;
let processes = 0;
beforeAll(async () => {
  database = await testDatabase();
  healthy = testHouse({ db: database.db, ports: testPorts({ seed: 7 }) });
  const { clock, ids } = healthy.ports;
  const limits = { recordMax: micros(10n ** 9n), hourMax: micros(10n ** 12n) };
  const made = { sid: ids.sid(), name: 'node-1', userSids: null, createdAt: clock.now(), ...limits };
  const row = await insertNode(database.db, { ...made, ...makeKey(healthy, 'node') });
  if (!row) throw new Error('no node');
  node = { kind: 'node', id: `node:${row.sid}`, node: row };
});
afterAll(async () => {
  expect((await checkLedger(database.db)).results.filter(({ rows }) => rows.length > 0)).toEqual([]);
  await healthy.lanes.close();
  await database.close();
});

const call = (house: House, operation: Operation, input: object, actor: Actor = OPERATOR): Promise<Reply> =>
  execute(house, operation, { actor, input, idempotencyKey: null, requestId: house.ports.ids.requestId() });

let keys = 0;
const hours = (wallet: WalletRow, quantity: string, more: object = {}) => ({
  idempotency_key: `key-${(keys += 1)}`,
  user_sid: wallet.userSid,
  applies_to: 'hero_os_hourly',
  resource_kind: 'small',
  quantity,
  // Of a day that is over, so that the ladder's tick is done with it.
  occurred_at: new Date(healthy.ports.clock.now().getTime() - DAY_MS).toISOString(),
  ...more,
});
const report = (house: House, records: readonly object[]): Promise<Reply> =>
  call(house, usageRecord, { records }, node);

async function freshWallet(amount: bigint): Promise<WalletRow> {
  const [wallet] = await openWallets(database.db, healthy.ports, 1);
  if (!wallet) throw new Error('no wallet');
  if (amount > 0n) await fund(database.db, healthy.ports, wallet, amount);
  return wallet;
}

const balanceOf = async ({ sid }: WalletRow): Promise<bigint> =>
  (await readWalletBySid(database.db, sid))?.balance ?? -1n;

/** What is done to a wallet, prepared and repeatable, and what it holds before and after. */
interface Flow {
  readonly name: string;
  prepare(): Promise<{ readonly wallet: WalletRow; run(house: House): Promise<unknown> }>;
  readonly before: bigint;
  readonly after: bigint;
}

const FLOWS: readonly Flow[] = [
  {
    name: 'a true-up',
    prepare: async () => {
      const wallet = await freshWallet(100_000_000n);
      const first = hours(wallet, '10');
      await report(healthy, [first]);
      const better = hours(wallet, '4', { corrects: first.idempotency_key });
      return { wallet, run: (house) => report(house, [better]) };
    },
    before: 98_900_000n,
    after: 99_560_000n,
  },
  {
    name: 'billing what was unbilled',
    prepare: async () => {
      const wallet = await freshWallet(0n);
      await report(healthy, [hours(wallet, '50'), hours(wallet, '60')]);
      await fund(database.db, healthy.ports, wallet, 20_000_000n);
      return { wallet, run: billAll };
    },
    before: 20_000_000n,
    after: 7_900_000n,
  },
  {
    name: 'a correction of many lines',
    prepare: async () => {
      const wallet = await freshWallet(100_000_000n);
      await report(
        healthy,
        Array.from({ length: 210 }, () => hours(wallet, '1')),
      );
      const made = await call(healthy, correctionCreate, { kind: 'void', wallet_sid: wallet.sid, reason: 'a test' });
      const { sid } = (JSON.parse(made.body) as { correction: { sid: string } }).correction;
      return { wallet, run: (house) => runCorrection(house, sid) };
    },
    before: 76_900_000n,
    after: 100_000_000n,
  },
  {
    name: 'a line on a wrong rung',
    prepare: async () => {
      const wallet = await freshWallet(100_000_000n);
      // So that this wallet alone is due.
      await recomputeLadders(healthy);
      const now = healthy.ports.clock.now().getTime();
      const ago = (days: number) => ({ occurred_at: new Date(now - days * DAY_MS).toISOString() });
      await report(healthy, [hours(wallet, '10', ago(3)), hours(wallet, '10', ago(9)), hours(wallet, '10', ago(12))]);
      return { wallet, run: recomputeLadders };
    },
    before: 96_700_000n,
    after: 97_250_000n,
  },
];

describe('G01 a crash at every await', () => {
  /** A process of its own that dies at its k-th await and every later one; `null` lives. */
  async function runUntilDeath(run: (house: House) => Promise<unknown>, points: number | null): Promise<number> {
    processes += 1;
    const ports = testPorts({ seed: 200 + processes });
    const db = database.open({ ports });
    const dying = testHouse({ db, ports });
    ports.crash.dieAfter(points);
    await run(dying).catch(() => null);
    const reached = ports.crash.reached.length;
    ports.crash.dieAfter(null);
    await db.close();
    return reached;
  }

  for (const flow of FLOWS) {
    it(`of ${flow.name} leaves it undone, done, or at a step between, and the next run ends it, once`, async () => {
      const living = await flow.prepare();
      expect(await balanceOf(living.wallet)).toBe(flow.before);
      const points = await runUntilDeath(living.run, null);
      expect(await balanceOf(living.wallet)).toBe(flow.after);
      expect(points).toBeGreaterThanOrEqual(8);
      for (let point = 0; point < points; point += CRASH_EVERY) {
        const { wallet, run } = await flow.prepare();
        await runUntilDeath(run, point);
        const left = await balanceOf(wallet);
        const [low, high] = flow.before < flow.after ? [flow.before, flow.after] : [flow.after, flow.before];
        expect(left >= low && left <= high, `${left} is between`).toBe(true);
        await Promise.all([run(healthy), run(healthy)]);
        expect(await balanceOf(wallet)).toBe(flow.after);
        await resumeCorrections(healthy);
        await Promise.all([recomputeLadders(healthy), billAll(healthy)]);
        expect(await balanceOf(wallet)).toBe(flow.after);
      }
      expect(await runningCorrections(database.db, 10)).toEqual([]);
    }, 60_000);
  }
});
