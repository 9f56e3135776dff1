import { assert } from '../../domain/assert.ts';
import { giveBackLegs, type Source } from '../../domain/hold/given.ts';
import { byBurnOrder, returnIdem } from '../../domain/ledger/given.ts';
import { liveAccount, type PostingRecord } from '../../domain/ledger/posting.ts';
import { fingerprintOf } from '../../domain/idem.ts';
import { micros } from '../../domain/money.ts';
import type { Tx } from '../../store/db.ts';
import { readGrantUses, reopenGrants, walletsWithGrants, type GrantUse } from '../../store/grant-use.ts';
import { applyPostings, lockAhead } from '../../store/ledger.ts';
import { markGivenSlots } from '../../store/posting-grants.ts';
import type { House } from '../house.ts';

/** A posting that has given a wallet back what it had paid before, wholly or in part. */
export interface GivingBack {
  readonly wallet: bigint;
  /** The posting that gave back, and those that were paid before: the charge, and what corrected it. */
  readonly idem: string;
  readonly paidBy: readonly string[];
  /** What all of them together cost now. */
  readonly cost: bigint;
  readonly occurredAt: Date;
  readonly description: string;
}

/**
 * Puts what came back to wallets to the grants that had paid it, in the caller's transaction, which has just given it back.
 *
 * Given credit stays used as long as the cost is not below it: what was paid comes back first. What no grant can take any more, because its place
 * is another's, stays in the wallet. Safe to: repeat with the transaction.
 */
export async function returnGiven(tx: Tx, house: Pick<House, 'ports'>, all: readonly GivingBack[]): Promise<void> {
  const withGrants = await walletsWithGrants(
    tx,
    all.map(({ wallet }) => wallet),
  );
  for (const back of all) if (withGrants.has(back.wallet)) await returnOne(tx, house, back);
}

async function returnOne(tx: Tx, { ports }: Pick<House, 'ports'>, back: GivingBack): Promise<void> {
  const { wallet, idem, paidBy, cost, occurredAt, description } = back;
  await lockAhead(tx, [liveAccount(wallet, 'wallet')]);
  const uses = await readGrantUses(tx, [...paidBy, idem]);
  const taken = takeBack(uses, cost < 0n ? 0n : cost);
  if (taken.length === 0) return;
  await reopenGrants(
    tx,
    taken.map(({ id }) => id),
  );
  await markGivenSlots(tx, wallet);
  const record: PostingRecord = {
    idem: returnIdem(idem),
    fingerprint: fingerprintOf([idem]),
    kind: 'grant_return',
    legs: giveBackLegs(wallet, taken),
    mayOverdraw: true,
    passesFreeze: true,
    occurredAt,
    about: JSON.stringify({ description, for: idem }),
  };
  const [outcome] = await applyPostings(tx, [record], { batch: ports.ids.batchId(), recordedAt: ports.clock.now() });
  assert(outcome?.kind === 'applied', 'what a posting gave back returns to grants once');
}

/** What of the uses is above the cost, from the grant that would be used last. */
function takeBack(uses: readonly GrantUse[], cost: bigint): (Source & Pick<GrantUse, 'id'>)[] {
  let above = uses.reduce((sum, { amount }) => sum + amount, 0n) - cost;
  const taken: (Source & Pick<GrantUse, 'id'>)[] = [];
  const order = uses.toSorted((a, b) => byBurnOrder({ ...b, number: b.id }, { ...a, number: a.id }));
  for (const { id, account, amount, hasPlace } of order) {
    if (above <= 0n) break;
    const part = above < amount ? above : amount;
    above -= part;
    if (hasPlace) taken.push({ id, account, amount: micros(part) });
  }
  return taken;
}
