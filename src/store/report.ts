import { POSTING_KINDS } from '../domain/ledger/posting.ts';
import type { GrantKind } from '../domain/grant/grant.ts';
import { micros, type Micros } from '../domain/money.ts';
import { statement, type Db, type Row, type Statement } from './db.ts';

/**
 * What the house owed at an instant, from the entries alone: nothing that is kept beside them could answer for the past.
 *
 * An entry counts by when it was recorded. All entries and legs of a batch have one such instant, so whatever is counted is whole.
 */

/** From how many days on something is older: each is the beginning of the next age. */
export const AGE_DAYS = [30, 90, 365] as const;

/** An amount with how many wallets or grants it is made of. */
export interface Counted {
  readonly amount: Micros;
  readonly count: number;
}

export interface HeldAt {
  /** Wallets with money in them, as far as it was paid. */
  readonly paid: Counted;
  /** Wallets that owe: minus. */
  readonly owing: Counted;
  readonly reserved: Counted;
  readonly frozen: Counted;
  readonly given: Counted;
  /** The house's own side: with all of the above it comes to nothing. */
  readonly system: Micros;
}

const TOP_UP = POSTING_KINDS.top_up;
const ADJUSTMENT = POSTING_KINDS.adjustment;
const GRANT = POSTING_KINDS.grant;
const EXPIRE = POSTING_KINDS.grant_expire;
const REVOKE = POSTING_KINDS.grant_revoke;

const heldStatement = statement(
  'report.held',
  `with held as (
     select entry.account % 16 as role, sum(entry.amount) as balance
     from entry join account on account.id = entry.account
     where entry.recorded_at <= $1 and account.currency = $2
     group by entry.account having sum(entry.amount) <> 0
   )
   select coalesce(sum(balance) filter (where role = 0 and balance > 0), 0)::int8 as paid, count(*) filter (where role = 0 and balance > 0) as paid_count,
          coalesce(sum(balance) filter (where role = 0 and balance < 0), 0)::int8 as owing, count(*) filter (where role = 0 and balance < 0) as owing_count,
          coalesce(sum(balance) filter (where role = 1), 0)::int8 as reserved, count(*) filter (where role = 1) as reserved_count,
          coalesce(sum(balance) filter (where role = 2), 0)::int8 as frozen, count(*) filter (where role = 2) as frozen_count,
          coalesce(sum(balance) filter (where role > 2), 0)::int8 as given, count(*) filter (where role > 2) as given_count,
          (select coalesce(sum(leg.amount), 0)::int8 from batch_leg as leg join system_account as system on system.id = leg.account
           where leg.recorded_at <= $1 and system.currency = $2) as system
   from held`,
);

const agesStatement = statement(
  'report.ages',
  // What was paid last is there longest: a balance is made of the newest credits that it takes to come to it. What merely came back, of a hold
  // or a refund, is no credit of its own; where more came back than was ever paid (of a grant whose place is another's), it is as old as the wallet.
  `with held as (
     select entry.account, sum(entry.amount) as balance, min(entry.recorded_at) as first_at from entry join account on account.id = entry.account
     where entry.recorded_at <= $1 and entry.account % 16 = 0 and account.currency = $2
     group by entry.account having sum(entry.amount) > 0
   ), source as (
     select held.account, held.balance, entry.recorded_at, entry.amount,
            sum(entry.amount) over (partition by entry.account order by entry.seq desc) - entry.amount as newer
     from held join entry on entry.account = held.account
     where entry.recorded_at <= $1 and entry.amount > 0 and entry.kind in (${TOP_UP}, ${ADJUSTMENT})
   ), given as (
     select grant_credit.kind, grant_credit.created_at, sum(entry.amount) as amount
     from (select *, lead(from_seq) over (partition by account order by from_seq) as until_seq from grant_credit) as grant_credit
     join entry on entry.account = grant_credit.account and entry.seq >= from_seq and (until_seq is null or entry.seq < until_seq)
     join account on account.id = grant_credit.account
     where entry.recorded_at <= $1 and account.currency = $2
     group by grant_credit.id, grant_credit.kind, grant_credit.created_at
   ), aged as (
     select 'paid' as kind, recorded_at as since, least(amount, balance - newer) as amount from source where newer < balance
     union all
     select 'paid', first_at, balance - coalesce(sum, 0) from held
     left join (select account, sum(amount) from source group by account) as paid on paid.account = held.account
     where balance > coalesce(sum, 0)
     union all
     select kind, created_at, amount from given where amount <> 0
   )
   select kind, width_bucket(extract(epoch from $1::timestamptz - since) / 86400, $3::numeric[]) as age,
          sum(amount)::int8 as amount
   from aged group by 1, 2 order by 1, 2`,
);

