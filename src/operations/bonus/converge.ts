import { assert } from '../../domain/assert.ts';
import { deriveIdem, fingerprintOf } from '../../domain/idem.ts';
import { liveAccount } from '../../domain/ledger/posting.ts';
import { formatDecimal, ZERO } from '../../domain/money.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { hasGoneBack, lockBonusOf, moveBonus, type BonusRow } from '../../store/bonus.ts';
import type { Tx } from '../../store/db.ts';
import { readGrant } from '../../store/grant.ts';
import { lockAhead } from '../../store/ledger.ts';
import { recordAudit, type Author } from '../audit/record.ts';
import { endGrant } from '../grant/end.ts';
import { giveCredit } from '../grant/give.ts';
import type { House } from '../house.ts';
import { BONUS_PRIORITY, BONUS_REASON } from './give.ts';

/**
 * Brings the bonus of a payment to what has become of its money: while any of it is away, on its way out or disputed, what is left of the bonus
 * is taken back; when all of it is here again, what was taken back is given again, unless its time is over.
 *
 * The caller holds the payment's lock, and has written what it knows of its refunds and disputes.
 * Safe to: run any number of times, and for payments without a bonus.
 */
export async function convergeBonus(
  tx: Tx,
  house: House,
  payment: { readonly sid: string },
  author: Author,
): Promise<void> {
  const bonus = await lockBonusOf(tx, payment.sid);
  if (bonus === null || (await hasGoneBack(tx, payment.sid)) !== bonus.isStanding) return;
  const step = bonus.step + 1;
  const after = bonus.isStanding
    ? await takeBack(tx, house, { ...bonus, step })
    : await giveAgain(tx, house, { ...bonus, step }, author);
  await moveBonus(tx, after);
  await recordAudit(tx, author, {
    action: 'bonus.converge',
    subject: payment.sid,
    before: standingOf(bonus),
    after: standingOf(after),
  });
}

const standingOf = ({ isStanding, takenBack, grantSid }: BonusRow) => ({
  is_standing: isStanding,
  taken_back: formatDecimal(takenBack),
  grant_sid: grantSid,
});

/** What was spent of it stays spent; what a hold has set aside of it stays good for the hold. */
async function takeBack(tx: Tx, house: House, bonus: BonusRow): Promise<BonusRow> {
  await lockAhead(tx, [liveAccount(bonus.wallet, 'wallet')]);
  const grant = await readGrant(tx, bonus.grantSid);
  assert(grant !== null, 'a grant is never deleted');
  const takenBack = (await endGrant(tx, house, grant, 'revoked')) ?? ZERO;
  return { ...bonus, isStanding: false, takenBack };
}

/** With the end that it had: what has come to nothing must not make it last longer. */
async function giveAgain(tx: Tx, house: House, bonus: BonusRow, author: Author): Promise<BonusRow> {
  const { wallet, takenBack: amount, expiresAt, step, paymentSid } = bonus;
  const isOver = expiresAt !== null && expiresAt <= house.ports.clock.now();
  const stands = { ...bonus, isStanding: true, takenBack: ZERO };
  if (amount === 0n || isOver) return stands;
  const given = await giveCredit(tx, house, {
    wallet: { id: wallet },
    amount,
    kind: 'bonus',
    priority: BONUS_PRIORITY,
    expiresAt,
    reason: BONUS_REASON,
    idem: deriveIdem('bonus.give_again', paymentSid, String(step)),
    fingerprint: fingerprintOf([paymentSid, amount.toString()]),
    author,
  });
  if (isRefusal(given)) {
    const facts = { payment_sid: paymentSid, amount: formatDecimal(amount), code: given.code };
    house.ports.log.error(facts, 'a bonus that was taken back could not be given again');
    return stands;
  }
  return { ...stands, grantSid: given.sid };
}
