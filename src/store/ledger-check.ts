import { POSTING_KINDS } from '../domain/ledger/posting.ts';
import { ALLOCATION_INVARIANTS } from './ledger-check-allocation.ts';
import { CODE_INVARIANTS } from './ledger-check-code.ts';
import { DISPUTE_INVARIANTS } from './ledger-check-disputes.ts';
import { GRANT_INVARIANTS } from './ledger-check-grants.ts';
import { ORGANISATION_INVARIANTS } from './ledger-check-organisation.ts';
import { OUTAGE_INVARIANTS } from './ledger-check-outage.ts';
import { PLAN_INVARIANTS } from './ledger-check-plan.ts';
import { REFUND_INVARIANTS } from './ledger-check-refund.ts';
import { STANDING_INVARIANTS } from './ledger-check-standing.ts';
import { USAGE_INVARIANTS } from './ledger-check-usage.ts';
import { statement, type Db, type Row, type Tx } from './db.ts';
import type { Invariant } from './invariant.ts';

export interface InvariantResult {
  readonly id: string;
  readonly promise: string;
  /** The breaking rows, at most {@link ROWS_MAX}, with the keys that find them. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

export interface LedgerReport {
  readonly isSound: boolean;
  readonly results: readonly InvariantResult[];
  readonly entries: bigint;
  readonly accounts: bigint;
}

const ROWS_MAX = 20;

const INVARIANTS: readonly Invariant[] = [
  {
    id: 'L01',
    promise: 'the entries of each batch and its legs on system accounts sum to zero, in each currency',
    violations: statement(
      'ledger_check.batch_sum',
      `select batch, currency, sum(amount) as sum
       from (
         select entry.batch, account.currency, entry.amount from entry join account on account.id = entry.account
         union all
         select leg.batch, system.currency, leg.amount from batch_leg as leg join system_account as system on system.id = leg.account
       ) as moved
       group by batch, currency having sum(amount) <> 0 limit ${ROWS_MAX}`,
    ),
  },
  {
    id: 'L02',
    promise: 'the balances of all accounts of a currency sum to zero',
    violations: statement(
      'ledger_check.total',
      `select currency, sum(amount) as sum
       from (
         select currency, balance as amount from account
         union all
         select system.currency, leg.amount from batch_leg as leg join system_account as system on system.id = leg.account
       ) as held
       group by currency having sum(amount) <> 0`,
    ),
  },
  {
    id: 'L03',
    promise: 'the balance and seq of each account are the sum and the count of its entries',
    violations: statement(
      'ledger_check.balance',
      `select account.id as account, account.balance, account.seq, coalesce(e.sum, 0) as sum_of_entries, coalesce(e.count, 0) as entries
       from account
       left join (select account, sum(amount) as sum, count(*) as count from entry group by account) as e on e.account = account.id
       where account.balance <> coalesce(e.sum, 0) or account.seq <> coalesce(e.count, 0) limit ${ROWS_MAX}`,
    ),
  },
  {
    id: 'L04',
    promise: 'the entries of an account are numbered 1…n, and each balance_after is the one before plus the amount',
    violations: statement(
      'ledger_check.chain',
      `select account, seq, amount, balance_after, seq_before, balance_before
       from (
         select account, seq, amount, balance_after, lag(seq) over each_account as seq_before,
                lag(balance_after) over each_account as balance_before
         from entry window each_account as (partition by account order by seq)
       ) as chain
       where seq <> coalesce(seq_before, 0) + 1 or balance_after <> coalesce(balance_before, 0) + amount limit ${ROWS_MAX}`,
    ),
  },
  {
    id: 'L05',
    promise:
      'the append-only tables refuse changes: their triggers are enabled and the application role has no UPDATE, DELETE or TRUNCATE',
    violations: statement(
      'ledger_check.guards',
      `select name as table_name,
              (select count(*) from pg_trigger where tgrelid = to_regclass(name) and tgname = name || '__append_only' and tgenabled in ('O', 'A'))
                as triggers,
              has_table_privilege('hero_onboarding_app', name, 'UPDATE, DELETE, TRUNCATE') as role_may_change
       from unnest(array['entry', 'batch_leg', 'declined_posting', 'audit', 'payment_event', 'idempotency', 'price', 'ladder', 'model_price', 'unbilled_outcome', 'house_posting', 'code_use', 'bonus_rule']) as t (name)
       where not exists (select 1 from pg_trigger where tgrelid = to_regclass(name) and tgname = name || '__append_only' and tgenabled in ('O', 'A'))
          or has_table_privilege('hero_onboarding_app', name, 'UPDATE, DELETE, TRUNCATE')`,
    ),
  },
  {
    id: 'L06',
    promise: 'every entry is of a known account, and its other side is one too',
    violations: statement(
      'ledger_check.accounts',
      `select entry.account, entry.seq, entry.contra from entry
       left join account on account.id = entry.account
       left join account as live on live.id = entry.contra
       left join system_account as system on system.id = entry.contra
       where account.id is null or (live.id is null and system.id is null) limit ${ROWS_MAX}`,
    ),
  },
  {
    id: 'L07',
    promise:
      'every batch that moves money has at least two sides, and every leg on a system account belongs to a batch with entries or a posting of the house',
    violations: statement(
      'ledger_check.sides',
      `select batch, sum(entries) as entries, sum(legs) as legs
       from (
         select batch, 1 as entries, 0 as legs, amount <> 0 as moves from entry union all select batch, 0, 1, true from batch_leg
         union all select batch, 1, 0, true from house_posting
       ) as side
       group by batch having sum(entries) = 0 or (sum(entries) + sum(legs) < 2 and bool_or(moves)) limit ${ROWS_MAX}`,
    ),
  },
  {
    id: 'L08',
    promise: 'no batch mixes currencies between an account and its other side',
    violations: statement(
      'ledger_check.currency',
      `select entry.account, entry.seq, account.currency, coalesce(live.currency, system.currency) as contra_currency from entry
       join account on account.id = entry.account
       left join account as live on live.id = entry.contra
       left join system_account as system on system.id = entry.contra
       where account.currency <> coalesce(live.currency, system.currency) limit ${ROWS_MAX}`,
    ),
  },
  {
    id: 'L09',
    promise: 'the legs of a posting are numbered without a gap, and no key is both posted and declined',
    violations: statement(
      'ledger_check.legs',
      `select left(idem::text, 35) || '0' as idem, count(*) as legs, 'gap in the legs' as problem from entry
       group by left(idem::text, 35)
       having max(('x' || right(idem::text, 1))::bit(4)::int) <> count(*) - 1
       union all
       select declined.idem::text, 0, 'posted and declined' from declined_posting as declined join entry on entry.idem = declined.idem
       limit ${ROWS_MAX}`,
    ),
  },
  {
    id: 'L10',
    promise: 'no wallet is below its floor but by a posting that may overdraw, and none is above what its floor says',
    violations: statement(
      'ledger_check.floor',
      `select id as account, balance, floor, credit_floor from account
       where balance < floor or floor > credit_floor or floor <> least(credit_floor, balance) limit ${ROWS_MAX}`,
    ),
  },
  {
    id: 'L11',
    promise: 'each movement of money at a provider has exactly one posting of the same amount in the same wallet',
    violations: statement(
      'ledger_check.payment_events',
      `select coalesce(events.wallet, posted.wallet) as wallet, events.sum as sum_of_payment_events, posted.sum as sum_of_top_ups,
              events.count as payment_events, posted.count as top_ups
       from (select wallet, sum(amount) as sum, count(*) as count from payment_event where kind = 'top_up' group by wallet) as events
       full join (select account / 16 as wallet, sum(amount) as sum, count(*) as count from entry where kind = $1 group by account / 16)
         as posted on posted.wallet = events.wallet
       where events.sum is distinct from posted.sum or events.count is distinct from posted.count limit ${ROWS_MAX}`,
    ),
    values: [POSTING_KINDS.top_up],
  },
  {
    id: 'L12',
    promise: 'a payment is credited exactly when it has a payment event, and with the same amount',
    violations: statement(
      'ledger_check.payments',
      `select payment.sid as payment, payment.state, payment.credited, sum(event.amount) as sum_of_payment_events
       from payment left join payment_event as event on event.payment_sid = payment.sid and event.kind = 'top_up'
       group by payment.sid having payment.credited is distinct from sum(event.amount) limit ${ROWS_MAX}`,
    ),
  },
  {
    id: 'L13',
    promise:
      'what is left of the open holds of a wallet, with what its refunds set aside, is the balance of its reserved account, and no capture is above its hold',
    violations: statement(
      'ledger_check.holds',
      `select account.id / 16 as wallet, account.balance as reserved, coalesce(open.sum, 0) as open_holds, coalesce(aside.sum, 0) as refunds,
              null as hold
       from account
       left join (select wallet, sum(amount - drawn) as sum from hold where state = 'open' group by wallet) as open on open.wallet = account.id / 16
       left join (
         select wallet, sum(amount) as sum from refund where origin in ('operator', 'user') and posted is null
           and state in ('awaiting_approval', 'requested', 'unknown', 'pending') group by wallet
       ) as aside on aside.wallet = account.id / 16
       where account.id % 16 = 1 and account.balance <> coalesce(open.sum, 0) + coalesce(aside.sum, 0)
       union all
       select wallet, null, null, null, sid from hold where captured > amount or (state = 'open') <> (closed_at is null)
       limit ${ROWS_MAX}`,
    ),
  },
  ...USAGE_INVARIANTS,
  {
    id: 'L20',
    promise: "the fees and payouts of the providers' statements are what was posted of them",
    violations: statement(
      'ledger_check.statements',
      `select side.code, side.posted, side.read
       from (
         select code, coalesce(sum(posted), 0) as posted, coalesce(sum(read), 0) as read from (
           select code, amount as posted, 0 as read from batch_leg join system_account on id = account
           where code in ('expense:provider_fees', 'bank')
           union all
           select 'expense:provider_fees', 0, -fee + case kind when 'fee' then amount else 0 end from provider_movement where currency = 'USD'
           union all
           select 'bank', 0, amount from provider_movement where currency = 'USD' and kind = 'payout'
         ) as both_sides group by code
       ) as side where posted <> read limit ${ROWS_MAX}`,
    ),
  },
  ...DISPUTE_INVARIANTS,
  ...REFUND_INVARIANTS,
  ...ORGANISATION_INVARIANTS,
  ...PLAN_INVARIANTS,
  ...GRANT_INVARIANTS,
  ...CODE_INVARIANTS,
  ...ALLOCATION_INVARIANTS,
  ...STANDING_INVARIANTS,
  ...OUTAGE_INVARIANTS,
];

const countStatement = statement(
  'ledger_check.count',
  `select (select count(*) from entry) as entries, (select count(*) from account) as accounts`,
);
const snapshotStatement = statement(
  'ledger_check.snapshot',
  `set transaction isolation level repeatable read read only`,
);
/** A little more than the server allows: its own refusal says which statement it was. */
const ANSWER_MS = 31 * 60_000;
const patienceStatement = statement('ledger_check.patience', `set local statement_timeout = '30min'`);
/**
 * Every promise is about all rows, so that a join by loops is never the right one. The planner chooses it where the statistics are older
 * than the rows or an expression hides how many there are: the corrections of 3,000 lines took a minute so, and take 30 ms by hashes.
 */
const joinsStatement = statement('ledger_check.joins', `set local enable_nestloop = off`);

/**
 * Recomputes every promise of the ledger in one snapshot, so that it can run while money moves.
 *
 * Shape: one result for each invariant, in order; a sound ledger has no rows in any. Reads every entry: minutes on big ledgers.
 */
export async function checkLedger(db: Db): Promise<LedgerReport> {
  return db.transaction('ledger.check', async (tx) => {
    await tx.query(snapshotStatement);
    await tx.query(patienceStatement);
    await tx.query(joinsStatement);
    const results = [];
    for (const invariant of INVARIANTS) results.push(await check(tx, invariant));
    const [count] = await tx.query<{ entries: bigint; accounts: bigint }>({ ...countStatement, answerMs: ANSWER_MS });
    return {
      isSound: results.every((result) => result.rows.length === 0),
      results,
      entries: count?.entries ?? 0n,
      accounts: count?.accounts ?? 0n,
    };
  });
}

async function check(tx: Tx, invariant: Invariant): Promise<InvariantResult> {
  const rows: Row[] = await tx.query({ ...invariant.violations, answerMs: ANSWER_MS }, invariant.values ?? []);
  return { id: invariant.id, promise: invariant.promise, rows };
}

/** The ids and promises, for documents and for whoever prints a report. */
export const ledgerPromises = (): readonly Pick<Invariant, 'id' | 'promise'>[] =>
  INVARIANTS.map(({ id, promise }) => ({ id, promise }));
