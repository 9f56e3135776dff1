import { byBurnOrder, type OpenGrant } from '../domain/ledger/given.ts';
import type { LockedAccount } from '../domain/ledger/decide.ts';
import {
  GRANT_SLOTS,
  grantAccount,
  liveAccount,
  walletOf,
  type AccountId,
  type PostingRecord,
} from '../domain/ledger/posting.ts';
import { statement, type Tx } from './db.ts';
import { int8Array } from './pg-binary.ts';

/** Given credit, as the posting path uses it. Whoever locks the account of a grant holds its wallet's row: so these locks wait for nobody. */

const lockStatement = statement(
  'ledger.lock_grants',
  `select account.id, account.balance, account.seq, account.credit_floor, account.is_frozen, account.carry,
          grant_credit.sid, grant_credit.id as number, grant_credit.priority, grant_credit.expires_at
   from grant_credit join account on account.id = grant_credit.account
   where grant_credit.wallet = any($1::int8[]) and grant_credit.closed_at is null and grant_credit.state = 'open'
   order by account.id for no key update of account`,
);

/** Open grants by wallet account, in the order of use, and their accounts. */
export interface LockedGrants {
  readonly accounts: readonly LockedAccount[];
  readonly grants: ReadonlyMap<AccountId, readonly OpenGrant[]>;
}

export const NO_GRANTS: LockedGrants = { accounts: [], grants: new Map() };

/** Which of the wallets with grants the records may use grants of. */
export const usersOfGrants = (records: readonly PostingRecord[], withGrants: ReadonlySet<AccountId>): AccountId[] => {
  const used = new Set<AccountId>();
  for (const { fromGiven, legs } of records)
    if (fromGiven) for (const { account } of legs) if (withGrants.has(account)) used.add(account);
  return [...used];
};

/** Locks the accounts of the open grants of wallets whose rows are locked. */
export async function lockGrants(tx: Tx, walletAccounts: readonly AccountId[]): Promise<LockedGrants> {
  if (walletAccounts.length === 0) return NO_GRANTS;
  const rows = await tx.query<{
    id: bigint;
    balance: bigint;
    seq: bigint;
    credit_floor: bigint;
    is_frozen: boolean;
    carry: bigint;
    sid: string;
    number: bigint;
    priority: number;
    expires_at: Date | null;
  }>(lockStatement, [int8Array(walletAccounts.map(walletOf))]);
  const grants = new Map<AccountId, OpenGrant[]>();
  for (const { id: account, sid, number, priority, expires_at: expiresAt } of rows) {
    const payer = liveAccount(walletOf(account), 'wallet');
    const grant = { account, sid, number, priority, expiresAt };
    const known = grants.get(payer);
    if (known) known.push(grant);
    else grants.set(payer, [grant]);
  }
  for (const ofWallet of grants.values()) ofWallet.sort(byBurnOrder);
  return {
    accounts: rows.map(({ id, balance, seq, credit_floor: creditFloor, is_frozen: isFrozen, carry }) => ({
      id,
      balance,
      seq,
      creditFloor,
      isFrozen,
      carry,
    })),
    grants,
  };
}

const markStatement = statement(
  'ledger.mark_given_slots',
  // From the rows, not by adding and taking away: so it cannot drift.
  `update account set given_slots = coalesce(
     (select sum(1 << (grant_credit.account % 16 - 3)::int4) from grant_credit
      where grant_credit.wallet = $1::int8 / 16 and closed_at is null and state = 'open'), 0)::int2
   where id = $1::int8`,
);

/** Writes down which places have an open grant, after a change of the wallet's grants. The wallet's row is locked. */
export async function markGivenSlots(tx: Tx, wallet: bigint): Promise<void> {
  await tx.query(markStatement, [liveAccount(wallet, 'wallet')]);
}

const freePlaceStatement = statement(
  'ledger.free_grant_place',
  `select place.id, coalesce(account.seq, 0)::int8 as seq, account.id is null as is_new
   from unnest($1::int8[]) as place (id) left join account on account.id = place.id
   where not exists (select from grant_credit where grant_credit.account = place.id and closed_at is null)
   order by place.id limit 1`,
);
const openPlaceStatement = statement(
  'ledger.open_grant_place',
  `insert into account (id, currency) select $1::int8, currency from wallet where id = $1::int8 / 16`,
);

/** A place for one more grant, with its account; null when all are taken. The wallet's row is locked. */
export async function takePlace(
  tx: Tx,
  wallet: bigint,
): Promise<{ readonly account: AccountId; readonly seq: bigint } | null> {
  const places = int8Array(GRANT_SLOTS.map((slot) => grantAccount(wallet, slot)));
  const [free] = await tx.query<{ id: bigint; seq: bigint; is_new: boolean }>(freePlaceStatement, [places]);
  if (!free) return null;
  if (free.is_new) await tx.query(openPlaceStatement, [free.id]);
  return { account: free.id, seq: free.seq };
}
