/**
 * One server process of the overdraft race: its own pool and lanes, told over IPC which wallet to debit and how often.
 * `engine` is ours; `control` is the textbook mistake (look, decide, then write), kept to prove that the race would catch it.
 */
import { systemPorts } from '../../src/ports/system.ts';
import { statement } from '../../src/store/db.ts';
import { openPostingLanes } from '../../src/store/posting-lanes.ts';
import { openDatabase } from '../../src/store/postgres.ts';
import { liveAccount } from '../../src/domain/ledger/posting.ts';
import { posting } from '../support/ledger.ts';

export interface RaceOrder {
  readonly round: number;
  readonly way: 'engine' | 'control';
  readonly wallet: string;
  readonly contra: string;
  readonly debits: number;
}

export interface RaceReport {
  readonly round: number;
  readonly applied: number;
  readonly refused: number;
  readonly other: number;
}

const url = process.argv[2];
const worker = process.argv[3] ?? '0';
if (url === undefined) throw new Error('the first argument is the address of the database');

const ports = systemPorts({ logLevel: 'silent' });
const db = openDatabase({ url, ports, poolMax: 8, waitingMax: 2_000, limits: { connectMs: 20_000 } });
const lanes = openPostingLanes(db, ports, { lanes: 2, batchRecordsMax: 40, queueMax: 10_000 });
const lookStatement = statement('test.look', `select balance from account where id = $1`);
const takeStatement = statement('test.take', `update account set balance = $2, floor = least(floor, $2) where id = $1`);

process.on('message', (order: RaceOrder) => void run(order));
process.on('disconnect', () => process.exit(0));
process.send?.('ready');

async function run(order: RaceOrder): Promise<void> {
  const debit = order.way === 'engine' ? debitByEngine : debitByControl;
  const kinds = await Promise.all(Array.from({ length: order.debits }, (_, index) => debit(order, index)));
  const count = (kind: string) => kinds.filter((one) => one === kind).length;
  const applied = count('applied');
  const refused = count('declined');
  process.send?.({
    round: order.round,
    applied,
    refused,
    other: kinds.length - applied - refused,
  } satisfies RaceReport);
}

async function debitByEngine(order: RaceOrder, index: number): Promise<string> {
  const wallet = { id: BigInt(order.wallet) };
  const key = `${order.round}:${worker}:${index}`;
  const outcome = await lanes.post(posting({ wallet, amount: -1n, key, contra: BigInt(order.contra) }));
  return outcome.kind;
}

/** Reads the balance, decides in the program, writes what it decided: two statements, no lock between them. */
async function debitByControl(order: RaceOrder): Promise<string> {
  const account = liveAccount(BigInt(order.wallet), 'wallet');
  return db.transaction('test.control', async (tx) => {
    const [row] = await tx.query<{ balance: bigint }>(lookStatement, [account]);
    if (row === undefined || row.balance < 1n) return 'declined';
    await tx.query(takeStatement, [account, row.balance - 1n]);
    return 'applied';
  });
}
