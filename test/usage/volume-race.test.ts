import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { liveAccount } from '../../src/domain/ledger/posting.ts';
import { micros } from '../../src/domain/money.ts';
import { isRefusal } from '../../src/domain/refusal.ts';
import { monthOf } from '../../src/domain/usage/volume-price.ts';
import { makeKey } from '../../src/operations/key/new-key.ts';
import type { House } from '../../src/operations/house.ts';
import { correctLines } from '../../src/operations/usage/correct-lines.ts';
import { recordUsage } from '../../src/operations/usage/record-usage.ts';
import type { UsageAbout } from '../../src/operations/usage/usage-about.ts';
import { statement } from '../../src/store/db.ts';
import { checkLedger } from '../../src/store/ledger-check.ts';
import { insertNode, type NodeRow } from '../../src/store/node.ts';
import { insertPrice } from '../../src/store/price.ts';
import { readUsageEntry } from '../../src/store/usage.ts';
import type { WalletRow } from '../../src/store/wallet.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { testHouse } from '../support/house.ts';
import { fund, openWallets } from '../support/ledger.ts';
import { testPorts } from '../support/ports.ts';

const FUNDS = 1_000_000_000n;
const WALLETS = 4;
const BATCHES = 30;
const BATCH_RECORDS = 12;
/** The first 100 cost 7 cents, what follows 3. */
const TIERED = {
  kind: 'tiered',
  amount: 0n,
  tiers: [
    { upTo: 100_000_000n, amount: 70_000_000_000n },
    { upTo: null, amount: 30_000_000_000n },
  ],
  packageSize: null,
} as const;
/** 50 for 2 dollars. */
const PACKAGE = { kind: 'package', amount: 2_000_000_000_000n, tiers: [], packageSize: 50_000_000n } as const;

const accountStatement = statement('test.account', `select balance, seq from account where id = $1`);
const spoilStatement = statement(
  'test.spoil',
  `update posting_volume set quantity = quantity + 1000000 where wallet = $1`,
);

