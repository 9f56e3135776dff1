import { lockAllocationToTell, readAllocation, updateAllocation, type AllocationRow } from '../../store/allocation.ts';
import type { Tx } from '../../store/db.ts';
import { assert } from '../../domain/assert.ts';
import type { House } from '../house.ts';
import { applyStatus } from './apply-status.ts';
import { askProvisioner, type Answer } from './ask.ts';

/**
 * Asks the provisioner for what an allocation is to become, outside any transaction, and writes what it said.
 *
 * Shape: the row as it is now; null when there is none with this sid. Safe to: run again after a crash at any moment, concurrently, and late.
 */
export async function converge(house: House, sid: string): Promise<AllocationRow | null> {
  const seen = await readAllocation(house.db, sid);
  if (seen === null) return null;
  const answer = await askProvisioner(house, seen);
  return await house.db.transaction('allocation.answer', (tx) => writeAnswer(tx, house, seen, answer));
}

/** Writes an answer to what was asked as the row was `seen`. */
export async function writeAnswer(
  tx: Tx,
  house: Pick<House, 'ports'>,
  seen: AllocationRow,
  answer: Answer,
): Promise<AllocationRow> {
  const row = await lockAllocationToTell(tx, seen.sid);
  assert(row !== null, 'an allocation is never deleted');
  if (row.state === seen.state && row.wanted === seen.wanted) return await applyStatus(tx, house, row, answer);
  // An answer to a question of before: somebody has wanted something else since. What is true is asked again; of one that is over only if
  // there is something.
  const isOver = row.state === 'released' || row.state === 'failed';
  if (isOver && (answer.status === null || answer.status.state === 'released')) return row;
  const asked = { ...row, checkAt: house.ports.clock.now() };
  await updateAllocation(tx, asked);
  return asked;
}
