import { assert } from '../../domain/assert.ts';
import { remainingOf, returnLegs } from '../../domain/hold/decide.ts';
import { remainingSources } from '../../domain/hold/given.ts';
import { deriveIdem, fingerprintOf } from '../../domain/idem.ts';
import type { Ports } from '../../ports/ports.ts';
import type { Tx } from '../../store/db.ts';
import { closeHold, type HoldRow } from '../../store/hold.ts';
import { applyPostings } from '../../store/ledger.ts';
import { budgetIn, markOfHold } from '../organisation/spender.ts';
import { givenBack } from './give-back.ts';

/** Posts what is left of an open, locked hold back to its wallet and closes it. The posting's identity is the hold's: it can happen once. */
export async function returnHold(tx: Tx, ports: Ports, hold: HoldRow, state: 'released' | 'expired'): Promise<HoldRow> {
  const now = ports.clock.now();
  const mark = await markOfHold(tx, hold);
  const record = {
    idem: deriveIdem('hold.return', hold.sid),
    fingerprint: fingerprintOf([hold.sid]),
    kind: state === 'released' ? 'hold_release' : 'hold_expire',
    legs: returnLegs(hold),
    mayOverdraw: false,
    passesFreeze: true,
    occurredAt: now,
    about: JSON.stringify({ description: hold.description, hold_sid: hold.sid, ...mark?.about }),
    ...budgetIn(mark),
  } as const;
  const returned = remainingSources(hold.given, hold.drawn);
  // A lease that was used up has nothing left to return.
  if (remainingOf(hold) > 0n) {
    const [outcome] = await applyPostings(tx, [record, ...givenBack(hold, returned, now)], {
      batch: ports.ids.batchId(),
      recordedAt: now,
    });
    assert(outcome?.kind === 'applied', 'an open hold has its money in the reserved account');
  }
  const closed = { ...hold, state, closedAt: now };
  await closeHold(tx, closed);
  return closed;
}
