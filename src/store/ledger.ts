import { assert, Bug } from '../domain/assert.ts';
import { decideBatch, type BatchDecision, type LockedAccount, type PriorPosting } from '../domain/ledger/decide.ts';
import {
  POSTING_KINDS,
  isGrantAccount,
  isLive,
  liveAccount,
  walletOf,
  type AccountId,
  type AppliedOutcome,
  type Budget,
  type DeclineCode,
  type EntryFacts,
  type Outcome,
  type PostingRecord,
} from '../domain/ledger/posting.ts';
import { micros } from '../domain/money.ts';
import { statement, type Tx } from './db.ts';
import { BudgetIsShort, KeyIsKnown } from './decide-again.ts';
import { LedgerBroken } from './fail-closed.ts';
import { applyHousePostings, isHousePosting } from './house-posting.ts';
import { boolArray, int2Array, int8Array, textArray, timestampArray, uuidArray } from './pg-binary.ts';
import { areWithin, budgetsOf, givesBack, lockBudgets, writeSpendings } from './posting-budget.ts';
import { lockGrants, NO_GRANTS, usersOfGrants } from './posting-grants.ts';
import { lockCounters, writeCountings } from './posting-volume.ts';

/** Names one batch and dates it; both come from the ports, so that a simulator decides them. */
export interface BatchStamp {
  readonly batch: bigint;
  readonly recordedAt: Date;
}

/**
 * How keys are compared with earlier postings: looked up before deciding, or taken for new until the database says otherwise. Likewise
 * with budgets: what is left of them is looked at first, or taken to be enough and compared at the end, when their rows are written anyway.
 */
export type KeyCheck = 'look_up' | 'take_for_new';

/**
 * The one path by which money moves: locks the accounts, looks the keys up, decides, writes, all in the caller's transaction.
 *
 * Shape: one outcome for each record, in order. An empty list does nothing.
 * Throws: `BudgetIsShort` when a budget that was taken to be enough is not; `KeyIsKnown` or a unique violation (23505) when a key that was taken for new, or that another transaction has used
 * since the look-up, is not new. The database port then runs the transaction again: pass 'look_up' to every attempt but the first.
 * Safe to: run again with the same records after a rollback or an unknown commit; concurrently with anything.
 */
export async function applyPostings(
  tx: Tx,
  records: readonly PostingRecord[],
  stamp: BatchStamp,
  keyCheck: KeyCheck = 'look_up',
): Promise<Outcome[]> {
  if (records.length === 0) return [];
  try {
    if (records.every(isHousePosting)) return await applyHousePostings(tx, records, stamp);
    return await lockDecideWrite(tx, records, stamp, keyCheck);
  } catch (error) {
    throw isBrokenRule(error)
      ? new LedgerBroken(`a rule of the ledger is broken: ${error.message}`, { cause: error })
      : error;
  }
}

/** Our own assertion, or a CHECK of the ledger's tables (23514): the code decided what must not be. */
const isBrokenRule = (error: unknown): error is Error =>
  error instanceof Bug || (error instanceof Error && 'code' in error && error.code === '23514');

/**
 * Takes the locks of postings whose amounts depend on what is there: first these, then the reading, then {@link applyPostings}.
 *
 * Shape: the live accounts as they stand, until the transaction ends; one that is not there is missing. Counters are locked before them
 * and budgets behind, as everywhere: two who want the same rows meet in the same order.
 */
export async function lockAhead(
  tx: Tx,
  ids: readonly AccountId[],
  { budgets = [], counted = [] }: OtherLocks = {},
): Promise<ReadonlyMap<AccountId, LockedAccount>> {
  await lockCounters(tx, counted);
  const { accounts } = await lockAccounts(tx, ids);
  await lockBudgets(tx, budgets);
  return accounts;
}

/** What is locked besides the accounts. */
export interface OtherLocks {
  readonly budgets?: readonly Budget[];
  /** Records with the counters that they add to. */
  readonly counted?: readonly Pick<PostingRecord, 'volume'>[];
}

