import type { Streak } from '../domain/discount/ladder.ts';
import { liveAccount, POSTING_KINDS } from '../domain/ledger/posting.ts';
import { micros, type Micros } from '../domain/money.ts';
import { statement, type Tx } from './db.ts';
import { int8Array, textArray } from './pg-binary.ts';

/** In the text of statements, so that the partial index of such rows serves them. */
const USAGE = POSTING_KINDS.usage;

/** Where the usage of a user is charged. */
export interface ChargedWallet {
  readonly userSid: string;
  readonly wallet: bigint;
  readonly walletSid: string;
  readonly currency: string;
  readonly isFrozen: boolean;
  /** Its runs of continuous use, each in a category. */
  readonly streaks: readonly (Streak & { readonly category: string })[];
}

/** What of it never changes: a wallet that was opened keeps its user, its number, its sid and its currency. */
export type WalletIdentity = Pick<ChargedWallet, 'userSid' | 'wallet' | 'walletSid' | 'currency'>;

const findWalletsStatement = statement(
  'usage.find_wallets',
  `select user_sid, id, sid, currency from wallet where user_sid = any($1::text[])`,
);

/** The wallets of those users that there are. */
export async function findWallets(tx: Tx, userSids: readonly string[]): Promise<WalletIdentity[]> {
  const rows = await tx.query<{ user_sid: string; id: bigint; sid: string; currency: string }>(findWalletsStatement, [
    textArray(userSids),
  ]);
  return rows.map(({ user_sid: userSid, id: wallet, sid: walletSid, currency }) => ({
    userSid,
    wallet,
    walletSid,
    currency,
  }));
}

const readChargedStatement = statement(
  'usage.read_charged',
  // Two passes over an index each, and no join: a nested loop would descend into it once for every wallet. A row without a category says
  // that a wallet is frozen; those have an index of their own. One with an empty category is the edition of the rule book.
  `select wallet, category, started_at, last_at from usage_streak where wallet = any($1::int8[])
   union all
   select id / 16, null, null, null from account where id = any($2::int8[]) and is_frozen
   union all
   select edition, '', null, null from rule_book`,
);

/** Wallets as they stand, and which edition of the rule book was the newest then. */
export interface ChargedWallets {
  readonly wallets: readonly ChargedWallet[];
  readonly edition: bigint;
}

/** How the wallets stand now, in the order of what is given. */
export async function readChargedWallets(tx: Tx, wallets: readonly WalletIdentity[]): Promise<ChargedWallets> {
  const rows = await tx.query<{ wallet: bigint; category: string | null; started_at: Date; last_at: Date }>(
    readChargedStatement,
    [
      int8Array(wallets.map(({ wallet }) => wallet)),
      int8Array(wallets.map(({ wallet }) => liveAccount(wallet, 'wallet'))),
    ],
  );
  let edition = 0n;
  const frozen = new Set<bigint>();
  const streaks = new Map<bigint, (Streak & { readonly category: string })[]>(
    wallets.map(({ wallet }) => [wallet, []]),
  );
  for (const { wallet, category, started_at: startedAt, last_at: lastAt } of rows) {
    if (category === null) frozen.add(wallet);
    else if (category === '') edition = wallet;
    else streaks.get(wallet)?.push({ category, startedAt, lastAt });
  }
  const standing = wallets.map((identity) => ({
    userSid: identity.userSid,
    wallet: identity.wallet,
    walletSid: identity.walletSid,
    currency: identity.currency,
    isFrozen: frozen.has(identity.wallet),
    streaks: streaks.get(identity.wallet) ?? [],
  }));
  return { wallets: standing, edition };
}

const findSystemAccountsStatement = statement(
  'usage.find_system_accounts',
  `select id, code from system_account where code = any($1::text[]) and currency = $2`,
);

/** The ids of those system accounts that have been used before, by code. */
export async function findSystemAccounts(
  tx: Tx,
  codes: readonly string[],
  currency: string,
): Promise<Map<string, bigint>> {
  const rows = await tx.query<{ id: bigint; code: string }>(findSystemAccountsStatement, [codes, currency]);
  return new Map(rows.map(({ code, id }) => [code, id]));
}

/** One charge, as its entry has it. */
export interface UsageEntryRow {
  readonly idem: string;
  readonly seq: bigint;
  readonly amount: Micros;
  readonly balanceAfter: Micros;
  readonly about: string | null;
  readonly occurredAt: Date;
  readonly recordedAt: Date;
}

