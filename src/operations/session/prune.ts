import { deleteExpiredSessions } from '../../store/session.ts';
import type { House } from '../house.ts';

/** A sign-in is evidence when a bank takes back what was paid with it; banks do so within four months. */
const KEPT_MS = 180 * 86_400_000;
const SESSIONS_PER_STEP = 1_000;

/** Removes sessions that have long been over. Safe to: run twice, concurrently, and late. */
export async function pruneOldSessions({ db, ports }: House): Promise<{ readonly removed: number }> {
  const before = new Date(ports.clock.now().getTime() - KEPT_MS);
  let removed = 0;
  for (;;) {
    const step = await deleteExpiredSessions(db, before, SESSIONS_PER_STEP);
    removed += step;
    if (step < SESSIONS_PER_STEP) return { removed };
  }
}
