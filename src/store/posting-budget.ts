import { statement, type Tx } from './db.ts';

const pruneStatement = statement(
  'posting_budget.prune',
  // Rows of windows that are long over: nobody locks them any more, so this waits for nobody.
  `delete from posting_budget where (owner, window_start) in (
     select owner, window_start from posting_budget where window_start < $1 limit $2
   )
   returning 1`,
);

/** Removes budgets of windows that began before the instant; answers how many, at most `limit`. */
export async function pruneBudgets(tx: Tx, before: Date, limit: number): Promise<number> {
  return (await tx.query(pruneStatement, [before, limit])).length;
}
