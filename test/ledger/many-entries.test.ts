import { afterAll, beforeAll, expect, it } from 'vitest';
import { statement } from '../../src/store/db.ts';
import { ensureSystemAccount } from '../../src/store/ledger.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { fund, openWallets, post, posting } from '../support/ledger.ts';
import { testPorts } from '../support/ports.ts';

const OTHERS = 100_000;
const AGAIN = 40;

/** Entries of an account that nobody has; the checks of the ledger are not asked here. */
const FILL = statement(
  'test.fill',
  `insert into entry (account, seq, contra, amount, balance_after, batch, idem, fingerprint, occurred_at, recorded_at, kind, about)
   select -1, n, 0, 1, n, 0, overlay(md5(n::text) placing '0' from 32)::uuid, md5(n::text)::uuid, now(), now(), 1, repeat('x', 300)
   from generate_series(1, ${OTHERS}) as t (n)`,
);
const ANALYSE = statement('test.analyse', 'analyze entry');
const READ_SO_FAR = statement(
  'test.read_so_far',
  `select seq_tup_read + idx_tup_fetch as rows from pg_stat_xact_user_tables where relname = 'entry'`,
);

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

it('a repeated batch reads its own entries only, however large the ledger and whatever the planner knows of it', async () => {
  const ports = testPorts({ seed: 12 });
  const { db, owner } = database;
  const contra = await ensureSystemAccount(db, 'revenue:usage', 'USD');
  const [wallet] = await openWallets(db, ports, 1);
  if (!wallet) throw new Error('no wallet');
  await fund(db, ports, wallet, 1_000n);
  const records = Array.from({ length: AGAIN }, (_, index) =>
    posting({ wallet, amount: -1n, key: `many ${index}`, contra }),
  );
  await db.transaction('test.post', (tx) => post(tx, ports, records));
  await owner.query(FILL);
  for (const isAnalysed of [false, true]) {
    if (isAnalysed) await owner.query(ANALYSE);
    const [before, after] = await db.transaction('test.post', async (tx) => {
      const [at] = await tx.query<{ rows: bigint }>(READ_SO_FAR);
      const outcomes = await post(tx, ports, records);
      expect(outcomes.map(({ kind }) => kind)).toEqual(records.map(() => 'duplicate'));
      const [then] = await tx.query<{ rows: bigint }>(READ_SO_FAR);
      return [at?.rows ?? 0n, then?.rows ?? 0n];
    });
    // Once to find the keys, once for the answers.
    expect({ isAnalysed, isFew: after - before <= 2 * AGAIN }).toEqual({ isAnalysed, isFew: true });
  }
});