async function lockDecideWrite(
  tx: Tx,
  records: readonly PostingRecord[],
  stamp: BatchStamp,
  keyCheck: KeyCheck,
): Promise<Outcome[]> {
  const counted = await lockCounters(tx, records);
  const { accounts, grants } = await lockWithGrants(tx, records);
  const budgets = budgetsOf(records);
  const { recordedAt } = stamp;
  if (keyCheck === 'take_for_new' && !records.some(givesBack)) {
    const spent = new Map([...budgets.keys()].map((key) => [key, 0n]));
    const decision = decideBatch({ accounts, grants, prior: new Map(), recordedAt, spent, counted }, records);
    // Whatever else it came to, the record may be a repetition: then its first answer counts, and that must be looked up.
    if (decision.outcomes.every((outcome) => outcome.kind === 'applied')) {
      await writeEntries(tx, decision, stamp);
      if (!areWithin(budgets, await writeSpendings(tx, decision)))
        throw new BudgetIsShort('a budget was taken to be enough and is not');
      return [...decision.outcomes];
    }
  }
  // Only now, with the locks held: READ COMMITTED gives this statement a snapshot that sees whoever held them before.
  const prior = await readPriorPostings(tx, [...new Set(records.map((record) => record.idem))]);
  const spent = await lockBudgets(tx, [...budgets.values()]);
  const decision = decideBatch({ accounts, grants, prior, recordedAt, spent, counted }, records);
  if (decision.entries.length > 0) await writeEntries(tx, decision, stamp);
  await writeSpendings(tx, decision);
  if (decision.declined.length > 0) await writeDeclined(tx, decision, stamp);
  return [...decision.outcomes];
}

const lockAccountsStatement = statement(
  'ledger.lock_accounts',
  // Sorted by id before the locks are taken: every writer climbs in the same order, so two batches cannot deadlock.
  `select id, balance, seq, credit_floor, is_frozen, carry, given_slots from account where id = any($1::int8[]) order by id for no key update`,
);

interface LockedAccounts {
  readonly accounts: Map<AccountId, LockedAccount>;
  /** The wallet accounts among them that have open grants. */
  readonly withGrants: ReadonlySet<AccountId>;
}

async function lockAccounts(tx: Tx, named: readonly AccountId[]): Promise<LockedAccounts> {
  const ids = new Set(named);
  // Whoever locks a grant's account holds its wallet's: so nobody waits for a grant's account who holds another one.
  for (const id of named) if (isGrantAccount(id)) ids.add(liveAccount(walletOf(id), 'wallet'));
  const rows = await tx.query<{
    id: bigint;
    balance: bigint;
    seq: bigint;
    credit_floor: bigint;
    is_frozen: boolean;
    carry: bigint;
    given_slots: number;
  }>(lockAccountsStatement, [int8Array([...ids])]);
  const accounts = new Map<AccountId, LockedAccount>();
  const withGrants = new Set<AccountId>();
  for (const { id, balance, seq, credit_floor: creditFloor, is_frozen: isFrozen, carry, given_slots: slots } of rows) {
    accounts.set(id, { id, balance, seq, creditFloor, isFrozen, carry });
    if (slots !== 0) withGrants.add(id);
  }
  return { accounts, withGrants };
}

/** The live accounts of the records, and those of the grants that they may use. Without such grants no second statement is sent. */
async function lockWithGrants(tx: Tx, records: readonly PostingRecord[]) {
  const { accounts, withGrants } = await lockAccounts(
    tx,
    records.flatMap(({ legs }) => legs.flatMap(({ account }) => (isLive(account) ? account : []))),
  );
  if (withGrants.size === 0) return { accounts, grants: NO_GRANTS.grants };
  const locked = await lockGrants(tx, usersOfGrants(records, withGrants));
  for (const account of locked.accounts) accounts.set(account.id, account);
  return { accounts, grants: locked.grants };
}

const findPriorStatement = statement(
  'ledger.find_prior',
  `select idem, fingerprint, null as code, null as about from entry where idem = any($1::uuid[])
   union all
   select idem, fingerprint, code, about from declined_posting where idem = any($1::uuid[])`,
);

async function readPriorPostings(tx: Tx, idems: readonly string[]): Promise<Map<string, PriorPosting>> {
  const rows = await tx.query<{ idem: string; fingerprint: string; code: DeclineCode | null; about: string | null }>(
    findPriorStatement,
    [uuidArray(idems)],
  );
  if (rows.length === 0) return new Map();
  const applied = await readAppliedOutcomes(
    tx,
    rows.filter((row) => row.code === null).map((row) => row.idem),
  );
  return new Map(
    rows.map(({ idem, fingerprint, code, about }) => {
      const outcome = code === null ? applied.get(idem) : ({ kind: 'declined', code, about } as const);
      assert(outcome !== undefined, 'a key with a posting has entries');
      return [idem, { fingerprint, outcome }];
    }),
  );
}

