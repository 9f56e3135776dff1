import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { micros, parseDecimal } from '../../src/domain/money.ts';
import { billingAdjust } from '../../src/operations/billing/adjust.ts';
import { billingDebit } from '../../src/operations/billing/debit.ts';
import { execute, type Reply } from '../../src/operations/execute.ts';
import { holdCapture } from '../../src/operations/hold/capture.ts';
import { holdRelease } from '../../src/operations/hold/release.ts';
import { holdReserve } from '../../src/operations/hold/reserve.ts';
import { holdSettle } from '../../src/operations/hold/settle.ts';
import type { House } from '../../src/operations/house.ts';
import { leaseGrant } from '../../src/operations/lease/grant.ts';
import { leaseSettle } from '../../src/operations/lease/settle.ts';
import type { Actor, Operation } from '../../src/operations/operation.ts';
import { makeKey } from '../../src/operations/key/new-key.ts';
import { planBuy } from '../../src/operations/plan/buy.ts';
import { subscriptionChange } from '../../src/operations/subscription/change.ts';
import { usageRecordOne } from '../../src/operations/usage/record.ts';
import { usageVoid } from '../../src/operations/usage/void.ts';
import { recordUsage } from '../../src/operations/usage/record-usage.ts';
import { insertNode, listNodes, type NodeRow } from '../../src/store/node.ts';
import { insertPrice } from '../../src/store/price.ts';
import { checkLedger } from '../../src/store/ledger-check.ts';
import { readWalletBySid, type WalletRow } from '../../src/store/wallet.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { testHouse } from '../support/house.ts';
import { fund, openWallets } from '../support/ledger.ts';
import { testPorts } from '../support/ports.ts';

const OPERATOR = { kind: 'operator', id: 'admin:test', role: 'admin', userSid: null } as const;

/** A call that moves money, what it needs before, and what the wallet holds after it has happened once. */
interface Flow {
  readonly name: string;
  readonly operation: Operation;
  readonly status: number;
  /** Who calls: an operator unless said otherwise. */
  readonly reporter?: 'node';
  /** Operations without a key answer the second time as the first, and do not say that it is the second. */
  readonly hasNoKey?: true;
  prepare(house: House, wallet: WalletRow): Promise<object>;
  readonly after: { readonly balance: string; readonly reserved: string };
}

const reserveTen = async (house: House, wallet: WalletRow): Promise<{ sid: string }> => {
  const input = { wallet_sid: wallet.sid, amount: '10.00', description: 'a call' };
  const reply = await call(house, holdReserve, input, `prepare:${wallet.sid}`);
  return JSON.parse(reply.body) as { sid: string };
};

const FLOWS: readonly Flow[] = [
  {
    name: 'debit',
    operation: billingDebit,
    status: 200,
    prepare: async (_, { sid }) => ({ sid, amount: '10.00', description: 'an hour' }),
    after: { balance: '90', reserved: '0' },
  },
  {
    name: 'adjust',
    operation: billingAdjust,
    status: 200,
    prepare: async (_, { sid }) => ({ sid, balance_cents: 1234, reason: 'goodwill' }),
    after: { balance: '12.34', reserved: '0' },
  },
  {
    name: 'hold-reserve',
    operation: holdReserve,
    status: 201,
    prepare: async (_, { sid }) => ({ wallet_sid: sid, amount: '10.00', description: 'a call' }),
    after: { balance: '90', reserved: '10' },
  },
  {
    name: 'hold-capture',
    operation: holdCapture,
    status: 200,
    prepare: async (house, wallet) => ({ sid: (await reserveTen(house, wallet)).sid, amount: '4.00' }),
    after: { balance: '96', reserved: '0' },
  },
  {
    name: 'hold-release',
    operation: holdRelease,
    status: 200,
    prepare: async (house, wallet) => ({ sid: (await reserveTen(house, wallet)).sid }),
    after: { balance: '100', reserved: '0' },
  },
  {
    name: 'hold-settle-above-the-hold',
    operation: holdSettle,
    status: 200,
    prepare: async (house, wallet) => ({ sid: (await reserveTen(house, wallet)).sid, amount: '14.00' }),
    after: { balance: '86', reserved: '0' },
  },
  {
    name: 'plan-buy',
    operation: planBuy,
    status: 201,
    prepare: async (_, { sid }) => ({ sid, plan: 'vm-5' }),
    after: { balance: '90', reserved: '0' },
  },
  {
    name: 'plan-change',
    operation: subscriptionChange,
    status: 200,
    prepare: async (house, wallet) => {
      const reply = await call(house, planBuy, { sid: wallet.sid, plan: 'vm-5' }, `prepare:${wallet.sid}`);
      const { subscription } = JSON.parse(reply.body) as { subscription: { sid: string } };
      return { sid: subscription.sid, plan: 'vm-10' };
    },
    after: { balance: '80', reserved: '0' },
  },
  {
    name: 'lease-grant',
    operation: leaseGrant,
    status: 201,
    reporter: 'node',
    prepare: async (_, { userSid }) => ({ user_sid: userSid, amount: '10.00' }),
    after: { balance: '90', reserved: '10' },
  },
  {
    name: 'usage',
    operation: usageRecordOne,
    status: 200,
    reporter: 'node',
    prepare: async (house, { sid, userSid }) => ({
      idempotency_key: sid,
      user_sid: userSid,
      applies_to: 'hero_os_hourly',
      resource_kind: 'small',
      quantity: '10',
      occurred_at: house.ports.clock.now().toISOString(),
    }),
    after: { balance: '98.9', reserved: '0' },
  },
  {
    name: 'usage-by-volume',
    operation: usageRecordOne,
    status: 200,
    reporter: 'node',
    // Twelve of 10 are free, 8 of them before: the sum tells a record that was counted twice, or not at all.
    prepare: async (house, wallet) => {
      await recordUsage(house, await nodeOf(house), [traffic(house, wallet, '8')]);
      return traffic(house, wallet, '4');
    },
    after: { balance: '98', reserved: '0' },
  },
  {
    name: 'usage-void-by-volume',
    operation: usageVoid,
    status: 200,
    hasNoKey: true,
    // Twelve cost 2 dollars; when the 8 are gone, the 4 that are left are free.
    prepare: async (house, wallet) => {
      await recordUsage(house, await nodeOf(house), [traffic(house, wallet, '8'), traffic(house, wallet, '4')]);
      return { sid: wallet.sid, seq: 2, reason: 'measured twice' };
    },
    after: { balance: '100', reserved: '0' },
  },
];

