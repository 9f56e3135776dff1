import type { WalletLevel } from '../domain/event/level.ts';
import { micros, type Micros } from '../domain/money.ts';
import { statement, type Tx } from './db.ts';

/** What lies in the grants of a wallet; one without grants costs a comparison. */
const GIVEN = `case when main.given_slots = 0 then 0 else coalesce(
     (select sum(given.balance) from account as given where given.id > main.id + 2 and given.id < main.id + 16), 0) end`;

/** A wallet that is at another level than it was last told of. */
export interface MovedWallet {
  readonly wallet: bigint;
  readonly walletSid: string;
  readonly userSid: string;
  /** What it can spend, given credit included. */
  readonly balance: Micros;
  readonly reserved: Micros;
}

const findMovedStatement = statement(
  'wallet_level.find_moved',
  // One pass over the accounts: a wallet costs about a third of a microsecond, ten thousand some milliseconds, and no debit pays for it.
  // A wallet without a row has had nothing yet, which is as good as empty.
  `select wallet.id as wallet, wallet.sid, wallet.user_sid, spendable.sum as balance, reserved.balance as reserved
   from wallet
   join account as main on main.id = wallet.id * 16
   join account as reserved on reserved.id = wallet.id * 16 + 1
   cross join lateral (select (main.balance + ${GIVEN})::int8 as sum) as spendable
   left join wallet_level as told on told.wallet = wallet.id
   where case when spendable.sum + reserved.balance <= 0 then 'empty' when spendable.sum + reserved.balance < $1 then 'low' else 'ok' end
         <> coalesce(told.level, 'empty')
   order by wallet.id limit $2`,
);

/** Wallets whose level is not the one they were last told of, in order of their ids. */
export async function findMovedWallets(
  tx: Tx,
  { lowBalance, limit }: { readonly lowBalance: bigint; readonly limit: number },
): Promise<MovedWallet[]> {
  const rows = await tx.query<{ wallet: bigint; sid: string; user_sid: string; balance: bigint; reserved: bigint }>(
    findMovedStatement,
    [lowBalance, limit],
  );
  return rows.map((row) => ({
    wallet: row.wallet,
    walletSid: row.sid,
    userSid: row.user_sid,
    balance: micros(row.balance),
    reserved: micros(row.reserved),
  }));
}

const openStatement = statement(
  'wallet_level.open',
  `insert into wallet_level (wallet, level, since) values ($1, 'empty', $2) on conflict do nothing`,
);
const lockStatement = statement(
  'wallet_level.lock',
  `select level from wallet_level where wallet = $1 for no key update`,
);

/** The level a wallet was last told of, locked: of two processes that look at once, one finds what the other wrote. */
export async function lockLevel(tx: Tx, wallet: bigint, now: Date): Promise<WalletLevel> {
  await tx.query(openStatement, [wallet, now]);
  const [row] = await tx.query<{ level: WalletLevel }>(lockStatement, [wallet]);
  return row?.level ?? 'empty';
}

const setStatement = statement('wallet_level.set', `update wallet_level set level = $2, since = $3 where wallet = $1`);

export async function setLevel(tx: Tx, wallet: bigint, level: WalletLevel, now: Date): Promise<void> {
  await tx.query(setStatement, [wallet, level, now]);
}
