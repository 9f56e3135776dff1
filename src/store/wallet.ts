import { liveAccount } from '../domain/ledger/posting.ts';
import { micros, type Micros } from '../domain/money.ts';
import { statement, type Tx } from './db.ts';
import { likePattern } from './search.ts';

/** What lies in the grants of a wallet; one without grants costs a comparison. */
const GIVEN = `case when main.given_slots = 0 then 0 else coalesce(
     (select sum(given.balance) from account as given where given.id > main.id + 2 and given.id < main.id + 16), 0) end`;

/** A wallet with everything its owner is shown of it. */
export interface WalletRow {
  readonly id: bigint;
  readonly sid: string;
  readonly userSid: string;
  readonly displayName: string;
  readonly currency: string;
  readonly createdAt: Date;
  /** Of what was paid. */
  readonly balance: Micros;
  /** Credit that was given and is not used up. */
  readonly given: Micros;
  readonly reserved: Micros;
  readonly frozen: Micros;
  readonly isFrozen: boolean;
  /** Sum of all settled top-ups. Derived from the payment events, so no adjustment can touch it. */
  readonly lifetimePaid: Micros;
  readonly firstPaidAt: Date | null;
  /** When money last moved in the wallet; null before the first posting. */
  readonly lastActiveAt: Date | null;
  /** What follows from the plan period that it has paid; null: it has no plan. */
  readonly plan: WalletPlan | null;
}

export interface WalletPlan {
  readonly code: string;
  readonly vmTotal: number;
  /** Open allocations. */
  readonly vmUsed: number;
  readonly periodEndsAt: Date;
}

interface WalletRecord extends Record<string, unknown> {
  id: bigint;
  sid: string;
  user_sid: string;
  display_name: string;
  currency: string;
  created_at: Date;
  balance: bigint;
  given: bigint;
  reserved: bigint;
  frozen: bigint;
  is_frozen: boolean;
  lifetime_paid: bigint;
  first_paid_at: Date | null;
  last_active_at: Date | null;
  plan_code: string | null;
  vm_total: number | null;
  vm_used: number | null;
  period_ends_at: Date | null;
}

const fromRow = (row: WalletRecord): WalletRow => ({
  id: row.id,
  sid: row.sid,
  userSid: row.user_sid,
  displayName: row.display_name,
  currency: row.currency,
  createdAt: row.created_at,
  balance: micros(row.balance),
  given: micros(row.given),
  reserved: micros(row.reserved),
  frozen: micros(row.frozen),
  isFrozen: row.is_frozen,
  lifetimePaid: micros(row.lifetime_paid),
  firstPaidAt: row.first_paid_at,
  lastActiveAt: row.last_active_at,
  plan: planOf(row),
});

function planOf(row: WalletRecord): WalletPlan | null {
  const { plan_code: code, vm_total: vmTotal, vm_used: vmUsed, period_ends_at: periodEndsAt } = row;
  if (code === null || vmTotal === null || vmUsed === null || periodEndsAt === null) return null;
  return { code, vmTotal, vmUsed, periodEndsAt };
}

const insertWalletStatement = statement(
  'wallet.insert',
  `insert into wallet (sid, user_sid, currency, created_at) values ($1, $2, $3, $4) returning id`,
);
const openAccountsStatement = statement(
  'wallet.open_accounts',
  `insert into account (id, currency) select id, $2 from unnest($1::int8[]) as t (id)`,
);

/** Opens a wallet with its three live accounts. */
export async function insertWallet(
  tx: Tx,
  wallet: Pick<WalletRow, 'sid' | 'userSid' | 'currency' | 'createdAt'>,
): Promise<bigint> {
  const [row] = await tx.query<{ id: bigint }>(insertWalletStatement, [
    wallet.sid,
    wallet.userSid,
    wallet.currency,
    wallet.createdAt,
  ]);
  if (!row) throw new Error('an inserted wallet has an id');
  const accounts = [liveAccount(row.id, 'wallet'), liveAccount(row.id, 'reserved'), liveAccount(row.id, 'frozen')];
  await tx.query(openAccountsStatement, [accounts, wallet.currency]);
  return row.id;
}

// The three live accounts are neighbours by key, the last entry is one index look-up, a wallet's payment events and plan periods are few.
const selectWallet = statement(
  'wallet.select',
  `select wallet.id, wallet.sid, wallet.user_sid, app_user.display_name, wallet.currency, wallet.created_at,
          main.balance, (${GIVEN})::int8 as given, reserved.balance as reserved, frozen.balance as frozen, main.is_frozen,
          coalesce(paid.total, 0)::int8 as lifetime_paid, paid.first_at as first_paid_at, last.recorded_at as last_active_at,
          plan.code as plan_code, plan.vm_count as vm_total, plan.ends_at as period_ends_at, used.count as vm_used
   from wallet
   join app_user on app_user.sid = wallet.user_sid
   join account as main on main.id = wallet.id * 16
   join account as reserved on reserved.id = wallet.id * 16 + 1
   join account as frozen on frozen.id = wallet.id * 16 + 2
   left join entry as last on last.account = main.id and last.seq = main.seq
   left join lateral (
     select sum(amount) filter (where kind in ('top_up', 'refund', 'refund_returned', 'reversal', 'dispute_lost')) as total,
            min(created_at) filter (where kind = 'top_up') as first_at
     from payment_event where payment_event.wallet = wallet.id
   ) as paid on true
   left join lateral (
     select plan.code, plan.vm_count, subscription.period_ends_at as ends_at
     from subscription
     join plan_period on plan_period.subscription = subscription.id
     join plan on plan.sid = plan_period.plan_sid
     where subscription.wallet = wallet.id and subscription.state <> 'ended'
     order by plan_period.number desc, plan_period.part desc limit 1
   ) as plan on true
   left join lateral (
     select count(*)::int4 as count from allocation
     where allocation.wallet = wallet.id and allocation.state in ('requested', 'active', 'suspended', 'releasing')
   ) as used on plan.code is not null`,
).text;