const readEntryStatement = statement(
  'usage.read_entry',
  `select idem, seq, amount, balance_after, about, occurred_at, recorded_at from entry
   where account = $1 and seq = $2 and kind = ${USAGE}`,
);

export async function readUsageEntry(tx: Tx, account: bigint, seq: bigint): Promise<UsageEntryRow | null> {
  const [row] = await tx.query<{
    idem: string;
    seq: bigint;
    amount: bigint;
    balance_after: bigint;
    about: string | null;
    occurred_at: Date;
    recorded_at: Date;
  }>(readEntryStatement, [account, seq]);
  if (!row) return null;
  return {
    idem: row.idem,
    seq: row.seq,
    amount: micros(row.amount),
    balanceAfter: micros(row.balance_after),
    about: row.about,
    occurredAt: row.occurred_at,
    recordedAt: row.recorded_at,
  };
}

const findLineStatement = statement('usage.find_line', `select seq from entry where idem = $1`);

/** The number of the wallet's line that a posting made; null when nothing was posted under this identity. */
export async function findLine(tx: Tx, idem: string): Promise<bigint | null> {
  const [row] = await tx.query<{ seq: bigint }>(findLineStatement, [idem]);
  return row?.seq ?? null;
}

/** A charge that a node caused, with what it takes to list it and to take it back. */
export interface NodeChargeRow {
  readonly account: bigint;
  readonly seq: bigint;
  readonly walletSid: string;
  readonly idem: string;
  readonly amount: Micros;
  readonly about: string;
  readonly occurredAt: Date;
  readonly recordedAt: Date;
}

const listOfNodeStatement = statement(
  'usage.list_of_node',
  // Which wallets a node has charged is folded by day; of those wallets the entries are read from where the last page ended.
  // "not in" and no join: what was taken back is hashed once. As a join the planner, which cannot know how many there are, went through
  // all entries for each entry: 4 seconds for a page of a thousand charges instead of 30 ms.
  `with charged as (
     select wallet * 16 as account from (select distinct wallet from usage_day where node = $1) as days where wallet * 16 >= $2
   ), voided as (
     select entry.account, (entry.about::json ->> 'voids')::int8 as seq from charged join entry on entry.account = charged.account
     where $6 and entry.kind = ${USAGE} and entry.about::jsonb ? 'voids'
   )
   select entry.account, entry.seq, wallet.sid as wallet_sid, entry.idem, entry.amount, entry.about, entry.occurred_at, entry.recorded_at
   from charged join wallet on wallet.id = charged.account / 16 join entry on entry.account = charged.account
   where entry.kind = ${USAGE} and entry.about::json ->> 'node' = $1 and not entry.about::jsonb ?| array['voids', 'corrects']
     and (entry.account, entry.seq) not in (select account, seq from voided)
     and (entry.account, entry.seq) > ($2, $3) and entry.recorded_at >= $4 and entry.recorded_at < $5
   order by entry.account, entry.seq limit $7`,
);

/** By wallet and line. `isOpen`: only those that were not taken back. Wallets must be folded first, see `foldUsage`. */
export async function listChargesOfNode(
  tx: Tx,
  page: {
    readonly nodeSid: string;
    readonly after: Pick<NodeChargeRow, 'account' | 'seq'> | null;
    readonly since: Date;
    readonly until: Date;
    readonly isOpen: boolean;
    readonly limit: number;
  },
): Promise<NodeChargeRow[]> {
  const { nodeSid, after, since, until, isOpen, limit } = page;
  const rows = await tx.query<{
    account: bigint;
    seq: bigint;
    wallet_sid: string;
    idem: string;
    amount: bigint;
    about: string;
    occurred_at: Date;
    recorded_at: Date;
  }>(listOfNodeStatement, [nodeSid, after?.account ?? 0n, after?.seq ?? 0n, since, until, isOpen, limit]);
  return rows.map((row) => ({
    account: row.account,
    seq: row.seq,
    walletSid: row.wallet_sid,
    idem: row.idem,
    amount: micros(row.amount),
    about: row.about,
    occurredAt: row.occurred_at,
    recordedAt: row.recorded_at,
  }));
}

const knownIdemsStatement = statement(
  'usage.known_idems',
  `select idem from entry where idem = any($1::uuid[]) union all select idem from declined_posting where idem = any($1::uuid[])`,
);

/** Those of the identities that the ledger has answered for: applied, or kept as unbilled. */
export async function findKnownIdems(tx: Tx, idems: readonly string[]): Promise<Set<string>> {
  return new Set((await tx.query<{ idem: string }>(knownIdemsStatement, [idems])).map(({ idem }) => idem));
}
