import { budgetKey, type BatchDecision, type Spending } from '../domain/ledger/decide.ts';
import type { Budget, PostingRecord } from '../domain/ledger/posting.ts';
import { takenOf } from '../domain/ledger/record.ts';
import { statement, type Tx } from './db.ts';
import { int8Array, timestampArray } from './pg-binary.ts';

const lockBudgetsStatement = statement(
  'ledger.lock_budgets',
  // In order of the key, as the accounts are, and behind them. The row is opened and locked by one statement; its update writes what is there.
  `insert into posting_budget (owner, window_start, spent)
   select owner, window_start, 0 from unnest($1::int8[], $2::timestamptz[]) as t (owner, window_start) order by owner, window_start
   on conflict (owner, window_start) do update set spent = posting_budget.spent
   returning owner, window_start, spent`,
);

/** The budgets of the records, by key; of two that name one with different limits, the narrower. */
export function budgetsOf(records: readonly PostingRecord[]): ReadonlyMap<string, Budget> {
  const budgets = new Map<string, Budget>();
  let last: Budget | undefined;
  for (const { budget } of records) {
    // Those of one report share it.
    if (budget === undefined || budget === last) continue;
    last = budget;
    const key = budgetKey(budget);
    const known = budgets.get(key);
    if (known === undefined || budget.limit < known.limit) budgets.set(key, budget);
  }
  return budgets;
}

/** Whether no budget is over its limit. Then it never was while the batch was decided, if nothing was given back: see {@link givesBack}. */
export const areWithin = (budgets: ReadonlyMap<string, Budget>, spent: ReadonlyMap<string, bigint>): boolean =>
  [...budgets].every(([key, { limit }]) => (spent.get(key) ?? 0n) <= limit);

/** Whether a record puts something back into its budget: whether it was enough in between is then not seen by what is left at the end. */
export const givesBack = (record: PostingRecord): boolean => record.budget !== undefined && takenOf(record) < 0n;

/** What was taken before out of each of the budgets, with its row locked. Each is named once. */
export async function lockBudgets(tx: Tx, named: readonly Budget[]): Promise<ReadonlyMap<string, bigint>> {
  if (named.length === 0) return new Map();
  const rows = await tx.query<BudgetRecord>(lockBudgetsStatement, [
    int8Array(named.map(({ owner }) => owner)),
    timestampArray(named.map(({ windowStart }) => windowStart)),
  ]);
  return spentByKey(rows);
}

interface BudgetRecord extends Record<string, unknown> {
  owner: bigint;
  window_start: Date;
  spent: bigint;
}

const spentByKey = (rows: readonly BudgetRecord[]): ReadonlyMap<string, bigint> =>
  new Map(rows.map(({ owner, window_start: windowStart, spent }) => [budgetKey({ owner, windowStart }), spent]));

const spendStatement = statement(
  'ledger.spend',
  // The last statement of its transaction: the records of a node share this row, and it is held for no longer than the commit takes.
  `insert into posting_budget (owner, window_start, spent)
   select owner, window_start, amount from unnest($1::int8[], $2::timestamptz[], $3::int8[]) as t (owner, window_start, amount)
   order by owner, window_start
   on conflict (owner, window_start) do update set spent = posting_budget.spent + excluded.spent
   returning owner, window_start, spent`,
);

const giveBackStatement = statement(
  'ledger.give_back',
  // Not by the insertion: its check of what would be inserted comes before it finds the row, and refuses less than nothing.
  `update posting_budget set spent = posting_budget.spent + t.amount
   from unnest($1::int8[], $2::timestamptz[], $3::int8[]) as t (owner, window_start, amount)
   where posting_budget.owner = t.owner and posting_budget.window_start = t.window_start`,
);

/** Takes out of the budgets what the batch cost, and answers what has been taken of each by then. What it gives back, it gives to rows that are locked. */
export async function writeSpendings(tx: Tx, { spendings }: BatchDecision): Promise<ReadonlyMap<string, bigint>> {
  const given = spendings.filter(({ spent }) => spent < 0n);
  if (given.length > 0) await tx.query(giveBackStatement, columnsOf(given));
  const taken = given.length === 0 ? spendings : spendings.filter(({ spent }) => spent >= 0n);
  return taken.length === 0 ? new Map() : spentByKey(await tx.query<BudgetRecord>(spendStatement, columnsOf(taken)));
}

const columnsOf = (spendings: readonly Spending[]): readonly Buffer[] => [
  int8Array(spendings.map(({ owner }) => owner)),
  timestampArray(spendings.map(({ windowStart }) => windowStart)),
  int8Array(spendings.map(({ spent }) => spent)),
];

const pruneStatement = statement(
  'posting_budget.prune',
  // Rows of windows that are long over: nobody locks them any more, so this waits for nobody. What members have spent of a month (below
  // zero) is few rows and stays: a hold of an old month may still give back, and the ledger check compares it.
  `delete from posting_budget where (owner, window_start) in (
     select owner, window_start from posting_budget where window_start < $1 and owner > 0 limit $2
   )
   returning 1`,
);

/** Removes budgets of windows that began before the instant; answers how many, at most `limit`. */
export async function pruneBudgets(tx: Tx, before: Date, limit: number): Promise<number> {
  return (await tx.query(pruneStatement, [before, limit])).length;
}
