import { giveBackLegs, type Source } from '../../domain/hold/given.ts';
import { deriveIdem, fingerprintOf } from '../../domain/idem.ts';
import type { PostingRecord } from '../../domain/ledger/posting.ts';
import type { HoldRow } from '../../store/hold.ts';

/**
 * The posting that puts what a hold returns of given credit back to its grants, after the hold has returned it to the wallet. A grant that has
 * ended meanwhile has it taken back by the next tick.
 *
 * Shape: none where nothing of it was given. Its identity is the hold's: it can happen once.
 */
export function givenBack(hold: HoldRow, sources: readonly Source[], now: Date): PostingRecord[] {
  if (sources.length === 0) return [];
  return [
    {
      idem: deriveIdem('hold.give-back', hold.sid),
      fingerprint: fingerprintOf([hold.sid]),
      kind: 'grant_return',
      legs: giveBackLegs(hold.wallet, sources),
      // The wallet may owe something: what comes back of given credit does not pay that.
      mayOverdraw: true,
      passesFreeze: true,
      occurredAt: now,
      about: JSON.stringify({ description: hold.description, hold_sid: hold.sid }),
    },
  ];
}
