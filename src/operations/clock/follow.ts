import { readSandboxClock, takeMove } from '../../store/sandbox-clock.ts';
import type { House } from '../house.ts';
import { moveToGoal } from './move.ts';

/**
 * Puts this process's clock where the database says, and goes on with a move that nobody else goes on with.
 *
 * Safe to: run in several processes at once. Does nothing outside a sandbox.
 */
export async function followClock(house: House, signal?: AbortSignal): Promise<void> {
  const clock = house.movableClock;
  if (clock === null || clock.isMoving) return;
  const { goal, isHeld } = await takeOverTime(house);
  if (goal === null || isHeld || !(await takeMove(house.db))) return;
  await moveToGoal(house, signal === undefined ? {} : { signal });
}

/** As {@link followClock}, without going on with a move: before anything is done by the clock. */
export async function takeOverTime(house: House): Promise<{ readonly goal: Date | null; readonly isHeld: boolean }> {
  const clock = house.movableClock;
  if (clock === null) return { goal: null, isHeld: false };
  const { aheadMs, goal, isHeld } = await readSandboxClock(house.db);
  if (aheadMs > clock.aheadMs) clock.moveTo(aheadMs);
  return { goal, isHeld };
}