const knownKeysStatement = statement(
  'ledger.known_keys',
  `select idem from entry where idem = any($1::uuid[]) union all select idem from declined_posting where idem = any($1::uuid[])`,
);

/** Which of the keys have been posted or declined before. Binding only for keys that a lock of the caller keeps others from. */
export async function knownKeys(tx: Tx, idems: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ idem: string }>(knownKeysStatement, [uuidArray(idems)]);
  return new Set(rows.map(({ idem }) => idem));
}

const readLegsStatement = statement(
  'ledger.read_legs',
  // The legs of a posting differ in the last hex digit of idem only, so they are one index range of at most sixteen rows. The
  // planner guesses that such a range holds a ninth of the table, and would read all of it for each key: lateral with a limit
  // leaves it only the index.
  `select key.first as idem, leg.account, leg.seq, leg.amount, leg.balance_after, leg.occurred_at, leg.recorded_at, leg.about
   from unnest($1::uuid[], $2::uuid[]) as key (first, last)
   cross join lateral (
     select idem, account, seq, amount, balance_after, occurred_at, recorded_at, about
     from entry where entry.idem between key.first and key.last order by entry.idem limit 16
   ) as leg
   order by leg.idem`,
);

/** The first answers to keys that are known to have entries. */
async function readAppliedOutcomes(tx: Tx, idems: readonly string[]): Promise<Map<string, AppliedOutcome>> {
  if (idems.length === 0) return new Map();
  const rows = await tx.query<{
    idem: string;
    account: bigint;
    seq: bigint;
    amount: bigint;
    balance_after: bigint;
    occurred_at: Date;
    recorded_at: Date;
    about: string | null;
  }>(readLegsStatement, [uuidArray(idems), uuidArray(idems.map((idem) => `${idem.slice(0, -1)}f`))]);
  const entries = new Map<string, EntryFacts[]>(idems.map((idem) => [idem, []]));
  for (const row of rows) {
    entries.get(row.idem)?.push({
      account: row.account,
      seq: row.seq,
      amount: micros(row.amount),
      balanceAfter: micros(row.balance_after),
      occurredAt: row.occurred_at,
      recordedAt: row.recorded_at,
      about: row.about,
    });
  }
  return new Map([...entries].map(([idem, legs]) => [idem, { kind: 'applied', entries: legs }]));
}

const writeEntriesStatement = statement(
  'ledger.write_entries',
  // One statement for entries, legs and account rows: one round trip, one plan. The accounts' seq is compared once more, the
  // second fence behind the row locks. The floor falls only for an overdraw; else the row's CHECK refuses what we decided wrongly.
  // Arrays are unnested side by side in the select list: in "from" each would first be copied to a store of its own.
  // "id + 0" keeps the planner from one descent of the index for each row: id = any() reads them in one pass, a hash joins them.
  // Keys of entries are compared by their unique index, keys of declined postings by the last line, after the locks were taken.
  `with entries as (
     insert into entry (account, seq, contra, amount, balance_after, idem, fingerprint, occurred_at, kind, about, batch, recorded_at)
     select unnest($1::int8[]), unnest($2::int8[]), unnest($3::int8[]), unnest($4::int8[]), unnest($5::int8[]), unnest($6::uuid[]),
            unnest($7::uuid[]), unnest($8::timestamptz[]), unnest($9::int2[]), unnest($10::text[]), $11::int8, $12::timestamptz
   ), legs as (
     insert into batch_leg (batch, account, amount, recorded_at)
     select $11::int8, unnest($13::int8[]), unnest($14::int8[]), $12::timestamptz
   ), moved as (
     update account
     set balance = t.balance, seq = t.seq, carry = t.carry,
         floor = least(credit_floor, case when t.overdraws then t.balance else greatest(floor, t.balance) end)
     from (select unnest($15::int8[]) as id, unnest($16::int8[]) as seq_before, unnest($17::int8[]) as seq,
                  unnest($18::int8[]) as balance, unnest($19::bool[]) as overdraws, unnest($20::int8[]) as carry) as t
     where account.id = any($15::int8[]) and account.id + 0 = t.id and account.seq = t.seq_before
     returning 1
   )
   select (select count(*) from moved) as moved,
          exists (select from declined_posting where idem = any($6::uuid[])) as was_declined`,
);

