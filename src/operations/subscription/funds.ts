import { assert } from '../../domain/assert.ts';
import type { LockedAccount } from '../../domain/ledger/decide.ts';
import { liveAccount, type AccountId } from '../../domain/ledger/posting.ts';
import { micros, ZERO, type Micros } from '../../domain/money.ts';
import type { Tx } from '../../store/db.ts';
import { usableOfMany } from '../../store/grant.ts';
import { lockAhead } from '../../store/ledger.ts';

/** The accounts of wallets, locked until the transaction ends, and what each was given and can spend now. */
export interface Funds {
  readonly accounts: ReadonlyMap<AccountId, LockedAccount>;
  readonly given: ReadonlyMap<bigint, Micros>;
}

/** A posting that is declined keeps its key for ever, so it is known before whether a wallet can pay. */
export async function lockFunds(tx: Tx, wallets: readonly bigint[], now: Date): Promise<Funds> {
  const accounts = await lockAhead(
    tx,
    wallets.map((wallet) => liveAccount(wallet, 'wallet')),
  );
  return { accounts, given: wallets.length === 0 ? new Map() : await usableOfMany(tx, wallets, now) };
}

/** What a wallet can pay of what was given and what was paid: nothing while it is frozen. */
export function payableOf({ accounts, given }: Funds, wallet: bigint): Micros {
  const account = accounts.get(liveAccount(wallet, 'wallet'));
  if (!account || account.isFrozen) return ZERO;
  const free = account.balance - account.creditFloor + (given.get(wallet) ?? 0n);
  return free > 0n ? micros(free) : ZERO;
}

export const isFrozen = ({ accounts }: Funds, wallet: bigint): boolean =>
  accounts.get(liveAccount(wallet, 'wallet'))?.isFrozen === true;

export const canPay = (funds: Funds, wallet: bigint, price: Micros): boolean => payableOf(funds, wallet) >= price;

/** What a wallet holds of what was paid, and how much it was given besides, whatever of it can be spent. */
export function balanceOf(
  { accounts, given }: Funds,
  wallet: bigint,
): { readonly paid: Micros; readonly given: Micros } {
  const account = accounts.get(liveAccount(wallet, 'wallet'));
  assert(account !== undefined, 'a wallet has its account');
  return { paid: micros(account.balance), given: given.get(wallet) ?? ZERO };
}

/** What was paid is left with after a price: given credit goes first. */
export function paidAfter(funds: Funds, wallet: bigint, price: Micros): Micros {
  const { paid, given } = balanceOf(funds, wallet);
  return micros(paid - (price > given ? price - given : 0n));
}
