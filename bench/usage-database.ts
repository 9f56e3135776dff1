import { FRACTIONS_PER_MICRO, POSTING_KINDS } from '../src/domain/ledger/posting.ts';
import { parseScaled, PRICE_DECIMALS } from '../src/domain/usage/decimal.ts';
import { inSession, type BenchServer } from './server.ts';
import { COST } from './usage-load.ts';

/**
 * A house that has been running: the wallets belong to users whose sids can be sent, and each has a run of use of a day, last written
 * within the last minute. So a wallet's run is written again when a minute of use has passed, as it is in daily life, and not with the
 * first record of each wallet.
 */
const HOUSE_SQL = [
  `insert into app_user (sid, display_name, created_at) select lpad(id::text, 26, '0'), 'Bench', now() from wallet on conflict do nothing`,
  `update wallet set user_sid = lpad(id::text, 26, '0') where user_sid <> lpad(id::text, 26, '0')`,
  `insert into usage_streak (wallet, category, started_at, last_at)
   select id, 'llm', now() - interval '1 day', now() - make_interval(secs => id % 60) from wallet
   on conflict (wallet, category) do update set last_at = excluded.last_at`,
  'vacuum analyze',
];

export async function prepareHouse({ ports }: BenchServer, url: string): Promise<void> {
  await inSession(url, ports, async (session) => {
    for (const text of HOUSE_SQL) await session.query(text);
  });
}

/** The sums that a run changes. */
interface Sums {
  readonly entries: bigint;
  readonly paid: bigint;
  readonly carried: bigint;
  readonly spent: bigint;
  readonly imbalance: bigint;
}

const SUMS_SQL = `
  select (select count(*) from entry where kind = $1) as entries,
         (select coalesce(-sum(amount), 0) from entry where kind = $1)::text as paid,
         (select coalesce(sum(carry), 0) from account)::text as carried,
         (select coalesce(sum(spent), 0) from posting_budget)::text as spent,
         ((select coalesce(sum(amount), 0) from entry where batch > 1)
          + (select coalesce(sum(amount), 0) from batch_leg where batch > 1))::text as imbalance`;

export async function readSums({ ports }: BenchServer, url: string, kind: 'usage' | 'debit'): Promise<Sums> {
  return await inSession(url, ports, async (session) => {
    const [row = {}] = await session.query(SUMS_SQL, [POSTING_KINDS[kind]]);
    const at = (name: keyof Sums): bigint => BigInt(String(row[name]));
    return {
      entries: at('entries'),
      paid: at('paid'),
      carried: at('carried'),
      spent: at('spent'),
      imbalance: at('imbalance'),
    };
  });
}

/** Cost and margin of one record, exactly. */
const PARTS_A_RECORD = ((parseScaled(COST, PRICE_DECIMALS) ?? 0n) * FRACTIONS_PER_MICRO * 11n) / 10n / 1_000_000n;

/**
 * Throws unless the database has exactly what was answered: an entry for each record, their exact price between them and the carried
 * fractions, as much taken out of the budgets, and books that balance. The plain service knows nothing of the last three.
 */
export function checkSums(
  before: Sums,
  after: Sums,
  { records, service }: { readonly records: number; readonly service: 'plain' | 'usual' | 'product' },
): void {
  const entries = after.entries - before.entries;
  if (entries !== BigInt(records)) throw new Error(`${records} records were answered, ${entries} are there`);
  if (service === 'plain') return;
  const paid = after.paid - before.paid;
  const parts = paid * FRACTIONS_PER_MICRO + after.carried - before.carried;
  if (parts !== PARTS_A_RECORD * BigInt(records)) throw new Error('the records did not cost their exact price');
  if (after.spent - before.spent !== paid) throw new Error('the budgets do not have what was paid');
  if (after.imbalance !== before.imbalance) throw new Error('the books do not balance');
}