async function writeEntries(tx: Tx, decision: BatchDecision, stamp: BatchStamp): Promise<void> {
  const { entries, moved, systemLegs } = decision;
  const rows = await tx.query<{ moved: bigint; was_declined: boolean }>(writeEntriesStatement, [
    int8Array(entries.map((entry) => entry.account)),
    int8Array(entries.map((entry) => entry.seq)),
    int8Array(entries.map((entry) => entry.contra)),
    int8Array(entries.map((entry) => entry.amount)),
    int8Array(entries.map((entry) => entry.balanceAfter)),
    uuidArray(entries.map((entry) => legIdem(entry.record.idem, entry.leg))),
    uuidArray(entries.map((entry) => entry.record.fingerprint)),
    timestampArray(entries.map((entry) => entry.record.occurredAt)),
    int2Array(entries.map((entry) => POSTING_KINDS[entry.record.kind])),
    textArray(entries.map((entry) => entry.about)),
    stamp.batch,
    stamp.recordedAt,
    int8Array([...systemLegs.keys()]),
    int8Array([...systemLegs.values()]),
    int8Array(moved.map((account) => account.id)),
    int8Array(moved.map((account) => account.seqBefore)),
    int8Array(moved.map((account) => account.seq)),
    int8Array(moved.map((account) => account.balance)),
    boolArray(moved.map((account) => account.overdraws)),
    int8Array(moved.map((account) => account.carry)),
  ]);
  if (rows[0]?.was_declined === true) throw new KeyIsKnown('a key that was declined before cannot be applied');
  assert(rows[0]?.moved === BigInt(moved.length), 'every locked account is still at the seq that was read');
  await writeCountings(tx, decision);
}

const legIdem = (idem: string, leg: number): string => (leg === 0 ? idem : idem.slice(0, -1) + leg.toString(16));

const writeDeclinedStatement = statement(
  'ledger.write_declined',
  `insert into declined_posting (idem, fingerprint, wallet, code, about, kind, recorded_at, occurred_at)
   select idem, fingerprint, wallet, code, about, kind, $7::timestamptz, occurred_at
   from unnest($1::uuid[], $2::uuid[], $3::int8[], $4::text[], $5::text[], $6::int2[], $8::timestamptz[])
     as t (idem, fingerprint, wallet, code, about, kind, occurred_at)`,
);

async function writeDeclined(tx: Tx, decision: BatchDecision, stamp: BatchStamp): Promise<void> {
  const { declined } = decision;
  await tx.query(writeDeclinedStatement, [
    uuidArray(declined.map(({ record }) => record.idem)),
    uuidArray(declined.map(({ record }) => record.fingerprint)),
    int8Array(declined.map(({ record }) => laneKey(record))),
    textArray(declined.map(({ outcome }) => outcome.code)),
    textArray(declined.map(({ outcome }) => outcome.about)),
    int2Array(declined.map(({ record }) => POSTING_KINDS[record.kind])),
    stamp.recordedAt,
    timestampArray(declined.map(({ record }) => record.occurredAt)),
  ]);
}

/** The wallet of a record's first live leg: its lane, and what a declined posting is filed under. */
export function laneKey(record: PostingRecord): bigint {
  const leg = record.legs.find((candidate) => isLive(candidate.account));
  assert(leg !== undefined, 'a posting has a leg on a live account');
  return leg.account / 16n;
}

const findSystemAccountStatement = statement(
  'ledger.find_system_account',
  `select id from system_account where code = $1 and currency = $2`,
);
const addSystemAccountStatement = statement(
  'ledger.add_system_account',
  `insert into system_account (id, code, currency)
   select coalesce(min(id), 0) - 1, $1, $2 from system_account on conflict do nothing`,
);

/** The id of a system account, opened at its first use. Safe to call concurrently: a lost race reads the winner's row. */
export async function ensureSystemAccount(tx: Tx, code: string, currency: string): Promise<AccountId> {
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const [found] = await tx.query<{ id: bigint }>(findSystemAccountStatement, [code, currency]);
    if (found) return found.id;
    await tx.query(addSystemAccountStatement, [code, currency]);
  }
  throw new Error(`the system account ${code} could not be opened: too many others were opened at once`);
}

const lockBalanceStatement = statement(
  'ledger.lock_balance',
  `select balance from account where id = $1 for no key update`,
);

/** Locks one live account and reads its balance; null when there is none. For postings whose amount depends on the balance. */
export async function lockBalance(tx: Tx, account: AccountId): Promise<bigint | null> {
  const [row] = await tx.query<{ balance: bigint }>(lockBalanceStatement, [account]);
  return row?.balance ?? null;
}
