import { micros, type Micros } from '../domain/money.ts';
import type { EndReason, Standing, SubscriptionState } from '../domain/plan/subscription.ts';
import { statement, type Tx } from './db.ts';
import { PLAN_COLUMNS, planFromColumns, type PlanColumns } from './plan.ts';

/** That a wallet has a plan, and where it stands. */
export interface SubscriptionRow extends Standing {
  readonly id: bigint;
  readonly sid: string;
  readonly wallet: bigint;
  readonly walletSid: string;
  readonly userSid: string;
  readonly currency: string;
  /** Of the present period: 0, or higher after changes within it. */
  readonly periodPart: number;
  readonly createdAt: Date;
  readonly createdBy: string;
  readonly pastDueSince: Date | null;
  /** What the period costs that is due; null: none is. */
  readonly dueAmount: Micros | null;
  /** When that is worked out anew; null: none is due. */
  readonly dueLookAt: Date | null;
  readonly remindsAt: Date | null;
  readonly hasExcess: boolean;
  readonly endedAt: Date | null;
  readonly endReason: EndReason | null;
  /** Open allocations, and those of them that run. */
  readonly vmsUsed: number;
  readonly vmsRunning: number;
}

interface SubscriptionRecord extends PlanColumns {
  id: bigint;
  sid: string;
  wallet: bigint;
  wallet_sid: string;
  user_sid: string;
  currency: string;
  code: string;
  next_plan_code: string | null;
  state: SubscriptionState;
  is_renewing: boolean;
  anchor_at: Date;
  anchor_number: number;
  period_number: number;
  period_part: number;
  period_starts_at: Date;
  period_ends_at: Date;
  created_at: Date;
  created_by: string;
  past_due_since: Date | null;
  due_amount: bigint | null;
  due_look_at: Date | null;
  reminds_at: Date | null;
  has_excess: boolean;
  ended_at: Date | null;
  end_reason: EndReason | null;
  vms_used: number;
  vms_running: number;
}

const fromRow = (row: SubscriptionRecord): SubscriptionRow => ({
  id: row.id,
  sid: row.sid,
  wallet: row.wallet,
  walletSid: row.wallet_sid,
  userSid: row.user_sid,
  currency: row.currency,
  planCode: row.code,
  nextPlanCode: row.next_plan_code,
  state: row.state,
  isRenewing: row.is_renewing,
  anchorAt: row.anchor_at,
  anchorNumber: row.anchor_number,
  periodNumber: row.period_number,
  periodPart: row.period_part,
  periodStartsAt: row.period_starts_at,
  periodEndsAt: row.period_ends_at,
  plan: planFromColumns(row),
  createdAt: row.created_at,
  createdBy: row.created_by,
  pastDueSince: row.past_due_since,
  dueAmount: row.due_amount === null ? null : micros(row.due_amount),
  dueLookAt: row.due_look_at,
  remindsAt: row.reminds_at,
  hasExcess: row.has_excess,
  endedAt: row.ended_at,
  endReason: row.end_reason,
  vmsUsed: row.vms_used,
  vmsRunning: row.vms_running,
});

const select = `
  select subscription.id, subscription.sid, subscription.wallet, wallet.sid as wallet_sid, wallet.user_sid, wallet.currency,
         subscription.plan_code as code, subscription.next_plan_code, subscription.state, subscription.is_renewing,
         subscription.anchor_at, subscription.anchor_number, subscription.period_number, period.part as period_part,
         period.starts_at as period_starts_at, subscription.period_ends_at, subscription.created_at, subscription.created_by,
         subscription.past_due_since, subscription.due_amount, subscription.due_look_at, subscription.reminds_at, subscription.has_excess,
         subscription.ended_at, subscription.end_reason, vms.used as vms_used, vms.running as vms_running, ${PLAN_COLUMNS}
  from subscription
  join wallet on wallet.id = subscription.wallet
  join lateral (
    select part, plan_sid, starts_at from plan_period where plan_period.subscription = subscription.id
    order by number desc, part desc limit 1
  ) as period on true
  join plan on plan.sid = period.plan_sid
  join lateral (
    select count(*)::int4 as used, (count(*) filter (where allocation.state = 'active'))::int4 as running from allocation
    where allocation.subscription = subscription.id and allocation.state in ('requested', 'active', 'suspended', 'releasing')
  ) as vms on true`;

const readStatement = statement('subscription.read', `${select} where subscription.sid = $1`);

export async function readSubscription(tx: Tx, sid: string): Promise<SubscriptionRow | null> {
  const [row] = await tx.query<SubscriptionRecord>(readStatement, [sid]);
  return row ? fromRow(row) : null;
}

const readOpenStatement = statement(
  'subscription.read_open',
  `${select} where subscription.wallet = $1 and subscription.state <> 'ended'`,
);

