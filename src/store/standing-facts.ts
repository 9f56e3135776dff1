import { micros, type Micros } from '../domain/money.ts';
import type { Renewal } from '../domain/standing/runway.ts';
import { DAY_MS } from '../domain/standing/state.ts';
import { standingFromRow, type StandingRecord, type StandingRow } from './standing.ts';
import { statement, type Tx } from './db.ts';

/** A wallet with all that its standing is decided by, and the standing that it has. */
export interface WalletFacts {
  readonly wallet: bigint;
  readonly walletSid: string;
  readonly userSid: string;
  readonly displayName: string;
  /** Whose account was deleted is not told of anything. */
  readonly isErased: boolean;
  readonly balance: Micros;
  readonly reserved: Micros;
  /** What can be spent now. */
  readonly available: Micros;
  readonly seq: bigint;
  readonly freeze: 'operator' | 'dispute' | null;
  readonly plan: StandingPlan | null;
  /** VMs that are not released; of them those that are stopped. */
  readonly vms: number;
  readonly stoppedVms: number;
  readonly isMoneyComing: boolean;
  readonly standing: StandingRow;
  /** When its runway is to be looked at; null: once its account has moved on, or nobody has looked. */
  readonly lookAt: Date | null;
}

/** The plan that a wallet has, as far as its standing depends on it. */
export interface StandingPlan {
  readonly subscription: bigint;
  readonly subscriptionSid: string;
  readonly isPastDue: boolean;
  readonly pastDueSince: Date | null;
  readonly isRenewing: boolean;
  readonly periodEndsAt: Date;
  readonly periodMs: number;
  /** What the next period costs. */
  readonly nextPrice: Micros;
  /** How many VMs the present period has, what it cost, and how long it is. */
  readonly vmTotal: number;
  readonly price: Micros;
}

/** The plan's next period, if there is to be one. */
export const renewalOf = (plan: StandingPlan | null): Renewal | null =>
  plan === null || !(plan.isRenewing || plan.isPastDue)
    ? null
    : { at: plan.periodEndsAt, price: plan.nextPrice, everyMs: plan.periodMs };

interface FactsRecord extends StandingRecord {
  wallet: bigint;
  wallet_sid: string;
  user_sid: string;
  display_name: string;
  is_erased: boolean;
  opened_at: Date;
  balance: bigint;
  reserved: bigint;
  given: bigint;
  seq: bigint;
  is_frozen: boolean;
  is_disputed: boolean;
  subscription: bigint | null;
  subscription_sid: string | null;
  subscription_state: string | null;
  past_due_since: Date | null;
  is_renewing: boolean | null;
  period_ends_at: Date | null;
  period_unit: string | null;
  period_count: number | null;
  next_price: bigint | null;
  price: bigint | null;
  vm_total: number | null;
  vms: number;
  stopped_vms: number;
  is_money_coming: boolean;
  look_at: Date | null;
}

/** Of a month the mean, which is near enough to say for how many hours something lasts. */
const MONTH_DAYS = 30.436875;

function planOf(row: FactsRecord): StandingPlan | null {
  const { subscription, subscription_sid: subscriptionSid, period_ends_at: periodEndsAt } = row;
  if (subscription === null || subscriptionSid === null || periodEndsAt === null) return null;
  const days = (row.period_unit === 'month' ? MONTH_DAYS : 1) * (row.period_count ?? 1);
  return {
    subscription,
    subscriptionSid,
    isPastDue: row.subscription_state === 'past_due',
    pastDueSince: row.past_due_since,
    isRenewing: row.is_renewing === true,
    periodEndsAt,
    periodMs: Math.round(days * DAY_MS),
    nextPrice: micros(row.next_price ?? 0n),
    vmTotal: row.vm_total ?? 0,
    price: micros(row.price ?? 0n),
  };
}

function fromRow(row: FactsRecord): WalletFacts {
  return {
    wallet: row.wallet,
    walletSid: row.wallet_sid,
    userSid: row.user_sid,
    displayName: row.display_name,
    isErased: row.is_erased,
    balance: micros(row.balance),
    reserved: micros(row.reserved),
    available: micros(row.balance + row.given),
    seq: row.seq,
    freeze: !row.is_frozen ? null : row.is_disputed ? 'dispute' : 'operator',
    plan: planOf(row),
    vms: row.vms,
    stoppedVms: row.stopped_vms,
    isMoneyComing: row.is_money_coming,
    standing: standingFromRow(row, row.opened_at),
    lookAt: row.look_at,
  };
}

