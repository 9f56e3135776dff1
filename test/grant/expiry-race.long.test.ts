import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deriveIdem, fingerprintOf } from '../../src/domain/idem.ts';
import { micros } from '../../src/domain/money.ts';
import { isRefusal } from '../../src/domain/refusal.ts';
import { systemPorts } from '../../src/ports/system.ts';
import { expireGrants } from '../../src/operations/grant/expire.ts';
import { giveCredit } from '../../src/operations/grant/give.ts';
import { readGrant } from '../../src/store/grant.ts';
import { checkLedger } from '../../src/store/ledger-check.ts';
import { ensureSystemAccount } from '../../src/store/ledger.ts';
import { readWalletBySid } from '../../src/store/wallet.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { testHouse } from '../support/house.ts';
import { fund, openWallets } from '../support/ledger.ts';
import type { RaceOrder, RaceReport } from './race-process.ts';

const PROCESSES = 3;
const ROUNDS = 8;
/** Of a grant, and of what was paid: the debits of one round do not come to so much. */
const PLENTY = 10_000_000n;
const COST = 7n;

const ports = systemPorts({ logLevel: 'silent' });
let database: TestDatabase;
let processes: ChildProcess[];
beforeAll(async () => {
  database = await testDatabase();
  processes = Array.from({ length: PROCESSES }, (_, index) =>
    fork(new URL('race-process.ts', import.meta.url), [database.url, `${index}`], { execArgv: [] }),
  );
  await Promise.all(processes.map((child) => once(child, 'message')));
}, 60_000);
afterAll(async () => {
  for (const child of processes) child.kill('SIGKILL');
  await database.close();
});

test(`H11 ${ROUNDS} times: three processes spend while two grants end; who commits first has it, and the sum is exact`, async () => {
  const house = testHouse({ db: database.db, ports });
  const contra = await ensureSystemAccount(database.db, 'revenue:usage', 'USD');
  for (let round = 0; round < ROUNDS; round += 1) {
    const [wallet] = await openWallets(database.db, ports, 1);
    if (!wallet) throw new Error('no wallet');
    await fund(database.db, ports, wallet, PLENTY);
    const endsAt = Date.now() + 150;
    const give = async (name: string, amount: bigint, end: Date | null) => {
      const given = await database.db.transaction('test.give', (tx) =>
        giveCredit(tx, house, {
          wallet,
          amount: micros(amount),
          kind: 'promo',
          priority: 1,
          expiresAt: end,
          reason: name,
          idem: deriveIdem('race', `${round}`, name),
          fingerprint: fingerprintOf([round, name]),
          author: { actor: { id: 'system:test' } },
        }),
      );
      if (isRefusal(given)) throw new Error(given.message);
      return given.sid;
    };
    // The smaller one is used up and its place is closed while others spend; the greater one ends with most of it.
    const small = await give('small', 100n * COST + 3n, new Date(endsAt));
    const great = await give('great', PLENTY, new Date(endsAt + 1));
    const order: RaceOrder = { round, wallet: wallet.id.toString(), contra: contra.toString(), endsAt };
    const reports = await Promise.all(
      processes.map(async (child) => {
        const heard = once(child, 'message') as Promise<[RaceReport]>;
        child.send(order);
        return (await heard)[0];
      }),
    );
    await expireGrants(house);
    const spent = reports.reduce((sum, { applied }) => sum + BigInt(applied) * COST, 0n);
    expect(reports.map(({ refused }) => refused)).toEqual([0, 0, 0]);
    const grants = await Promise.all([small, great].map((sid) => readGrant(database.db, sid)));
    const used = grants.reduce((sum, grant) => sum + (grant ? grant.amount - grant.takenBack : 0n), 0n);
    expect(grants.map((grant) => [grant?.left, grant?.held, grant?.closedAt === null])).toEqual([
      [0n, 0n, false],
      [0n, 0n, false],
    ]);
    expect(grants[1]?.state).toBe('expired');
    const paid = (await readWalletBySid(database.db, wallet.sid))?.balance ?? 0n;
    expect([PLENTY - paid + used, spent > used]).toEqual([spent, true]);
  }
  expect((await checkLedger(database.db)).results.filter(({ rows }) => rows.length > 0)).toEqual([]);
}, 60_000);
