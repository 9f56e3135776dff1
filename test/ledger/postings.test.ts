import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { liveAccount, type PostingRecord } from '../../src/domain/ledger/posting.ts';
import { micros } from '../../src/domain/money.ts';
import { isRefusal } from '../../src/domain/refusal.ts';
import { statement } from '../../src/store/db.ts';
import { checkLedger } from '../../src/store/ledger-check.ts';
import { ensureSystemAccount } from '../../src/store/ledger.ts';
import { openPostingLanes, type PostingQueue } from '../../src/store/posting-lanes.ts';
import type { WalletRow } from '../../src/store/wallet.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { fund, openWallets, post, posting } from '../support/ledger.ts';
import { testPorts } from '../support/ports.ts';

const balanceStatement = statement('test.balance', `select balance from account where id = $1`);
const countStatement = statement('test.count', `select count(*) as entries from entry`);
const forceStatement = statement('test.force', `update account set balance = $2 where id = $1`);
const freezeStatement = statement('test.freeze', `update account set is_frozen = true where id = $1`);
const breakStatement = statement('test.break', `update account set balance = balance + 1, floor = floor where id = $1`);

describe('postings', () => {
  const ports = testPorts({ seed: 11 });
  let database: TestDatabase;
  let contra: bigint;
  let lanes: PostingQueue;

  beforeAll(async () => {
    database = await testDatabase();
    contra = await ensureSystemAccount(database.db, 'revenue:usage', 'USD');
    lanes = openPostingLanes(database.db, ports, { lanes: 2, batchRecordsMax: 100, queueMax: 5_000 });
  });
  afterAll(async () => {
    await lanes.close();
    await database.close();
  });

  async function wallet(funds: bigint): Promise<WalletRow> {
    const [opened] = await openWallets(database.db, ports, 1);
    if (!opened) throw new Error('no wallet');
    if (funds > 0n) await fund(database.db, ports, opened, funds);
    return opened;
  }
  const balanceOf = async (of: Pick<WalletRow, 'id'>): Promise<bigint | undefined> =>
    (await database.db.query<{ balance: bigint }>(balanceStatement, [liveAccount(of.id, 'wallet')]))[0]?.balance;
  const entries = async (): Promise<bigint> =>
    (await database.db.query<{ entries: bigint }>(countStatement))[0]?.entries ?? 0n;
  const postNow = (records: readonly PostingRecord[]) =>
    database.db.transaction('test.post', (tx) => post(tx, ports, records));

  it('F02 the same key again gives the first answer and moves nothing', async () => {
    const of = await wallet(100n);
    const record = posting({ wallet: of, amount: -30n, key: 'F02', contra });
    const [first] = await postNow([record]);
    const before = await entries();
    const [again, third] = await postNow([record, record]);
    expect(again).toEqual({ kind: 'duplicate', first: { kind: 'applied', entries: [expect.anything()] } });
    expect(again).toEqual(third);
    if (first?.kind !== 'applied' || again?.kind !== 'duplicate' || again.first.kind !== 'applied')
      throw new Error('not applied');
    const { account, seq, amount, balanceAfter, recordedAt, about } = again.first.entries[0] ?? {};
    expect(first.entries[0]).toMatchObject({ account, seq, amount, balanceAfter, recordedAt, about });
    expect(await entries()).toBe(before);
    expect(await balanceOf(of)).toBe(70n);
  });

  it('F03 the same key with another body is refused and moves nothing', async () => {
    const of = await wallet(100n);
    await postNow([posting({ wallet: of, amount: -30n, key: 'F03', contra })]);
    const [outcome] = await postNow([posting({ wallet: of, amount: -31n, key: 'F03', contra })]);
    expect(outcome).toEqual({ kind: 'key_reused' });
    expect(await balanceOf(of)).toBe(70n);
  });

  it('F04 the same key fifty times in parallel is applied once', async () => {
    const of = await wallet(100n);
    const record = posting({ wallet: of, amount: -30n, key: 'F04', contra });
    const others = database.open();
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        (index % 2 === 0 ? database.db : others).transaction('test.post', (tx) => post(tx, ports, [record])),
      ),
    );
    expect(outcomes.filter(([outcome]) => outcome?.kind === 'applied')).toHaveLength(1);
    expect(outcomes.filter(([outcome]) => outcome?.kind === 'duplicate')).toHaveLength(49);
    expect(await balanceOf(of)).toBe(70n);
  });

  it('E15 a declined key stays declined after a top-up; a new key succeeds', async () => {
    const of = await wallet(10n);
    const record = posting({ wallet: of, amount: -30n, key: 'E15', contra });
    expect(await postNow([record])).toEqual([{ kind: 'declined', code: 'insufficient_balance', about: null }]);
    await fund(database.db, ports, of, 100n);
    const [again] = await postNow([record]);
    expect(again).toMatchObject({ kind: 'duplicate', first: { kind: 'declined', code: 'insufficient_balance' } });
    const [fresh] = await postNow([posting({ wallet: of, amount: -30n, key: 'E15 new', contra })]);
    expect(fresh?.kind).toBe('applied');
    expect(await balanceOf(of)).toBe(80n);
  });

  it('E08 the same key twice in one batch is applied once, and bad records do not spoil good ones', async () => {
    const of = await wallet(100n);
    const good = posting({ wallet: of, amount: -10n, key: 'E08', contra });
    const nobody = posting({ wallet: { id: 999_999n }, amount: -1n, key: 'E08 nobody', contra });
    const dear = posting({ wallet: of, amount: -1_000n, key: 'E08 dear', contra });
    const outcomes = await postNow([good, nobody, good, dear]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['applied', 'unknown_account', 'duplicate', 'declined']);
    expect(await balanceOf(of)).toBe(90n);
  });

  it('a frozen wallet refuses debits, takes credits, and says so again for the same key', async () => {
    const of = await wallet(100n);
    await database.db.query(freezeStatement, [liveAccount(of.id, 'wallet')]);
    const debit = posting({ wallet: of, amount: -1n, key: 'frozen debit', contra });
    const credit = { ...posting({ wallet: of, amount: 5n, key: 'frozen credit', contra }), passesFreeze: true };
    const outcomes = await postNow([debit, credit]);
    expect(outcomes).toMatchObject([{ kind: 'declined', code: 'wallet_frozen' }, { kind: 'applied' }]);
    expect(await balanceOf(of)).toBe(105n);
  });

  it('D18 a balance past the range of int8 is refused before it is written', async () => {
    const of = await wallet(2n ** 62n);
    const [outcome] = await postNow([posting({ wallet: of, amount: 2n ** 62n, key: 'D18', contra })]);
    expect(outcome?.kind).toBe('out_of_range');
    const [exact] = await postNow([posting({ wallet: of, amount: 2n ** 62n - 1n, key: 'D18 exact', contra })]);
    expect(exact?.kind).toBe('applied');
    await postNow([posting({ wallet: of, amount: -(2n ** 63n - 1n), key: 'D18 back', contra })]);
    expect(await balanceOf(of)).toBe(0n);
  });

  it('the database refuses what the code would decide wrongly: a balance below its floor', async () => {
    const of = await wallet(10n);
    await expect(database.db.query(forceStatement, [liveAccount(of.id, 'wallet'), -1n])).rejects.toThrow(
      /account__balance_is_above_floor/,
    );
  });

  it('an unbalanced posting stops as a bug before anything is written', async () => {
    const of = await wallet(10n);
    const record = posting({ wallet: of, amount: -1n, key: 'unbalanced', contra });
    const legs = [...record.legs.slice(0, 1), { account: contra, amount: micros(2n) }];
    const before = await entries();
    await expect(postNow([{ ...record, legs }])).rejects.toThrow(/sums to zero/);
    expect(await entries()).toBe(before);
  });

  it('E02 debits, refund-like overdraws and adjustments of one wallet at once add up, and none waits for ever', async () => {
    const of = await wallet(1_000n);
    const records = Array.from({ length: 300 }, (_, index) =>
      posting({
        wallet: of,
        amount: index % 3 === 0 ? -7n : index % 3 === 1 ? -11n : 9n,
        key: `E02:${index}`,
        contra,
        mayOverdraw: index % 3 === 1,
      }),
    );
    const outcomes = await Promise.all(records.map((record) => lanes.post(record)));
    const sum = records.reduce(
      (total, record, index) => total + (outcomes[index]?.kind === 'applied' ? (record.legs[0]?.amount ?? 0n) : 0n),
      1_000n,
    );
    expect(outcomes.every((outcome) => outcome.kind === 'applied' || outcome.kind === 'declined')).toBe(true);
    expect(await balanceOf(of)).toBe(sum);
  });

  it('E03 ten thousand transfers A→B and B→A in parallel neither deadlock nor lose a cent', async () => {
    const [a, b] = [await wallet(1_000_000n), await wallet(1_000_000n)];
    const other = openPostingLanes(database.open(), ports, { lanes: 2, batchRecordsMax: 50, queueMax: 20_000 });
    const transfer = (from: WalletRow, to: WalletRow, index: number): PostingRecord => ({
      ...posting({ wallet: from, amount: -3n, key: `E03:${index}`, contra }),
      legs: [
        { account: liveAccount(from.id, 'wallet'), amount: micros(-3n) },
        { account: liveAccount(to.id, 'wallet'), amount: micros(3n) },
      ],
    });
    const queues = [lanes, other];
    const outcomes = await Promise.all(
      Array.from({ length: 5_000 }, (_, index) => [
        (queues[index % 2] ?? lanes).post(transfer(a, b, 2 * index)),
        (queues[(index + 1) % 2] ?? lanes).post(transfer(b, a, 2 * index + 1)),
      ]).flat(),
    );
    await other.close();
    const applied = outcomes.filter((outcome) => outcome.kind === 'applied').length;
    const refused = outcomes.filter((outcome) => isRefusal(outcome) && outcome.code === 'rate_limited').length;
    expect(applied + refused).toBe(10_000);
    expect(((await balanceOf(a)) ?? 0n) + ((await balanceOf(b)) ?? 0n)).toBe(2_000_000n);
  }, 60_000);

  it('E16 no process remembers a balance: what another one spent is gone for this one too', async () => {
    const of = await wallet(100n);
    const other = openPostingLanes(database.open(), ports, { lanes: 2, batchRecordsMax: 100, queueMax: 100 });
    const kinds: string[] = [];
    for (let turn = 0; turn < 12; turn += 1) {
      const lane = turn % 2 === 0 ? lanes : other;
      kinds.push((await lane.post(posting({ wallet: of, amount: -10n, key: `E16:${turn}`, contra }))).kind);
    }
    await other.close();
    expect(kinds).toEqual([...Array.from({ length: 10 }, () => 'applied'), 'declined', 'declined']);
    expect(await balanceOf(of)).toBe(0n);
  });

  it('E17 no row is shared by the debits of different wallets: system accounts keep no running balance', async () => {
    const wallets = await openWallets(database.db, ports, 16);
    for (const of of wallets) await fund(database.db, ports, of, 1_000n);
    const [first, second] = [database.open(), database.open()];
    // The first transaction debits one wallet and stays open; a debit of another wallet to the same revenue account goes through.
    let finish: () => void = () => undefined;
    const hasFinished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let hasStarted: () => void = () => undefined;
    const started = new Promise<void>((resolve) => {
      hasStarted = resolve;
    });
    const [one, two] = wallets;
    if (!one || !two) throw new Error('no wallets');
    const open = first.transaction('test.slow', async (tx) => {
      await post(tx, ports, [posting({ wallet: one, amount: -1n, key: 'E17 slow', contra })]);
      hasStarted();
      await hasFinished;
    });
    await started;
    const [outcome] = await second.transaction('test.fast', (tx) =>
      post(tx, ports, [posting({ wallet: two, amount: -1n, key: 'E17 fast', contra })]),
    );
    expect(outcome?.kind).toBe('applied');
    finish();
    await open;
  });

  it('a full queue refuses with rate_limited and takes nothing in', async () => {
    const of = await wallet(1_000n);
    const small = openPostingLanes(database.db, ports, { lanes: 1, batchRecordsMax: 5, queueMax: 10 });
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        small.post(posting({ wallet: of, amount: -1n, key: `full:${index}`, contra })),
      ),
    );
    const refused = outcomes.filter(isRefusal);
    expect(refused).toHaveLength(20);
    expect(refused[0]).toMatchObject({ code: 'rate_limited', retryAfterSeconds: 1 });
    expect(await balanceOf(of)).toBe(990n);
    await small.close();
    expect(await small.post(posting({ wallet: of, amount: -1n, key: 'closed', contra }))).toMatchObject({
      code: 'unavailable',
    });
  });

  it('one bad record in a batch fails alone: its neighbours are applied', async () => {
    const of = await wallet(1_000n);
    const broken = { ...posting({ wallet: of, amount: -1n, key: 'bad', contra }), about: 'a\u0000b' };
    const single = openPostingLanes(database.db, ports, { lanes: 1, batchRecordsMax: 100, queueMax: 100 });
    const results = await Promise.allSettled([
      ...Array.from({ length: 20 }, (_, index) =>
        single.post(posting({ wallet: of, amount: -1n, key: `good:${index}`, contra })),
      ),
      single.post(broken),
    ]);
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(1);
    expect(results.at(-1)?.status).toBe('rejected');
    expect(await balanceOf(of)).toBe(980n);
    await single.close();
  });

  it('the ledger check names the row that somebody changed behind our back', async () => {
    const of = await wallet(10n);
    expect((await checkLedger(database.db)).isSound).toBe(true);
    await database.owner.query(breakStatement, [liveAccount(of.id, 'wallet')]);
    const report = await checkLedger(database.db);
    expect(report.isSound).toBe(false);
    const balance = report.results.find(({ id }) => id === 'L03');
    expect(balance?.rows).toMatchObject([
      { account: liveAccount(of.id, 'wallet'), balance: 11n, sum_of_entries: '10' },
    ]);
  });
});