// Everything is one index range of a few rows for each wallet.
const selectFacts = statement(
  'standing.select_facts',
  `select wallet.id as wallet, wallet.sid as wallet_sid, wallet.user_sid, app_user.display_name,
          app_user.erased_at is not null as is_erased, wallet.created_at as opened_at,
          main.balance, reserved.balance as reserved, main.seq, main.is_frozen,
          (select coalesce(sum(balance), 0)::int8 from account where id between wallet.id * 16 + 3 and wallet.id * 16 + 15) as given,
          main.is_frozen and exists (select from dispute where dispute.wallet = wallet.id and dispute.freezes_wallet) as is_disputed,
          subscription.id as subscription, subscription.sid as subscription_sid, subscription.state as subscription_state,
          subscription.past_due_since, subscription.is_renewing, subscription.period_ends_at,
          next.price as next_price, next.period_unit, next.period_count, present.price, present.vm_count as vm_total,
          vm.open as vms, vm.stopped as stopped_vms,
          exists (select from payment where payment.wallet = wallet.id
                    and (payment.state = 'processing' or (payment.card_ref is not null and payment.state in ('created', 'open')))) as is_money_coming,
          told.state, told.since, told.level, told.reason, told.warned_hours, told.noticed_at, told.deadline_at, told.rescue_until,
          told.restoring_since, told.held_then, told.moves, told.look_at
   from wallet
   join app_user on app_user.sid = wallet.user_sid
   join account as main on main.id = wallet.id * 16
   join account as reserved on reserved.id = wallet.id * 16 + 1
   left join wallet_standing as told on told.wallet = wallet.id
   left join subscription on subscription.wallet = wallet.id and subscription.state <> 'ended'
   left join lateral (
     select price, period_unit, period_count from plan
     where plan.code = coalesce(subscription.next_plan_code, subscription.plan_code) and plan.is_for_sale
       and plan.active_from <= subscription.period_ends_at
     order by plan.active_from desc limit 1
   ) as next on true
   left join lateral (
     select plan.price, plan.vm_count from plan_period join plan on plan.sid = plan_period.plan_sid
     where plan_period.subscription = subscription.id order by plan_period.number desc, plan_period.part desc limit 1
   ) as present on true
   left join lateral (
     select count(*)::int4 as open, count(*) filter (where allocation.state = 'suspended')::int4 as stopped from allocation
     where allocation.wallet = wallet.id and allocation.state in ('requested', 'active', 'suspended', 'releasing')
   ) as vm on true`,
).text;

const factsStatement = statement('standing.facts', `${selectFacts} where wallet.id = any($1) order by wallet.id`);

/** In the order of the wallets' numbers. */
export async function readWalletFacts(tx: Tx, wallets: readonly bigint[]): Promise<WalletFacts[]> {
  if (wallets.length === 0) return [];
  return (await tx.query<FactsRecord>(factsStatement, [wallets])).map(fromRow);
}

const listStatement = statement(
  'standing.list',
  // The wallet is the key of the row and of the page; a state that is asked for is one range of its index.
  `${selectFacts}
   where ($1::text is null or told.state = $1) and told.wallet is not null and ($2::int8 is null or told.wallet < $2)
   order by told.wallet desc limit $3`,
);

/** Wallets that have a standing, newest first. */
export async function listStandings(
  tx: Tx,
  page: { readonly state: string | null; readonly before: bigint | null; readonly limit: number },
): Promise<WalletFacts[]> {
  return (await tx.query<FactsRecord>(listStatement, [page.state, page.before, page.limit])).map(fromRow);
}

interface Page {
  readonly after: bigint;
  readonly limit: number;
}
const ids = (rows: readonly { readonly wallet: bigint }[]): bigint[] => rows.map(({ wallet }) => wallet);

const movedStatement = statement(
  'standing.find_moved',
  // One pass over the accounts, which are neighbours: a wallet costs about a microsecond, ten thousand some milliseconds, and no debit pays
  // for it. What was given lies in the places behind the three accounts that every wallet has.
  `select wallet.id as wallet
   from wallet
   join account as main on main.id = wallet.id * 16
   join account as reserved on reserved.id = wallet.id * 16 + 1
   cross join lateral (
     select main.balance + reserved.balance + coalesce(sum(balance), 0) as amount from account
     where id between wallet.id * 16 + 3 and wallet.id * 16 + 15
   ) as held
   left join wallet_standing as told on told.wallet = wallet.id
   where wallet.id > $2
     and (case when held.amount <= 0 then 'empty' when held.amount < $1 then 'low' else 'ok' end <> coalesce(told.level, 'empty')
          or main.is_frozen <> (coalesce(told.reason, '') in ('dispute', 'operator'))
          or main.seq > coalesce(told.seen_seq, main.seq))
   order by wallet.id limit $3`,
);

/** Wallets that are at another level than they were told of, or frozen or thawed since, or used again after nothing had used them up. */
export async function findMovedWallets(tx: Tx, page: Page & { readonly lowBalance: bigint }): Promise<bigint[]> {
  return ids(await tx.query<{ wallet: bigint }>(movedStatement, [page.lowBalance, page.after, page.limit]));
}

const waitingStatement = statement(
  'standing.find_waiting',
  `select wallet from wallet_standing
   where (deadline_at is not null or state in ('suspended', 'released') or restoring_since is not null) and wallet > $1
   order by wallet limit $2`,
);

/** Wallets that something is due of, or whose VMs are stopped. */
export async function findWaitingWallets(tx: Tx, page: Page): Promise<bigint[]> {
  return ids(await tx.query<{ wallet: bigint }>(waitingStatement, [page.after, page.limit]));
}

const pastDueStatement = statement(
  'standing.find_past_due',
  // Of those that could not pay, which are few, the ones that nobody has been told of.
  `select subscription.wallet from subscription
   left join wallet_standing as told on told.wallet = subscription.wallet
   where subscription.state = 'past_due' and subscription.wallet > $1
     and told.deadline_at is null and coalesce(told.state, 'empty') not in ('suspended', 'released')
   order by subscription.wallet limit $2`,
);

/** Wallets with a period that is due and that no clock runs for. */
export async function findPastDueWallets(tx: Tx, page: Page): Promise<bigint[]> {
  return ids(await tx.query<{ wallet: bigint }>(pastDueStatement, [page.after, page.limit]));
}

const looksStatement = statement(
  'standing.find_looks',
  `select wallet from wallet_standing where look_at <= $1 order by look_at, wallet limit $2`,
);

/** Wallets whose runway is to be looked at now, the longest due first. */
export async function findDueLooks(tx: Tx, now: Date, limit: number): Promise<bigint[]> {
  return ids(await tx.query<{ wallet: bigint }>(looksStatement, [now, limit]));
}