/** What is left of one kind of credit, and since when it has been there. */
export interface Aged {
  readonly kind: 'paid' | GrantKind;
  /** How many of {@link AGE_DAYS} it is older than. */
  readonly age: number;
  readonly amount: Micros;
}

const givenStatement = statement(
  'report.given',
  `select grant_credit.kind, count(distinct grant_credit.id) as grants,
          coalesce(sum(entry.amount) filter (where entry.kind = ${GRANT}), 0)::int8 as given,
          coalesce(-sum(entry.amount) filter (where entry.kind = ${EXPIRE}), 0)::int8 as expired,
          coalesce(-sum(entry.amount) filter (where entry.kind = ${REVOKE}), 0)::int8 as revoked,
          coalesce(-sum(entry.amount) filter (where entry.kind not in (${GRANT}, ${EXPIRE}, ${REVOKE})), 0)::int8 as used,
          coalesce(sum(entry.amount), 0)::int8 as outstanding
   from (select *, lead(from_seq) over (partition by account order by from_seq) as until_seq from grant_credit) as grant_credit
   join entry on entry.account = grant_credit.account and entry.seq >= from_seq and (until_seq is null or entry.seq < until_seq)
   join account on account.id = grant_credit.account
   where entry.recorded_at <= $1 and account.currency = $2
   group by grant_credit.kind order by grant_credit.kind`,
);

/** What became of all that was given of one kind: `given` is the sum of the rest. */
export interface GivenOfKind {
  readonly kind: GrantKind;
  readonly grants: number;
  readonly given: Micros;
  readonly used: Micros;
  /** What was left when its time was over: it is owed to nobody any more. */
  readonly expired: Micros;
  readonly revoked: Micros;
  readonly outstanding: Micros;
}

export interface Liability {
  readonly held: HeldAt;
  readonly ages: readonly Aged[];
  readonly given: readonly GivenOfKind[];
}

/** Every entry is read: longer than a statement may otherwise take, where there are many millions. */
const ANSWER_MS = 125_000;
const patienceStatement = statement('report.patience', `set local statement_timeout = '2min'`);
const snapshotStatement = statement('report.snapshot', `set transaction isolation level repeatable read read only`);

/** All of it as of one instant, in one snapshot. */
export async function readLiability(db: Db, of: { readonly at: Date; readonly currency: string }): Promise<Liability> {
  return await db.transaction('report.liability', async (tx) => {
    await tx.query(snapshotStatement);
    await tx.query(patienceStatement);
    const read = <R extends Row>(asked: Statement, ...more: readonly unknown[]): Promise<R[]> =>
      tx.query<R>({ ...asked, answerMs: ANSWER_MS }, [of.at, of.currency, ...more]);
    return { held: await readHeld(read), ages: await readAges(read), given: await readGiven(read) };
  });
}

type Read = <R extends Row>(asked: Statement, ...more: readonly unknown[]) => Promise<R[]>;

async function readHeld(read: Read): Promise<HeldAt> {
  const [row = {}] = await read<Record<string, bigint>>(heldStatement);
  const counted = (name: string): Counted => ({
    amount: micros(row[name] ?? 0n),
    count: Number(row[`${name}_count`] ?? 0n),
  });
  return {
    paid: counted('paid'),
    owing: counted('owing'),
    reserved: counted('reserved'),
    frozen: counted('frozen'),
    given: counted('given'),
    system: micros(row['system'] ?? 0n),
  };
}

async function readAges(read: Read): Promise<Aged[]> {
  const rows = await read<{ kind: Aged['kind']; age: number; amount: bigint }>(agesStatement, AGE_DAYS);
  return rows.map(({ kind, age, amount }) => ({ kind, age, amount: micros(amount) }));
}

async function readGiven(read: Read): Promise<GivenOfKind[]> {
  const rows = await read<{
    kind: GrantKind;
    grants: bigint;
    given: bigint;
    used: bigint;
    expired: bigint;
    revoked: bigint;
    outstanding: bigint;
  }>(givenStatement);
  return rows.map((row) => ({
    kind: row.kind,
    grants: Number(row.grants),
    given: micros(row.given),
    used: micros(row.used),
    expired: micros(row.expired),
    revoked: micros(row.revoked),
    outstanding: micros(row.outstanding),
  }));
}
