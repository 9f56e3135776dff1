import { assert } from '../../domain/assert.ts';
import type { LockedAccount } from '../../domain/ledger/decide.ts';
import { liveAccount, type AccountId } from '../../domain/ledger/posting.ts';
import { micros, ZERO, type Micros } from '../../domain/money.ts';
import type { Tx } from '../../store/db.ts';
import { lockAhead } from '../../store/ledger.ts';

/** The accounts of wallets, locked until the transaction ends. */
export type Funds = ReadonlyMap<AccountId, LockedAccount>;

/** A posting that is declined keeps its key for ever, so it is known before whether a wallet can pay. */
export const lockFunds = (tx: Tx, wallets: readonly bigint[]): Promise<Funds> =>
  lockAhead(
    tx,
    wallets.map((wallet) => liveAccount(wallet, 'wallet')),
  );

/** What a wallet can pay: nothing while it is frozen. */
export function payableOf(funds: Funds, wallet: bigint): Micros {
  const account = funds.get(liveAccount(wallet, 'wallet'));
  if (!account || account.isFrozen) return ZERO;
  const free = account.balance - account.creditFloor;
  return free > 0n ? micros(free) : ZERO;
}

export const isFrozen = (funds: Funds, wallet: bigint): boolean =>
  funds.get(liveAccount(wallet, 'wallet'))?.isFrozen === true;

export const canPay = (funds: Funds, wallet: bigint, price: Micros): boolean => payableOf(funds, wallet) >= price;

/** What a wallet holds, whatever of it can be spent. */
export function balanceOf(funds: Funds, wallet: bigint): Micros {
  const account = funds.get(liveAccount(wallet, 'wallet'));
  assert(account !== undefined, 'a wallet has its account');
  return micros(account.balance);
}
