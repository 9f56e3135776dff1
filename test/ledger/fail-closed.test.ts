import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { micros } from '../../src/domain/money.ts';
import { failClosed, LedgerBroken } from '../../src/store/fail-closed.ts';
import { ensureSystemAccount } from '../../src/store/ledger.ts';
import { openPostingLanes } from '../../src/store/posting-lanes.ts';
import { readWalletBySid, type WalletRow } from '../../src/store/wallet.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { fund, openWallets, post, posting } from '../support/ledger.ts';
import { testPorts } from '../support/ports.ts';

describe('G13 a broken rule of the ledger', () => {
  const ports = testPorts({ seed: 13 });
  let database: TestDatabase;
  let wallet: WalletRow;
  let contra: bigint;

  beforeAll(async () => {
    database = await testDatabase();
    contra = await ensureSystemAccount(database.db, 'revenue:usage', 'USD');
    const [opened] = await openWallets(database.db, ports, 1);
    if (!opened) throw new Error('no wallet');
    wallet = opened;
    await fund(database.db, ports, wallet, 1_000n);
  });
  afterAll(() => database.close());

  it('G13 stops all postings, on every path, says so once, and leaves reading alone', async () => {
    const db = failClosed(database.db, ports.log);
    const lanes = openPostingLanes(db, ports, { lanes: 2, batchRecordsMax: 10, queueMax: 100 });
    const good = posting({ wallet, amount: -1n, key: 'good', contra });
    const unbalanced = { ...good, legs: [...good.legs.slice(0, 1), { account: contra, amount: micros(2n) }] };
    expect((await lanes.post(posting({ wallet, amount: -1n, key: 'before', contra }))).kind).toBe('applied');

    ports.log.lines.length = 0;
    await expect(db.transaction('test.post', (tx) => post(tx, ports, [unbalanced]))).rejects.toThrow(LedgerBroken);
    await expect(lanes.post(good)).rejects.toThrow(/stopped itself/);
    await expect(db.transaction('test.post', (tx) => post(tx, ports, [good]))).rejects.toThrow(/stopped itself/);
    expect((await readWalletBySid(db, wallet.sid))?.balance).toBe(999n);
    expect(ports.log.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { facts: { alert: 'ledger_stopped' } },
    ]);
    await lanes.close();
  });

  it('an error that breaks no rule does not: the next posting goes through', async () => {
    const db = failClosed(database.db, ports.log);
    await expect(db.transaction('test.fail', () => Promise.reject(new Error('somebody else failed')))).rejects.toThrow(
      'somebody else failed',
    );
    const [outcome] = await db.transaction('test.post', (tx) =>
      post(tx, ports, [posting({ wallet, amount: -1n, key: 'after', contra })]),
    );
    expect(outcome?.kind).toBe('applied');
  });
});
