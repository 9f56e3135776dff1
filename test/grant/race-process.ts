/**
 * One server process of the race at the end of a grant: its own pool and lanes. Told over IPC, it debits a wallet again and again until some
 * time after the end of the grants, and looks for ended grants between the debits, as the tick does.
 */
import { systemPorts } from '../../src/ports/system.ts';
import { expireGrants } from '../../src/operations/grant/expire.ts';
import { openDatabase } from '../../src/store/postgres.ts';
import { testHouse } from '../support/house.ts';
import { posting } from '../support/ledger.ts';

export interface RaceOrder {
  readonly round: number;
  readonly wallet: string;
  readonly contra: string;
  readonly endsAt: number;
}

export interface RaceReport {
  readonly round: number;
  readonly applied: number;
  readonly refused: number;
}

const url = process.argv[2];
const worker = process.argv[3] ?? '0';
if (url === undefined) throw new Error('the first argument is the address of the database');

const AFTER_MS = 150;
const AT_ONCE = 8;
const ports = systemPorts({ logLevel: 'silent' });
const db = openDatabase({ url, ports, poolMax: 8, waitingMax: 2_000, limits: { connectMs: 20_000 } });
const house = testHouse({ db, ports });

process.on('message', (order: RaceOrder) => void run(order));
process.on('disconnect', () => process.exit(0));
process.send?.('ready');

async function run({ round, wallet, contra, endsAt }: RaceOrder): Promise<void> {
  let [applied, refused, number] = [0, 0, 0];
  const until = endsAt + AFTER_MS;
  const debits = Array.from({ length: AT_ONCE }, async () => {
    while (Date.now() < until) {
      const key = `${round}:${worker}:${(number += 1)}`;
      const record = posting({ wallet: { id: BigInt(wallet) }, amount: -7n, key, contra: BigInt(contra) });
      const outcome = await house.lanes.post({ ...record, fromGiven: true });
      if (outcome.kind === 'applied') applied += 1;
      else refused += 1;
    }
  });
  const looks = async (): Promise<void> => {
    while (Date.now() < until) await expireGrants(house);
  };
  await Promise.all([...debits, looks()]);
  process.send?.({ round, applied, refused } satisfies RaceReport);
}
