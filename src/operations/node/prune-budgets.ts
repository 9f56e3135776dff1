import { pruneBudgets } from '../../store/posting-budget.ts';
import type { House } from '../house.ts';

/** A window is an hour; whoever looks into a stolen key has some days to see what it spent when. */
const KEPT_MS = 7 * 86_400_000;
const BUDGETS_PER_STEP = 1_000;

/** Removes the spent budgets of hours long over. Safe to: run twice, concurrently, and late. */
export async function pruneOldBudgets({ db, ports }: House): Promise<{ readonly removed: number }> {
  const before = new Date(ports.clock.now().getTime() - KEPT_MS);
  let removed = 0;
  for (;;) {
    const step = await pruneBudgets(db, before, BUDGETS_PER_STEP);
    removed += step;
    if (step < BUDGETS_PER_STEP) return { removed };
  }
}