const readBySidStatement = statement('wallet.read_by_sid', `${selectWallet} where wallet.sid = $1`);
const readByUserStatement = statement('wallet.read_by_user', `${selectWallet} where wallet.user_sid = $1`);

export async function readWalletBySid(tx: Tx, sid: string): Promise<WalletRow | null> {
  const [row] = await tx.query<WalletRecord>(readBySidStatement, [sid]);
  return row ? fromRow(row) : null;
}

export async function readWalletByUser(tx: Tx, userSid: string): Promise<WalletRow | null> {
  const [row] = await tx.query<WalletRecord>(readByUserStatement, [userSid]);
  return row ? fromRow(row) : null;
}

const listIdsStatement = statement(
  'wallet.list_ids',
  `select id from wallet where user_sid = any($1::text[]) order by id`,
);

export async function listWalletIdsOf(tx: Tx, userSids: readonly string[]): Promise<bigint[]> {
  return (await tx.query<{ id: bigint }>(listIdsStatement, [userSids])).map(({ id }) => id);
}

/** All that a posting between a wallet and a system account needs to know of them. */
export interface PostingParties {
  readonly wallet: bigint;
  readonly userSid: string;
  readonly currency: string;
  /** The system account's id; null before its first use. */
  readonly contra: bigint | null;
}

const findPartiesStatement = statement(
  'wallet.find_parties',
  // One row of one index each: a debit must not pay for the sums and joins of what a wallet's owner is shown.
  `select wallet.id, wallet.user_sid, wallet.currency, system_account.id as contra
   from wallet left join system_account on system_account.code = $2 and system_account.currency = wallet.currency
   where wallet.sid = $1`,
);

/** Null when there is no such wallet. `code`: of the system account, like `revenue:usage`. */
export async function findPostingParties(tx: Tx, sid: string, code: string): Promise<PostingParties | null> {
  const [row] = await tx.query<{ id: bigint; user_sid: string; currency: string; contra: bigint | null }>(
    findPartiesStatement,
    [sid, code],
  );
  return row ? { wallet: row.id, userSid: row.user_sid, currency: row.currency, contra: row.contra } : null;
}

const listStatement = statement(
  'wallet.list',
  `${selectWallet}
   where ($1::text is null or wallet.sid < $1)
     and ($2::text is null or app_user.display_name ilike $2 or wallet.sid ilike $2 or wallet.user_sid ilike $2)
   order by wallet.sid desc limit $3`,
);

/** Newest first. `before` is the sid of the last wallet of the page before. */
export async function listWallets(
  tx: Tx,
  page: { readonly before: string | null; readonly search: string | null; readonly limit: number },
): Promise<WalletRow[]> {
  const rows = await tx.query<WalletRecord>(listStatement, [page.before, likePattern(page.search), page.limit]);
  return rows.map(fromRow);
}

const freezeStatement = statement(
  'wallet.freeze',
  `update account set is_frozen = $2 where id = $1 and is_frozen <> $2 returning id`,
);

/** False when it already was as asked. */
export async function setFrozen(tx: Tx, wallet: bigint, isFrozen: boolean): Promise<boolean> {
  const rows = await tx.query(freezeStatement, [liveAccount(wallet, 'wallet'), isFrozen]);
  return rows.length === 1;
}

export interface StatementRow {
  readonly seq: bigint;
  readonly kind: number;
  readonly amount: Micros;
  readonly balanceAfter: Micros;
  readonly about: string | null;
  readonly occurredAt: Date;
  readonly recordedAt: Date;
}

const statementStatement = statement(
  'wallet.statement',
  `select seq, kind, amount, balance_after, about, occurred_at, recorded_at from entry
   where account = $1 and ($2::int8 is null or seq < $2) order by seq desc limit $3`,
);

/** The entries of the wallet account, newest first. `before` is the seq of the last line of the page before. */
export async function readStatement(
  tx: Tx,
  page: { readonly wallet: bigint; readonly before: bigint | null; readonly limit: number },
): Promise<StatementRow[]> {
  const rows = await tx.query<{
    seq: bigint;
    kind: number;
    amount: bigint;
    balance_after: bigint;
    about: string | null;
    occurred_at: Date;
    recorded_at: Date;
  }>(statementStatement, [liveAccount(page.wallet, 'wallet'), page.before, page.limit]);
  return rows.map((row) => ({
    seq: row.seq,
    kind: row.kind,
    amount: micros(row.amount),
    balanceAfter: micros(row.balance_after),
    about: row.about,
    occurredAt: row.occurred_at,
    recordedAt: row.recorded_at,
  }));
}
