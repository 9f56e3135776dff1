import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { liveAccount } from '../../src/domain/ledger/posting.ts';
import { statement } from '../../src/store/db.ts';
import { checkLedger } from '../../src/store/ledger-check.ts';
import { ensureSystemAccount } from '../../src/store/ledger.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { fund, openWallets } from '../support/ledger.ts';
import { testPorts } from '../support/ports.ts';
import type { RaceOrder, RaceReport } from './race-process.ts';

const PROCESSES = 3;
/** CI races a hundred times. */
const ROUNDS = Number(process.env['RACE_ROUNDS'] ?? 20);
/** Wallets that are raced for at once: they share the processes and their commits, and each is its own race. */
const AT_ONCE = 5;
const DEBITS = 1_000;
const FUNDS = 500n;

const balanceStatement = statement('test.balance', `select balance from account where id = $1`);
const lowestStatement = statement('test.lowest', `select min(balance_after) as lowest from entry where account = $1`);

describe('overdraft race', () => {
  const ports = testPorts({ seed: 7 });
  let database: TestDatabase;
  let processes: ChildProcess[];
  let contra: bigint;

  beforeAll(async () => {
    database = await testDatabase();
    contra = await ensureSystemAccount(database.db, 'revenue:usage', 'USD');
    processes = Array.from({ length: PROCESSES }, (_, index) =>
      fork(new URL('race-process.ts', import.meta.url), [database.url, `${index}`], { execArgv: [] }),
    );
    await Promise.all(processes.map((child) => once(child, 'message')));
  }, 60_000);
  afterAll(async () => {
    for (const child of processes) child.kill('SIGKILL');
    await database.close();
  });

  async function race(round: number, way: RaceOrder['way'], wallet: bigint): Promise<RaceReport> {
    const reports = await Promise.all(
      processes.map(async (child, index) => {
        const debits = Math.floor(DEBITS / PROCESSES) + (index < DEBITS % PROCESSES ? 1 : 0);
        const answer = reportOf(child, round);
        child.send({ round, way, wallet: wallet.toString(), contra: contra.toString(), debits } satisfies RaceOrder);
        return await answer;
      }),
    );
    const sum = (field: keyof RaceReport) => reports.reduce((total, report) => total + report[field], 0);
    return { round, applied: sum('applied'), refused: sum('refused'), other: sum('other') };
  }

  it(`E01 ${ROUNDS} times: of ${DEBITS} debits of 1 against ${FUNDS} from three processes exactly ${FUNDS} are applied`, async () => {
    const raceOnce = async (round: number): Promise<void> => {
      const [wallet] = await openWallets(database.db, ports, 1);
      if (!wallet) throw new Error('no wallet');
      await fund(database.db, ports, wallet, FUNDS);
      expect(await race(round, 'engine', wallet.id)).toEqual({ round, applied: 500, refused: 500, other: 0 });
      const account = liveAccount(wallet.id, 'wallet');
      expect(await database.db.query(balanceStatement, [account])).toEqual([{ balance: 0n }]);
      expect(await database.db.query(lowestStatement, [account])).toEqual([{ lowest: 0n }]);
    };
    for (let from = 0; from < ROUNDS; from += AT_ONCE)
      await Promise.all(Array.from({ length: AT_ONCE }, (_, number) => raceOnce(from + number)));
    expect((await checkLedger(database.db)).results.filter(({ rows }) => rows.length > 0)).toEqual([]);
  }, 180_000);

  it('E01 the control, which looks before it locks, is caught by the same race', async () => {
    const [wallet] = await openWallets(database.db, ports, 1);
    if (!wallet) throw new Error('no wallet');
    await fund(database.db, ports, wallet, FUNDS);
    const { applied } = await race(ROUNDS, 'control', wallet.id);
    expect(applied).toBeGreaterThan(Number(FUNDS));
    const broken = (await checkLedger(database.db)).results.filter(({ rows }) => rows.length > 0);
    expect(broken.map(({ id }) => id)).toContain('L03');
  }, 60_000);
});

/** A process answers several rounds in whatever order they end. */
function reportOf(child: ChildProcess, round: number): Promise<RaceReport> {
  return new Promise((resolve) => {
    const hear = (report: RaceReport): void => {
      if (report.round !== round) return;
      child.off('message', hear);
      resolve(report);
    };
    child.on('message', hear);
  });
}
