import { isUndecided } from '../../domain/movement/movement.ts';
import { formatDecimal, micros } from '../../domain/money.ts';
import { refuse, type Refusal } from '../../domain/refusal.ts';
import type { Tx } from '../../store/db.ts';
import { lockMovement, updateMovement, type MovementRow } from '../../store/movement.ts';
import { recordAudit } from '../audit/record.ts';
import type { House } from '../house.ts';
import type { Call } from '../operation.ts';
import { post } from '../reconciliation/read-statement.ts';
import { countMoved } from '../operator/daily-limit.ts';

/** A line that an operator may still decide about, with its row locked. */
export async function lockUndecided(tx: Tx, sid: string): Promise<MovementRow | Refusal> {
  const row = await lockMovement(tx, sid);
  if (!row) return refuse('not_found', 'There is no movement with this sid.');
  if (!isUndecided(row.state))
    return refuse('state_conflict', `The movement is ${row.state}: there is nothing left to decide.`);
  if (row.currency !== 'USD')
    return refuse('currency_not_supported', `The movement is in ${row.currency}; the books are kept in US dollars.`);
  return row;
}

/** Takes what is unexplained into the books, on the suspense account: the provider's account is then as its statement says. */
export async function postToSuspense(tx: Tx, house: House, row: MovementRow): Promise<void> {
  const taken = micros(row.booked - row.amount);
  await post(tx, house, row, [{ kind: 'suspense', account: 'suspense', taken, step: 'in' }]);
}

/** Writes a decision and who made it. */
export async function writeDecision(
  tx: Tx,
  call: Call,
  { before, after, action }: { readonly before: MovementRow; readonly after: MovementRow; readonly action: string },
): Promise<void> {
  await updateMovement(tx, after);
  await recordAudit(tx, call, {
    action,
    subject: after.sid,
    reason: after.reason,
    before: { state: before.state, booked: formatDecimal(before.booked) },
    after: { state: after.state, booked: formatDecimal(after.booked), payment_sid: after.paymentSid },
  });
  await countMoved(tx, call, after.booked - before.booked);
}
