import { bonusOf } from '../../domain/bonus/rule.ts';
import { deriveIdem, fingerprintOf } from '../../domain/idem.ts';
import { formatDecimal } from '../../domain/money.ts';
import { isRefusal } from '../../domain/refusal.ts';
import { insertBonus, isFirstTopUp, readBonusRuleAt } from '../../store/bonus.ts';
import type { Tx } from '../../store/db.ts';
import type { PaymentRow } from '../../store/payment.ts';
import { recordAudit, type Author } from '../audit/record.ts';
import { giveCredit } from '../grant/give.ts';
import type { House } from '../house.ts';

const DAY_MS = 86_400_000;
/** Among credit that ends at the same time it is used after promo codes. */
export const BONUS_PRIORITY = 200;
export const BONUS_REASON = 'Bonus for the first top-up';

/**
 * Gives the bonus of a first top-up, in the transaction of its credit. `payment` as it is with that credit.
 *
 * The rule is that of the instant at which the payment was begun: what the page said when it was shown. What counts is all that has come in for
 * that payment so far, so that a minimum can be reached in two transfers. The caller has posted the credit, and so holds the wallet's account:
 * of two first top-ups at once the second finds the first.
 * Safe to: run for every credit; once per person something comes of it.
 */
export async function giveBonus(tx: Tx, house: House, payment: PaymentRow, author: Author): Promise<void> {
  const rule = await readBonusRuleAt(tx, payment.createdAt);
  if (rule === null || payment.credited === null) return;
  const amount = bonusOf(rule, payment.credited);
  if (amount === 0n) return;
  const { userSid, wallet, sid: paymentSid } = payment;
  if (!(await isFirstTopUp(tx, { userSid, wallet, paymentSid }))) return;
  const now = house.ports.clock.now();
  const expiresAt = rule.creditDays === null ? null : new Date(now.getTime() + rule.creditDays * DAY_MS);
  const given = await giveCredit(tx, house, {
    wallet: { id: wallet },
    amount,
    kind: 'bonus',
    priority: BONUS_PRIORITY,
    expiresAt,
    reason: BONUS_REASON,
    idem: deriveIdem('bonus.give', userSid),
    fingerprint: fingerprintOf([paymentSid, rule.sid]),
    author,
  });
  if (isRefusal(given)) {
    // What was paid must not wait for what is given besides. An operator can still give it.
    house.ports.log.error(
      { payment_sid: paymentSid, wallet_sid: payment.walletSid, amount: formatDecimal(amount), code: given.code },
      'the bonus of a first top-up could not be given',
    );
    return;
  }
  await insertBonus(tx, {
    userSid,
    wallet,
    paymentSid,
    ruleSid: rule.sid,
    amount,
    grantSid: given.sid,
    expiresAt,
    givenAt: now,
  });
  await recordAudit(tx, author, {
    action: 'bonus.give',
    subject: paymentSid,
    after: { amount: formatDecimal(amount), grant_sid: given.sid, rule_sid: rule.sid },
  });
}
