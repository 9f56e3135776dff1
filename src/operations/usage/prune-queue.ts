import { pruneQueued } from '../../store/usage-queue.ts';
import type { House } from '../house.ts';

/** As long as a file that was lost from the repository can be written again from here. */
const KEPT_DAYS = 90;
const DAY_MS = 86_400_000;
const RECORDS_PER_STEP = 5_000;

/**
 * Removes what was pushed to the repository 90 days ago. A record that is queued again after that is pushed again: the file has it, and if
 * not, the service knows its key. What is in conflict stays until people have looked.
 *
 * Safe to: run twice, concurrently, and late.
 */
export async function pruneUsageQueue({ db, ports }: House): Promise<{ readonly removed: number }> {
  const before = new Date(ports.clock.now().getTime() - KEPT_DAYS * DAY_MS);
  let removed = 0;
  for (;;) {
    const step = await pruneQueued(db, before, RECORDS_PER_STEP);
    removed += step;
    if (step < RECORDS_PER_STEP) return { removed };
  }
}
