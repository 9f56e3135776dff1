import { decide, type Happened } from '../../domain/allocation/decide.ts';
import type { EventType } from '../../domain/event/types.ts';
import { updateAllocation, type AllocationRow } from '../../store/allocation.ts';
import type { Tx } from '../../store/db.ts';
import { ownAuthor, recordAudit } from '../audit/record.ts';
import { emit } from '../event/emit.ts';
import type { House } from '../house.ts';
import type { Answer } from './ask.ts';

const TOLD: Readonly<Record<Happened, EventType>> = {
  allocated: 'vm.allocated',
  failed: 'vm.failed',
  released: 'vm.released',
  suspended: 'vm.suspended',
  resumed: 'vm.resumed',
};

/**
 * Writes what a provisioner said of an allocation that is locked: its state, how it is reached, when to ask again, the audit row and the event.
 *
 * Shape: the row as it is now. Safe to: apply twice; what is not new is not told again.
 */
export async function applyStatus(
  tx: Tx,
  house: Pick<House, 'ports'>,
  allocation: AllocationRow,
  { answer, status }: Answer,
): Promise<AllocationRow> {
  const { after, happened } = decide(allocation, answer, house.ports.clock.now());
  const row: AllocationRow = {
    ...allocation,
    ...after,
    externalRef: status?.externalRef ?? allocation.externalRef,
    host: status?.host ?? allocation.host,
    address: status?.address ?? allocation.address,
  };
  await updateAllocation(tx, row);
  if (happened === null) return row;
  await recordAudit(tx, ownAuthor(house, 'allocations'), {
    action: `allocation.${happened}`,
    subject: row.sid,
    reason: row.problem,
    before: { state: allocation.state },
    after: { state: row.state, release_reason: row.releaseReason },
  });
  await emit(tx, house, { type: TOLD[happened], of: ownerOf(row), facts: factsOf(row) });
  return row;
}

const ownerOf = ({ wallet, walletSid, ownerSid }: AllocationRow) => ({ wallet, walletSid, userSid: ownerSid });

const factsOf = (row: AllocationRow) => ({
  allocation_sid: row.sid,
  name: row.name,
  host: row.host,
  address: row.address,
  expires_at: row.expiresAt.toISOString(),
  release_reason: row.releaseReason,
  problem: row.problem,
});