/** The plan that a wallet has; null: none. */
export async function readOpenSubscription(tx: Tx, wallet: bigint): Promise<SubscriptionRow | null> {
  const [row] = await tx.query<SubscriptionRecord>(readOpenStatement, [wallet]);
  return row ? fromRow(row) : null;
}

const lockStatement = statement('subscription.lock', `select id from subscription where sid = $1 for no key update`);

/** Locked first and read then: what whoever held the lock has paid is seen. */
export async function lockSubscription(tx: Tx, sid: string): Promise<SubscriptionRow | null> {
  const locked = await tx.query(lockStatement, [sid]);
  return locked.length === 0 ? null : readSubscription(tx, sid);
}

const lockByIdStatement = statement(
  'subscription.lock_by_id',
  `select sid from subscription where id = $1 for no key update`,
);

/** The same by its number. */
export async function lockSubscriptionById(tx: Tx, id: bigint): Promise<SubscriptionRow | null> {
  const [locked] = await tx.query<{ sid: string }>(lockByIdStatement, [id]);
  return locked ? readSubscription(tx, locked.sid) : null;
}

const lockOpenStatement = statement(
  'subscription.lock_open',
  `select id from subscription where wallet = $1 and state <> 'ended' for no key update`,
);

export async function lockOpenSubscription(tx: Tx, wallet: bigint): Promise<SubscriptionRow | null> {
  const locked = await tx.query(lockOpenStatement, [wallet]);
  return locked.length === 0 ? null : readOpenSubscription(tx, wallet);
}

const claimDueStatement = statement(
  'subscription.claim_due',
  `select id from subscription where state = 'active' and period_ends_at <= $1
   order by period_ends_at, id limit $2 for no key update skip locked`,
);
const claimDueLooksStatement = statement(
  'subscription.claim_due_looks',
  `select id from subscription where state = 'past_due' and due_look_at <= $1
   order by due_look_at, id limit $2 for no key update skip locked`,
);
const claimPayableStatement = statement(
  'subscription.claim_payable',
  // What a wallet without enough could not pay is not looked at again before it has enough.
  `select subscription.id from subscription join account on account.id = subscription.wallet * 16
   where subscription.state = 'past_due' and not account.is_frozen
     and account.balance - account.credit_floor + case when account.given_slots = 0 then 0 else coalesce((
       select sum(given.balance) from grant_credit join account as given on given.id = grant_credit.account
       where grant_credit.wallet = subscription.wallet and grant_credit.closed_at is null and grant_credit.state = 'open'
         and (grant_credit.expires_at is null or grant_credit.expires_at > $2)), 0) end >= subscription.due_amount
   order by subscription.id limit $1 for no key update of subscription skip locked`,
);
const readManyStatement = statement(
  'subscription.read_many',
  `${select} where subscription.id = any($1::int8[]) order by subscription.period_ends_at, subscription.id`,
);

async function readMany(tx: Tx, ids: readonly bigint[]): Promise<SubscriptionRow[]> {
  if (ids.length === 0) return [];
  return (await tx.query<SubscriptionRecord>(readManyStatement, [ids])).map(fromRow);
}

/** Locks subscriptions whose period is over, the oldest first; those that somebody else works on are left to them. */
export async function claimDue(
  tx: Tx,
  due: { readonly now: Date; readonly limit: number },
): Promise<SubscriptionRow[]> {
  const rows = await tx.query<{ id: bigint }>(claimDueStatement, [due.now, due.limit]);
  return readMany(
    tx,
    rows.map(({ id }) => id),
  );
}

/** The same for those whose period is due and unpaid, and may cost something else by now. */
export async function claimDueLooks(
  tx: Tx,
  due: { readonly now: Date; readonly limit: number },
): Promise<SubscriptionRow[]> {
  const rows = await tx.query<{ id: bigint }>(claimDueLooksStatement, [due.now, due.limit]);
  return readMany(
    tx,
    rows.map(({ id }) => id),
  );
}

/** The same for those whose period is due and unpaid, and whose wallet can pay it by now. */
export async function claimPayable(
  tx: Tx,
  { now, limit }: { readonly now: Date; readonly limit: number },
): Promise<SubscriptionRow[]> {
  const rows = await tx.query<{ id: bigint }>(claimPayableStatement, [limit, now]);
  return readMany(
    tx,
    rows.map(({ id }) => id),
  );
}

const nextBoundaryStatement = statement(
  'subscription.next_boundary',
  `select min(period_ends_at) as at from subscription where state = 'active' and period_ends_at > $1`,
);

/** When the next period ends after an instant; null: none does. */
export async function nextBoundary(tx: Tx, after: Date): Promise<Date | null> {
  const [row] = await tx.query<{ at: Date | null }>(nextBoundaryStatement, [after]);
  return row?.at ?? null;
}

const claimRemindersStatement = statement(
  'subscription.claim_reminders',
  `select id from subscription where state = 'active' and reminds_at <= $1 order by reminds_at, id limit $2 for no key update skip locked`,
);

