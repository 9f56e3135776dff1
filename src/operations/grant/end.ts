import { assert } from '../../domain/assert.ts';
import { endOf, promoAccount } from '../../domain/grant/grant.ts';
import { deriveIdem, fingerprintOf } from '../../domain/idem.ts';
import type { PostingRecord } from '../../domain/ledger/posting.ts';
import { formatDecimal, micros, type Micros } from '../../domain/money.ts';
import type { Tx } from '../../store/db.ts';
import { endGrantRow, type GrantRow } from '../../store/grant.ts';
import { applyPostings, ensureSystemAccount, lockAhead } from '../../store/ledger.ts';
import { markGivenSlots } from '../../store/posting-grants.ts';
import { emit } from '../event/emit.ts';
import type { House } from '../house.ts';

/**
 * Ends a grant that is used up, over, or revoked: what is left of it is taken back, and its place is free again when no hold has anything of it.
 *
 * The grant was read with its wallet's row locked. Shape: what was taken back; null: there was nothing to do. Safe to: repeat.
 */
export async function endGrant(
  tx: Tx,
  house: Pick<House, 'ports'>,
  grant: GrantRow,
  why: 'due' | 'revoked' = 'due',
): Promise<Micros | null> {
  const { ports } = house;
  const now = ports.clock.now();
  const end = grant.closedAt === null ? endOf(grant, now, why) : null;
  if (end === null) return null;
  if (end.takenBack > 0n) await takeBack(tx, house, grant, { amount: end.takenBack, state: end.state });
  await endGrantRow(tx, { sid: grant.sid, at: now, ...end });
  await markGivenSlots(tx, grant.wallet);
  if (end.state === 'expired' && end.takenBack > 0n) {
    const facts = { grant_sid: grant.sid, amount: formatDecimal(end.takenBack), reason: grant.reason };
    await emit(tx, house, { type: 'grant.expired', of: grant, facts });
  }
  return end.takenBack;
}

/** Named by the account's place in time: what comes back later is taken back by another posting. */
async function takeBack(
  tx: Tx,
  { ports }: Pick<House, 'ports'>,
  grant: GrantRow,
  { amount, state }: { readonly amount: Micros; readonly state: GrantRow['state'] },
): Promise<void> {
  const now = ports.clock.now();
  const seq = (await lockAhead(tx, [grant.account])).get(grant.account)?.seq;
  const promo = await ensureSystemAccount(tx, promoAccount(grant.kind), 'USD');
  const record: PostingRecord = {
    idem: deriveIdem('grant.end', grant.sid, `${seq}`),
    fingerprint: fingerprintOf([grant.sid, amount.toString()]),
    kind: state === 'revoked' ? 'grant_revoke' : 'grant_expire',
    legs: [
      { account: grant.account, amount: micros(-amount) },
      { account: promo, amount },
    ],
    mayOverdraw: false,
    passesFreeze: true,
    occurredAt: now,
    about: JSON.stringify({ description: grant.reason, grant_sid: grant.sid }),
  };
  const [outcome] = await applyPostings(tx, [record], { batch: ports.ids.batchId(), recordedAt: now });
  assert(outcome?.kind === 'applied', 'what is left of a grant is in its account');
}
