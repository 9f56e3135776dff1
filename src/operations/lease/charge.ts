import { assert } from '../../domain/assert.ts';
import { remainingOf, reserveLegs, returnLegs } from '../../domain/hold/decide.ts';
import { deriveIdem, fingerprintOf } from '../../domain/idem.ts';
import type { Outcome, PostingRecord } from '../../domain/ledger/posting.ts';
import { micros, type Micros } from '../../domain/money.ts';
import { isRefusal, refuse, type Refusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import type { HoldRow } from '../../store/hold.ts';
import { addDrawn } from '../../store/lease.ts';
import { applyPostings, knownKeys, laneKey } from '../../store/ledger.ts';
import type { NodeRow } from '../../store/node.ts';
import type { House } from '../house.ts';
import { ownLease } from './lease.ts';

/** The posting of a record that names a lease. */
export interface LeasedPosting {
  /** Where it stands in the report. */
  readonly place: number;
  readonly lease: string;
  readonly posting: PostingRecord;
}

/**
 * Charges usage that was reported under leases: the wallet pays it as always, and in the same transaction the lease gives the wallet
 * back as much, as long as it has something left.
 *
 * Shape: what became of each posting, by place. One of another wallet than the lease's is refused, and so is one of a lease that this node has not.
 * Safe to: run again, concurrently: a record that was charged before draws nothing.
 */
export async function chargeUnderLeases(
  house: House,
  node: NodeRow,
  leased: readonly LeasedPosting[],
): Promise<ReadonlyMap<number, Outcome | Refusal>> {
  const outcomes = new Map<number, Outcome | Refusal>();
  for (const [leaseSid, group] of Map.groupBy(leased, ({ lease }) => lease)) {
    const postings = group.map(({ posting }) => posting);
    const charged = await chargeUnderLease(house, { node, leaseSid }, postings);
    for (const [index, { place }] of group.entries()) outcomes.set(place, charged[index] ?? OF_ANOTHER_USER);
  }
  return outcomes;
}

async function chargeUnderLease(
  house: House,
  { node, leaseSid }: { readonly node: NodeRow; readonly leaseSid: string },
  postings: readonly PostingRecord[],
): Promise<(Outcome | Refusal)[]> {
  return await house.db.transaction('lease.charge', async (tx) => {
    const lease = await ownLease(tx, node, leaseSid, 'lock');
    if (isRefusal(lease)) return postings.map(() => lease);
    const own = postings.filter((posting) => laneKey(posting) === lease.wallet);
    const outcomes = await chargeOwn(house, tx, lease, own);
    return postings.map((posting) => {
      const index = own.indexOf(posting);
      return index === -1 ? OF_ANOTHER_USER : (outcomes[index] ?? OF_ANOTHER_USER);
    });
  });
}

const OF_ANOTHER_USER = refuse('invalid_request', 'The lease is of another user.', {
  errors: [{ pointer: '#/lease', detail: 'must be a lease for the user of the record' }],
});

async function chargeOwn(house: House, tx: Tx, lease: HoldRow, own: readonly PostingRecord[]): Promise<Outcome[]> {
  const { ports } = house;
  const now = ports.clock.now();
  const stamp = { batch: ports.ids.batchId(), recordedAt: now };
  const left = lease.state === 'open' ? remainingOf(lease) : 0n;
  // The lease is locked, so nobody else charges under it now; with another lease or none a record would be another one.
  const known = await knownKeys(
    tx,
    own.map(({ idem }) => idem),
  );
  if (left === 0n || own.every(({ idem }) => known.has(idem))) return await applyPostings(tx, own, stamp);
  // What the records cost is decided by the engine. So all that is left goes back, and what they did not cost is set aside again.
  const back = { ...moveOf(lease, now, 'back'), kind: 'hold_release', legs: returnLegs(lease) } as const;
  // That pays them before any grant does, for what was set aside of grants is in it.
  const covered = { by: lease.sid, amount: micros(left) };
  const records = own.map((posting) => ({ ...posting, covered }));
  const [made, ...outcomes] = await applyPostings(tx, [back, ...records], stamp);
  assert(made?.kind === 'applied', 'an open lease has its money in the reserved account');
  const paid = outcomes.reduce((sum, outcome) => sum + paidBy(outcome), 0n);
  const drawn = micros(paid < left ? paid : left);
  if (drawn < left) await setAsideAgain(house, tx, lease, micros(left - drawn));
  await addDrawn(tx, lease.sid, drawn);
  return outcomes;
}

const paidBy = (outcome: Outcome): bigint => (outcome.kind === 'applied' ? -(outcome.entries[0]?.amount ?? 0n) : 0n);

async function setAsideAgain({ ports }: House, tx: Tx, lease: HoldRow, amount: Micros): Promise<void> {
  const now = ports.clock.now();
  const legs = reserveLegs(lease.wallet, amount);
  // It was set aside a moment ago: that the wallet owes something does not stand against it.
  const again = { ...moveOf(lease, now, 'again'), kind: 'hold_reserve', legs, mayOverdraw: true } as const;
  const [outcome] = await applyPostings(tx, [again], { batch: ports.ids.batchId(), recordedAt: now });
  assert(outcome?.kind === 'applied', 'what came back can be set aside again');
}

/** Named by how often the lease was drawn from, which rises with each drawing. */
function moveOf(lease: HoldRow, now: Date, what: 'back' | 'again') {
  return {
    idem: deriveIdem(`lease.${what}`, lease.sid, lease.draws.toString()),
    fingerprint: fingerprintOf([lease.sid, lease.draws.toString()]),
    mayOverdraw: false,
    passesFreeze: true,
    occurredAt: now,
    about: JSON.stringify({ description: lease.description, hold_sid: lease.sid, node: lease.nodeSid }),
  };
}