/** Locks subscriptions whose users are to be told that they renew soon. */
export async function claimReminders(
  tx: Tx,
  due: { readonly now: Date; readonly limit: number },
): Promise<SubscriptionRow[]> {
  const rows = await tx.query<{ id: bigint }>(claimRemindersStatement, [due.now, due.limit]);
  return readMany(
    tx,
    rows.map(({ id }) => id),
  );
}

const insertStatement = statement(
  'subscription.insert',
  `insert into subscription (sid, wallet, plan_code, state, anchor_at, period_ends_at, period_number, is_renewing, reminds_at, created_at, created_by)
   values ($1, $2, $3, 'active', $4, $5, 0, $6, $7, $4, $8) returning id`,
);

export interface NewSubscription {
  readonly sid: string;
  readonly wallet: bigint;
  readonly planCode: string;
  readonly startsAt: Date;
  readonly endsAt: Date;
  readonly isRenewing: boolean;
  readonly remindsAt: Date | null;
  readonly createdBy: string;
}

/** Its first period is inserted beside it. A wallet with an open one is refused by the unique key: look first, under the lock of its account. */
export async function insertSubscription(tx: Tx, fresh: NewSubscription): Promise<bigint> {
  const [row] = await tx.query<{ id: bigint }>(insertStatement, [
    fresh.sid,
    fresh.wallet,
    fresh.planCode,
    fresh.startsAt,
    fresh.endsAt,
    fresh.isRenewing,
    fresh.remindsAt,
    fresh.createdBy,
  ]);
  if (!row) throw new Error('an inserted subscription has an id');
  return row.id;
}

const saveStatement = statement(
  'subscription.save',
  `update subscription
   set plan_code = saved.plan_code, next_plan_code = saved.next_plan_code, state = saved.state, is_renewing = saved.is_renewing,
       anchor_at = saved.anchor_at, anchor_number = saved.anchor_number, period_number = saved.period_number,
       period_ends_at = saved.period_ends_at, past_due_since = saved.past_due_since, due_amount = saved.due_amount,
       due_look_at = saved.due_look_at,
       reminds_at = saved.reminds_at, has_excess = saved.has_excess, ended_at = saved.ended_at, end_reason = saved.end_reason
   from unnest($1::int8[], $2::text[], $3::text[], $4::text[], $5::bool[], $6::timestamptz[], $7::int4[], $8::int4[], $9::timestamptz[],
               $10::timestamptz[], $11::int8[], $12::timestamptz[], $13::bool[], $14::timestamptz[], $15::text[], $16::timestamptz[])
     as saved (id, plan_code, next_plan_code, state, is_renewing, anchor_at, anchor_number, period_number, period_ends_at, past_due_since,
               due_amount, reminds_at, has_excess, ended_at, end_reason, due_look_at)
   where subscription.id = any($1::int8[]) and subscription.id = saved.id`,
);

/** Writes what may change of subscriptions that the caller has locked. */
export async function saveSubscriptions(tx: Tx, rows: readonly SubscriptionRow[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.query(saveStatement, [
    rows.map(({ id }) => id),
    rows.map(({ planCode }) => planCode),
    rows.map(({ nextPlanCode }) => nextPlanCode),
    rows.map(({ state }) => state),
    rows.map(({ isRenewing }) => isRenewing),
    rows.map(({ anchorAt }) => toText(anchorAt)),
    rows.map(({ anchorNumber }) => anchorNumber),
    rows.map(({ periodNumber }) => periodNumber),
    rows.map(({ periodEndsAt }) => toText(periodEndsAt)),
    rows.map(({ pastDueSince }) => toText(pastDueSince)),
    rows.map(({ dueAmount }) => dueAmount),
    rows.map(({ remindsAt }) => toText(remindsAt)),
    rows.map(({ hasExcess }) => hasExcess),
    rows.map(({ endedAt }) => toText(endedAt)),
    rows.map(({ endReason }) => endReason),
    rows.map(({ dueLookAt }) => toText(dueLookAt)),
  ]);
}

const toText = (at: Date | null): string | null => at?.toISOString() ?? null;

const listStatement = statement(
  'subscription.list',
  `${select}
   where ($1::text is null or subscription.sid < $1) and ($2::text[] is null or wallet.user_sid = any($2))
     and ($3::text is null or subscription.state = $3) and ($4::text is null or subscription.plan_code = $4)
   order by subscription.sid desc limit $5`,
);

/** Newest first. Null owners mean all. */
export async function listSubscriptions(
  tx: Tx,
  page: {
    readonly before: string | null;
    readonly owners: readonly string[] | null;
    readonly state: SubscriptionState | null;
    readonly planCode: string | null;
    readonly limit: number;
  },
): Promise<SubscriptionRow[]> {
  const rows = await tx.query<SubscriptionRecord>(listStatement, [
    page.before,
    page.owners,
    page.state,
    page.planCode,
    page.limit,
  ]);
  return rows.map(fromRow);
}