describe('reports to two servers at once', () => {
  let database: TestDatabase;
  let houses: readonly House[];
  let nodes: readonly NodeRow[];

  beforeAll(async () => {
    database = await testDatabase();
    houses = [1, 2].map((seed) => testHouse({ db: database.open(), ports: testPorts({ seed }) }));
    const [house] = houses;
    if (!house) throw new Error('no house');
    const { clock, ids } = house.ports;
    const active = {
      activeFrom: new Date(0),
      createdAt: clock.now(),
      isBackdated: false,
      resourceKind: null,
      unit: 'gib',
      margin: 0n,
    };
    await insertPrice(database.db, { sid: ids.sid(), category: 'traffic', ...active, ...TIERED }, 'test');
    await insertPrice(database.db, { sid: ids.sid(), category: 'disk', ...active, ...PACKAGE }, 'test');
    const limits = { recordMax: micros(10n ** 9n), hourMax: micros(10n ** 12n) };
    const made = ['node-1', 'node-2'].map((name) =>
      insertNode(database.db, {
        sid: ids.sid(),
        name,
        userSids: null,
        createdAt: clock.now(),
        ...limits,
        ...makeKey(house, 'node'),
      }),
    );
    nodes = (await Promise.all(made)).filter((row) => row !== null);
  });
  afterAll(async () => {
    await Promise.all(houses.map(({ lanes }) => lanes.close()));
    await database.close();
  });

  /** Batches that touch all counters, each in another order; every third record goes to both servers. */
  function batchesFor(house: number, wallets: readonly WalletRow[]) {
    return Array.from({ length: BATCHES }, (_, batch) =>
      Array.from({ length: BATCH_RECORDS }, (_unused, index) => {
        const place = batch * 7 + index * 5 + house * 3;
        return {
          idempotency_key: index % 3 === 0 ? `both-${batch}-${index}` : `of-${house}-${batch}-${index}`,
          user_sid: wallets[(index % 3 === 0 ? batch + index : place) % WALLETS]?.userSid,
          applies_to: (index + batch) % 2 === 0 ? 'traffic' : 'disk',
          resource_kind: 'x',
          quantity: `${1 + ((batch + index) % 5)}.5`,
          occurred_at: houses[0]?.ports.clock.now().toISOString(),
        };
      }),
    );
  }

  /** Takes back the first lines of a wallet, as far as there are any. */
  async function takeSomeBack(house: House, wallet: WalletRow): Promise<number> {
    const account = liveAccount(wallet.id, 'wallet');
    const rows = await Promise.all([2n, 3n, 4n, 5n].map((seq) => readUsageEntry(house.db, account, seq)));
    const lines = rows
      .filter((row) => row !== null)
      .map((row) => ({ ...row, account, about: JSON.parse(row.about ?? '{}') as UsageAbout }))
      .filter(({ about }) => about.voids === undefined);
    const taken = await house.db.transaction('test.take_back', (tx) =>
      correctLines(house, tx, lines, { actorId: 'test', reason: 'a race', why: 'void' }, () => 'nothing'),
    );
    return taken.filter(({ kind }) => kind === 'changed').length;
  }

  async function report(house: House, node: NodeRow, batch: readonly unknown[]) {
    const answered = await recordUsage(house, node, batch);
    if (isRefusal(answered)) throw new Error(answered.message);
    return answered.recorded;
  }

  it('come to the cost of each month’s volume, whoever came first, with records twice and some taken back', async () => {
    const [one, other] = houses;
    if (!one || !other) throw new Error('two servers');
    // By turns, so that the budget of one node does not put all reports in a row.
    const nodeOf = (batch: number): NodeRow => {
      const node = nodes[batch % 2];
      if (!node) throw new Error('two nodes');
      return node;
    };
    const wallets = await openWallets(database.db, one.ports, WALLETS);
    for (const wallet of wallets) await fund(database.db, one.ports, wallet, FUNDS);
    const sent = houses.map((_, house) => batchesFor(house, wallets));
    const answers = await Promise.all(
      houses.flatMap((house, index) => (sent[index] ?? []).map((batch, at) => report(house, nodeOf(at), batch))),
    );
    expect(new Set(answers.flat().map(({ answer }) => answer.outcome))).toEqual(new Set(['applied']));
    expect(answers.flat().filter(({ isRepeated }) => isRepeated)).toHaveLength((BATCHES * BATCH_RECORDS) / 3);
    const more = batchesFor(7, wallets);
    const second = await Promise.all([
      ...wallets.flatMap((wallet) => houses.map((house) => takeSomeBack(house, wallet))),
      ...more.map(async (batch, at) => (await report(other, nodeOf(at), batch)).length),
    ]);
    // Each of the four lines of each wallet once, though both servers were asked to.
    expect(second.slice(0, WALLETS * 2).reduce((sum, count) => sum + count, 0)).toBe(WALLETS * 4);

    for (const wallet of wallets) {
      const account = liveAccount(wallet.id, 'wallet');
      const [row] = await database.db.query<{ balance: bigint; seq: bigint }>(accountStatement, [account]);
      const volumes = await volumesOf(account, row?.seq ?? 0n);
      const traffic = volumes['traffic'] ?? 0n;
      const inTier = traffic < 100_000_000n ? traffic : 100_000_000n;
      const packages = ((volumes['disk'] ?? 0n) + 49_999_999n) / 50_000_000n;
      const cost = (inTier * 70_000n + (traffic - inTier) * 30_000n) / 1_000_000n + packages * 2_000_000n;
      expect(traffic).toBeGreaterThan(100_000_000n);
      expect(row?.balance).toBe(FUNDS - cost);
    }
    expect((await checkLedger(database.db)).results.filter(({ rows }) => rows.length > 0)).toEqual([]);
  });

  /** By category, in millionths: added up from the lines, not from the counters. */
  async function volumesOf(account: bigint, last: bigint): Promise<Record<string, bigint>> {
    const volumes: Record<string, bigint> = {};
    for (let seq = 2n; seq <= last; seq += 1n) {
      const { category, quantity } = JSON.parse(
        (await readUsageEntry(database.db, account, seq))?.about ?? '',
      ) as UsageAbout;
      volumes[category] = (volumes[category] ?? 0n) + BigInt(Math.round(Number(quantity) * 1_000_000));
    }
    return volumes;
  }

  it('the ledger check names a counter that somebody changed, and every month that no longer costs what its price says', async () => {
    const [house] = houses;
    const [, node] = nodes;
    if (!house || !node) throw new Error('a server and a node');
    const [wallet] = await openWallets(database.db, house.ports, 1);
    if (!wallet) throw new Error('no wallet');
    await fund(database.db, house.ports, wallet, FUNDS);
    const record = (key: string) => ({
      idempotency_key: key,
      user_sid: wallet.userSid,
      applies_to: 'disk',
      resource_kind: 'x',
      quantity: '49.5',
      occurred_at: house.ports.clock.now().toISOString(),
    });
    await recordUsage(house, node, [record('a')]);
    await database.owner.query(spoilStatement, [wallet.id]);
    const spoiled = await checkLedger(database.db);
    const rowsOf = (id: string) => spoiled.results.find((result) => result.id === id)?.rows;
    expect(rowsOf('L16')).toMatchObject([
      { wallet: wallet.id, counter_stands_at: '50500000', sum_of_records: '49500000.0' },
    ]);
    expect(rowsOf('L17')).toEqual([]);
    // The next record is charged from the wrong place: its own row breaks the chain, and the month costs a package too little.
    await recordUsage(house, node, [record('b')]);
    const { results } = await checkLedger(database.db);
    const broken = results.filter(({ rows }) => rows.length > 0);
    expect(broken.map(({ id }) => id)).toEqual(['L16', 'L17']);
    expect(broken[0]?.rows).toContainEqual(expect.objectContaining({ wallet: wallet.id, seq: 3n }));
    expect(broken[1]?.rows).toMatchObject([
      { wallet: wallet.id, quantity: '99000000.0', period_start: monthOf(house.ports.clock.now()) },
    ]);
  });
});