const traffic = (house: House, { sid, userSid }: WalletRow, quantity: string) => ({
  idempotency_key: `${sid}-${quantity}`,
  user_sid: userSid,
  applies_to: TRAFFIC.category,
  resource_kind: 'x',
  quantity,
  occurred_at: house.ports.clock.now().toISOString(),
});

/** The first 10 of a month are free, each after them costs a dollar. */
const TRAFFIC = {
  category: 'traffic',
  resourceKind: null,
  kind: 'tiered',
  unit: 'gib',
  amount: 0n,
  margin: 0n,
  tiers: [
    { upTo: 10_000_000n, amount: 0n },
    { upTo: null, amount: 1_000_000_000_000n },
  ],
  packageSize: null,
  activeFrom: new Date(0),
} as const;

async function nodeOf({ db }: House): Promise<NodeRow> {
  const [row] = await listNodes(db, { before: null, limit: 1 });
  if (!row) throw new Error('no node');
  return row;
}

function call(house: House, operation: Operation, input: object, key: string, actor: Actor = OPERATOR): Promise<Reply> {
  return execute(house, operation, {
    actor,
    input,
    idempotencyKey: key,
    requestId: house.ports.ids.requestId(),
  });
}

describe('G01 a crash at every await', () => {
  let database: TestDatabase;
  let healthy: House;
  let processes = 0;
  let node: Actor;
  const actorOf = ({ reporter }: Pick<Flow, 'reporter'>): Actor => (reporter === 'node' ? node : OPERATOR);

  beforeAll(async () => {
    database = await testDatabase();
    healthy = testHouse({ db: database.db, ports: testPorts({ seed: 3 }) });
    const { clock, ids } = healthy.ports;
    const limits = { recordMax: micros(10n ** 9n), hourMax: micros(10n ** 12n) };
    const made = { sid: ids.sid(), name: 'node-1', userSids: null, createdAt: clock.now(), ...limits };
    const row = await insertNode(database.db, { ...made, ...makeKey(healthy, 'node') });
    if (!row) throw new Error('no node');
    await insertPrice(database.db, { sid: ids.sid(), ...TRAFFIC, createdAt: clock.now(), isBackdated: false }, 'test');
    node = { kind: 'node', id: `node:${row.sid}`, node: row };
  });
  afterAll(async () => {
    await healthy.lanes.close();
    await database.close();
  });

  /** A process of its own that dies at its k-th await and every later one; `null` lives. */
  async function runUntilDeath(
    flow: Pick<Flow, 'operation' | 'reporter'>,
    input: object,
    key: string,
    points: number | null,
  ): Promise<string[]> {
    processes += 1;
    const ports = testPorts({ seed: 100 + processes });
    const db = database.open({ ports });
    const dying = testHouse({ db, ports });
    ports.crash.dieAfter(points);
    await call(dying, flow.operation, input, key, actorOf(flow)).catch(() => null);
    const reached = [...ports.crash.reached];
    ports.crash.dieAfter(null);
    await db.close();
    return reached;
  }

  async function freshWallet(): Promise<WalletRow> {
    const [wallet] = await openWallets(database.db, healthy.ports, 1);
    if (!wallet) throw new Error('no wallet');
    await fund(database.db, healthy.ports, wallet, 100_000_000n);
    return wallet;
  }

  async function stateOf(wallet: WalletRow): Promise<{ balance: bigint; reserved: bigint }> {
    const row = await readWalletBySid(database.db, wallet.sid);
    if (!row) throw new Error('the wallet is gone');
    return { balance: row.balance, reserved: row.reserved };
  }

  for (const flow of FLOWS) {
    it(`of ${flow.name} ends as "never happened" or "happened once", and the retry makes it once`, async () => {
      const once = { balance: parseDecimal(flow.after.balance), reserved: parseDecimal(flow.after.reserved) };
      const living = await freshWallet();
      const points = (await runUntilDeath(flow, await flow.prepare(healthy, living), `${flow.name}:living`, null))
        .length;
      expect(await stateOf(living)).toEqual(once);
      expect(points).toBeGreaterThanOrEqual(8);

      const seen = { never: 0, once: 0 };
      for (let point = 0; point < points; point += 1) {
        const wallet = await freshWallet();
        const input = await flow.prepare(healthy, wallet);
        const never = await stateOf(wallet);
        const key = `${flow.name}:${point}`;
        await runUntilDeath(flow, input, key, point);
        const left = await stateOf(wallet);
        const hasHappened = left.balance === once.balance && left.reserved === once.reserved;
        if (!hasHappened) expect(left).toEqual(never);
        seen[hasHappened ? 'once' : 'never'] += 1;

        const retry = await call(healthy, flow.operation, input, key, actorOf(flow));
        const isSaid = flow.hasNoKey === undefined;
        expect([retry.status, retry.replayed]).toEqual([flow.status, hasHappened && isSaid]);
        expect(await stateOf(wallet)).toEqual(once);
        const again = await call(healthy, flow.operation, input, key, actorOf(flow));
        expect([again.body, again.replayed]).toEqual([retry.body, isSaid]);
        expect(await stateOf(wallet)).toEqual(once);
      }
      expect(seen.never).toBeGreaterThan(0);
      expect(seen.once).toBeGreaterThan(0);
    }, 60_000);
  }

  it('of lease-settle charges the usage and returns the rest, each once, and a retry does what is left to do', async () => {
    const flow = { operation: leaseSettle, reporter: 'node' } as const;
    const prepare = async (): Promise<{ wallet: WalletRow; input: object }> => {
      const wallet = await freshWallet();
      const asked = { user_sid: wallet.userSid, amount: '10.00' };
      const granted = await call(healthy, leaseGrant, asked, `lease:${wallet.sid}`, node);
      const { lease } = JSON.parse(granted.body) as { lease: { sid: string } };
      const record = {
        idempotency_key: wallet.sid,
        user_sid: wallet.userSid,
        applies_to: 'hero_os_hourly',
        resource_kind: 'small',
        quantity: '10',
        seq: 1,
        occurred_at: healthy.ports.clock.now().toISOString(),
      };
      return { wallet, input: { sid: lease.sid, records: [record] } };
    };
    const told = async (wallet: WalletRow): Promise<string> => {
      const { balance, reserved } = await stateOf(wallet);
      return `${balance} + ${reserved}`;
    };
    const living = await prepare();
    const points = (await runUntilDeath(flow, living.input, 'none', null)).length;
    const seen = new Map<string, number>();
    for (let point = 0; point < points; point += 1) {
      const { wallet, input } = await prepare();
      await runUntilDeath(flow, input, 'none', point);
      const left = await told(wallet);
      seen.set(left, (seen.get(left) ?? 0) + 1);
      for (let tries = 0; tries < 2; tries += 1) {
        const retry = await call(healthy, leaseSettle, input, 'none', node);
        expect([retry.status, retry.body]).toEqual([200, expect.stringContaining('"drawn":"1.10"')]);
        expect(await told(wallet)).toBe('98900000 + 0');
      }
    }
    expect([...seen.keys()]).toEqual(['90000000 + 10000000', '90000000 + 8900000', '98900000 + 0']);
  }, 60_000);

  it('leaves a sound ledger', async () => {
    expect((await checkLedger(database.db)).results.filter(({ rows }) => rows.length > 0)).toEqual([]);
  });
});
